"""Files and folders: what is read, what is refused with a line, and that two patients are never mixed (issue 2, section 7)."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from tests.records.builders import (
    CPT,
    ICD10,
    LOINC,
    SNOMED,
    TODAY,
    Json,
    about,
    bundle,
    ccda,
    concept,
    findings,
    ndjson,
    note,
    patient,
    pdf,
    resource,
    section,
    sound,
)

from sequela.records import gather as module
from sequela.records.gathered import Gathered

DIABETES = resource("Condition", "c1", code=concept(SNOMED, "44054006", "Diabetes"), subject=about("p1"))
DISCECTOMY = resource(
    "Procedure", "x1", status="completed", code=concept(CPT, "63030", "Discectomy"), subject=about("p1")
)


def gather(*paths: Path | str, **options: str) -> Gathered:
    return sound(module.gather(paths, today=TODAY, **options))  # type: ignore[arg-type]


def write(folder: Path, **files: str | bytes) -> Path:
    """Files by name, with `__` for the dot of the extension."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def the_problem(gathered: Gathered) -> str:
    (problem,) = gathered.problems
    return problem.line()


def test_a_folder_as_a_clinic_has_it(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        bundle__json=bundle(patient(), DIABETES),
        letter__txt="Left leg pain returned.",
        notes__md="# Clinic\nPain",
        emg__csv="Muscle,Side,Findings\nTA,left,denervation\n",
        report__pdf=pdf("MRI lumbar spine: recurrent disc herniation L5-S1."),
        summary__xml=ccda(section("PLAN", "Fusion"), person="<x/>"),
        page__html="<p>Wound dry</p>",
    )
    gathered = gather(folder)
    assert not gathered.problems
    assert findings(gathered) == {("diabetes", "present")}
    names = [d.name for d in gathered.documents]
    assert names == [
        "bundle.json#Condition/c1", "emg.csv", "letter.txt", "notes.md", "page.html", "report.pdf", "summary.xml#plan"
    ]  # fmt: skip


def test_folders_are_read_in_depth_in_order_and_without_hidden_files(tmp_path: Path) -> None:
    write(tmp_path / "b", z__txt="One")
    write(tmp_path / "a", y__txt="Two")
    write(tmp_path / ".hidden", x__txt="No")
    (tmp_path / ".secret.txt").write_text("No")
    assert [d.name for d in gather(tmp_path).documents] == ["a/y.txt", "b/z.txt"]


def test_two_files_of_one_name_keep_their_folders(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a", n__txt="One") / "n.txt", write(tmp_path / "b", n__txt="Two") / "n.txt"
    assert [d.name for d in gather(one, two).documents] == [one.as_posix(), two.as_posix()]


def test_a_file_given_twice_or_copied_counts_once(tmp_path: Path) -> None:
    folder = write(tmp_path, a__txt="Same words", b__txt="Same words")
    assert [d.name for d in gather(folder, folder / "a.txt").documents] == ["a.txt"]


def test_standard_input_is_text_or_anything_else_by_its_content() -> None:
    assert gather(stdin_text="Leg pain").documents[0].name == "standard input"
    assert gather("-", stdin_text="Leg pain").documents[0].text == "Leg pain"
    assert findings(gather(stdin_text=bundle(DIABETES).decode())) == {("diabetes", "present")}


def test_content_wins_over_the_name(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        a__txt=pdf("A PDF that is called text, from the old archive."),
        b__dat=bundle(DIABETES),
        c__bin=ndjson(DIABETES | {"id": "c2"}),
        d__json__gz=gzip.compress(bundle(DISCECTOMY), mtime=0),
        e__data=ccda(section("PLAN", "Fusion planned"), person="<x/>"),
        f__note="Plain words",
    )
    gathered = gather(folder)
    assert not gathered.problems
    assert len(gathered.operations) == 1
    assert {d.kind for d in gathered.documents} >= {"text", "coded"}


def test_a_gzipped_text_is_unpacked(tmp_path: Path) -> None:
    folder = write(tmp_path, note__txt__gz=gzip.compress(b"Leg pain", mtime=0))
    assert gather(folder).documents[0].text == "Leg pain"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.docx", b"PK\x03\x04...", "a.docx: is a Word, Excel or zip file; save it as PDF or text"),
        ("a.rtf", b"{\\rtf1 x}", "a.rtf: is an RTF file; save it as PDF or text"),
        ("a.jpg", b"\xff\xd8\xff\xe0....", "a.jpg: is an image; run text recognition (OCR)"),
        ("a.dcm", b"\0" * 128 + b"DICM", "a.dcm: is a DICOM image; give its report"),
        ("a.pdf", b"words only", "a.pdf: is not a PDF, although it is called one"),
        ("a.txt", b"a\x00b", "a.txt: holds NUL bytes"),
        ("a.xml", b"<fhir", "a.xml: is not complete XML (line 1, column"),
        ("a.json", b'{"resourceType": "Bundle", "entry": [', "a.json: is truncated JSON: it ends at byte 37"),
        ("a.json", b'{"hook": "patient-view"}', "a.json: is JSON but no FHIR resource"),
        ("a.csv", b"x,y\n1,2\n", "a.csv: is a table of an unknown kind (columns x, y)"),
        ("a.txt", b"", "a.txt: is empty"),
        ("a.txt.gz", b"\x1f\x8bbroken", "a.txt.gz: is a gzip file that cannot be unpacked"),
    ],
)
def test_one_bad_file_is_one_line_and_the_rest_is_read(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    write(tmp_path, letter__txt="Left leg pain")
    (tmp_path / name).write_bytes(data)
    gathered = gather(tmp_path)
    assert the_problem(gathered).startswith(said)
    assert not gathered.fatal
    assert [d.name for d in gathered.documents] == ["letter.txt"]


def test_nothing_readable_is_fatal(tmp_path: Path) -> None:
    gathered = gather(write(tmp_path, a__txt=b"\x00"))
    assert [p.fatal for p in gathered.problems] == [False, True]


def test_a_record_that_says_nothing_usable_is_fatal(tmp_path: Path) -> None:
    gathered = gather(write(tmp_path, a__json=bundle(patient(), resource("Encounter"))))
    assert gathered.fatal
    assert the_problem(gathered).startswith("records: nothing about a patient's back could be read; add notes")


def test_an_empty_folder_is_fatal_unless_there_is_more(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    gathered = gather(empty)
    assert gathered.fatal
    assert the_problem(gathered).startswith(f"{empty}: is an empty folder; put the patient's records")
    assert not gather(empty, write(tmp_path / "full", a__txt="Pain")).fatal


def test_no_path_a_wrong_path_and_no_permission(tmp_path: Path) -> None:
    assert the_problem(gather()).startswith("records: no file was given")
    assert "does not exist; check the path" in gather(tmp_path / "none").problems[0].line()
    folder = write(tmp_path, a__txt="Pain")
    (folder / "a.txt").chmod(0)
    if not os.access(folder / "a.txt", os.R_OK):  # root may read everything
        assert "cannot be opened" in gather(folder).problems[0].line()


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "is not a regular file" in gather(tmp_path).problems[0].line()


def test_a_file_too_large_to_be_a_text_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.plain, "MOST_BYTES", 4)
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    folder = write(tmp_path, a__txt="too long", b__json=" " * 101)
    said = [p.line() for p in gather(folder).problems]
    assert said[0].startswith("a.txt: is too large to be a text")
    assert said[1].startswith("b.json: is too large")


def test_a_defect_of_a_reader_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Gathered:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "_table", broken)
    gathered = gather(write(tmp_path, a__csv="x,y\n1,2\n", b__txt="Pain"))
    assert "could not be read (ZeroDivisionError)" in the_problem(gathered)
    assert gathered.documents


# Patients --------------------------------------------------------------------------------------------------------


TWO = (
    patient("p1", "Jane Doe", "1960-05-01"),
    patient("p2", "John Roe", "1970-01-01"),
    DIABETES,
    DISCECTOMY | {"subject": about("p2")},
)


def test_two_patients_are_asked_about_and_nothing_is_handed_on(tmp_path: Path) -> None:
    gathered = gather(write(tmp_path, b__json=bundle(*TWO), letter__txt="Pain"))
    assert gathered.fatal
    assert the_problem(gathered) == (
        "records: the records of 2 patients; choose one with --patient: "
        "p1 (Jane Doe, born 1960-05-01), p2 (John Roe, born 1970-01-01)"
    )
    assert not any((gathered.documents, gathered.observations, gathered.operations, gathered.events))


def test_the_chosen_patient_keeps_own_records_and_none_that_may_be_of_another(tmp_path: Path) -> None:
    folder = write(tmp_path, b__json=bundle(*TWO), letter__txt="Pain")
    one, two = gather(folder, patient="p1"), gather(folder, patient="p2")
    assert [p.name for p in one.patients] == ["Jane Doe"]
    assert findings(one) == {("diabetes", "present")}
    assert not one.operations
    assert len(two.operations) == 1
    assert not two.observations
    assert "letter.txt" not in {d.name for d in (*one.documents, *two.documents)}
    for gathered in (one, two):
        assert the_problem(gathered) == (
            "letter.txt: does not say whose it is and was left out; put the records of each patient in a folder of their own"
        )


def test_an_unknown_patient_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    gathered = gather(write(tmp_path, b__json=bundle(*TWO)), patient="p3")
    assert gathered.fatal
    assert "no patient p3 in these records; give --patient one of: p1 (Jane Doe" in the_problem(gathered)


def test_two_patients_in_two_files_are_asked_about(tmp_path: Path) -> None:
    folder = write(tmp_path, a__json=bundle(patient("p1"), DIABETES), b__json=bundle(patient("p2", "John Roe")))
    assert "2 patients" in the_problem(gather(folder))


def test_files_that_share_a_record_number_are_one_person(tmp_path: Path) -> None:
    fhir_side = bundle(patient("p1", identifier=[{"value": "MRN7"}]), DIABETES)
    folder = write(
        tmp_path,
        a__json=fhir_side,
        b__xml=ccda(section("PLAN", "Fusion")),
        c__csv="MRN,Test,Value,Unit\nMRN7,CRP,85,mg/L\n",
    )
    gathered = gather(folder)
    assert not gathered.problems
    assert [p.id for p in gathered.patients] == ["p1"]
    assert len(gathered.documents) == 3


def test_record_numbers_join_people_over_several_files(tmp_path: Path) -> None:
    """p1 and p3 share no number, but each shares one with p2."""
    people = [
        patient("p1", identifier=[{"value": "A"}]),
        patient("p3", identifier=[{"value": "B"}]),
        patient("p2", identifier=[{"value": "A"}, {"value": "B"}]),
    ]
    gathered = gather(write(tmp_path, a__json=bundle(*people, DIABETES, DISCECTOMY | {"subject": about("p3")})))
    assert not gathered.problems
    assert len(gathered.documents) == 2


def test_a_document_without_a_record_number_is_nobody_elses(tmp_path: Path) -> None:
    unnumbered = (
        "<recordTarget><patientRole><patient><name><given>X</given></name></patient></patientRole></recordTarget>"
    )
    folder = write(
        tmp_path, a__json=bundle(patient(), DIABETES), b__xml=ccda(section("PLAN", "Fusion"), person=unnumbered)
    )
    assert "p1 (Jane Doe, born 1960-05-01), b.xml (X)" in the_problem(gather(folder))
    assert {d.name for d in gather(folder, patient="p1").documents} == {"a.json#Condition/c1"}


def test_the_same_name_and_birth_date_are_not_taken_for_the_same_person(tmp_path: Path) -> None:
    folder = write(tmp_path, a__json=bundle(patient("p1"), DIABETES), b__xml=ccda(section("PLAN", "Fusion")))
    assert "2 patients" in the_problem(gather(folder))
    both = gather(folder, patient="p1,MRN7")
    assert not both.fatal
    assert {d.name for d in both.documents} == {"a.json#Condition/c1", "b.xml#plan"}


def test_a_bulk_export_joins_a_patient_over_its_files(tmp_path: Path) -> None:
    folder = write(
        tmp_path, Patient__ndjson=ndjson(*TWO[:2]), Condition__ndjson=ndjson(DIABETES), Procedure__ndjson=ndjson(TWO[3])
    )
    assert findings(gather(folder, patient="p1")) == {("diabetes", "present")}


# Dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2031-05-01", "2024-06-02", "2031"])
def test_a_date_in_the_future_is_named_and_not_used(tmp_path: Path, day: str) -> None:
    it = DISCECTOMY | {"performedDateTime": day}
    gathered = gather(write(tmp_path, b__json=bundle(patient(), it)))
    (operation,) = gathered.operations
    assert operation.date is None
    assert the_problem(gathered) == (
        f"b.json#Procedure/x1: the date {day} of Discectomy is in the future; correct it; it was not used for time"
    )


def test_today_is_not_the_future(tmp_path: Path) -> None:
    it = DISCECTOMY | {"performedDateTime": "2024-06-01"}
    assert not gather(write(tmp_path, b__json=bundle(patient(), it))).problems


def test_an_operation_before_birth_is_named_and_not_used(tmp_path: Path) -> None:
    it = DISCECTOMY | {"performedDateTime": "1950-01-01"}
    gathered = gather(write(tmp_path, b__json=bundle(patient(), it)))
    assert gathered.operations[0].date is None
    assert "the date 1950-01-01 of Discectomy is before the patient's birth (1960-05-01)" in the_problem(gathered)


def test_future_dates_of_documents_and_findings_are_named_once_each(tmp_path: Path) -> None:
    cancer = resource("Condition", "c9", code=concept(ICD10, "C50.9", "Breast cancer"), onsetDateTime="2030-01-01")
    gathered = gather(write(tmp_path, b__json=bundle(patient(), cancer, note("Pain", date="2031-01-01"))))
    assert len(gathered.problems) == 2
    assert all(d.date is None for d in gathered.documents)
    assert gathered.observations[0].date is None


def test_a_birth_date_in_the_future_or_two_of_them_are_not_used(tmp_path: Path) -> None:
    future = gather(write(tmp_path / "a", b__json=bundle(patient(birth="2030-01-01"), DIABETES)))
    assert future.patients[0].birth_date is None
    assert "birth date 2030-01-01 is in the future" in the_problem(future)
    numbered: Json = {"identifier": [{"value": "M1"}]}
    first, second = patient("p1", **numbered), patient("p2", birth="1961-05-01", **numbered)
    two = gather(write(tmp_path / "b", b__json=bundle(first, second, DIABETES)))
    assert two.patients[0].birth_date is None
    assert "several birth dates (1960-05-01, 1961-05-01)" in the_problem(two)


def test_the_same_laboratory_value_in_two_files_counts_once(tmp_path: Path) -> None:
    crp = resource("Observation", "o1", status="final", subject=about("p1"), code=concept(LOINC, "1988-5"),
                   effectiveDateTime="2024-01-02", valueQuantity={"value": 85, "unit": "mg/L"})  # fmt: skip
    folder = write(tmp_path, a__json=bundle(patient(), crp), b__ndjson=ndjson(crp))
    assert [d.text for d in gather(folder).documents] == ["CRP 85 mg/L 2024-01-02"]
