"""Whose a text is: two people are told apart by what their letters say, and one person is not split in two."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.records.builders import bundle, observation_of, patient, sound

from sequela.records import identity
from sequela.records.gather import gather as gather_paths
from sequela.records.gathered import Gathered

JANE = patient("p1", "Jane Doe", "1960-05-01")


def gather(folder: Path, *, wanted: str | None = None, **files: str | bytes) -> Gathered:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name.replace("__", ".")).write_bytes(data)
    return sound(gather_paths([folder], patient=wanted))


def names(gathered: Gathered) -> set[str]:
    return {d.name.split("#")[0] for d in gathered.documents}


@pytest.mark.parametrize(
    ("text", "births", "words"),
    [
        ("John Smith DOB 13/01/1960. Leg pain.", {"1960-01-13"}, {"john", "smith"}),
        ("Re: Mrs Mary Jones, DOB: 02/03/1975", {"1975-03-02", "1975-02-03"}, {"mary", "jones"}),
        ("Patient name: SMITH, John\nDate of birth: 1 January 1960", {"1960-01-01"}, {"smith", "john"}),
        ("Name: Ann-Marie O'Neil\nD.O.B. Jan 5, 1961", {"1961-01-05"}, {"ann-marie", "o'neil"}),
        ("Jane Doe (born 1960-05-01) was seen.", {"1960-05-01"}, {"jane", "doe"}),
        ("Re: Lumbar Fusion L4-5\nThe patient: Left Leg Pain. Her son was born on 3 May 2020.", set(), set()),
        ("Spine Clinic. She had an L4-5 fusion on 3 May 2020.", set(), set()),
    ],
)
def test_what_a_text_says_of_its_patient(text: str, births: set[str], words: set[str]) -> None:
    found = identity.stated(text)
    assert (set(found.births), set(found.name)) == (births, words)


def test_record_numbers() -> None:
    assert identity.stated("MRN: 123 456\nNHS number 943 476 5919").numbers == {"123456", "9434765919"}


@pytest.mark.parametrize(
    "letter",
    [
        "Re: Mr John Roe, DOB 01/02/1970. Screw loosening.",
        "Jane Doe, DOB 2 May 1961. Screw loosening.",
        "Patient name: Mary Jones\nScrew loosening.",
    ],
)
def test_the_letter_of_another_person_is_not_mixed_into_a_record(tmp_path: Path, letter: str) -> None:
    record = bundle(JANE, observation_of("Pain", valueString="left", subject={"reference": "Patient/p1"}))
    asked = gather(tmp_path, r__json=record, letter__txt=letter)
    assert asked.fatal
    assert "records of 2 patients" in asked.problems[-1].what
    assert names(gather(tmp_path, wanted="p1")) == {"r.json"}


@pytest.mark.parametrize(
    "letter",
    [
        "Re: Mrs Jane Doe, DOB 01/05/1960. Screw loosening.",
        "Re: Doe, Jane. DOB 05/01/1960. Screw loosening.",
        "Re: Mrs Doe. Screw loosening.",
        "Patient name: Jane Miller, date of birth 1 May 1960. Screw loosening.",
        "Screw loosening.",
    ],
)
def test_the_letters_of_one_person_stay_together(tmp_path: Path, letter: str) -> None:
    record = bundle(JANE, observation_of("Pain", valueString="left", subject={"reference": "Patient/p1"}))
    gathered = gather(tmp_path, r__json=record, letter__txt=letter, other__txt="Leg pain.")
    assert not gathered.problems
    assert names(gathered) == {"r.json", "letter.txt", "other.txt"}


def test_of_several_people_each_gets_the_letters_that_name_them(tmp_path: Path) -> None:
    record = bundle(
        JANE,
        patient("p2", "John Roe", "1970-02-01"),
        observation_of("Pain", "o1", valueString="left", subject={"reference": "Patient/p1"}),
    )
    letters = {"jane__txt": "Jane Doe, DOB 1960-05-01. Leg pain.", "john__txt": "Re: Mr Roe, DOB 1 February 1970."}
    gathered = gather(tmp_path, wanted="p2", r__json=record, nobody__txt="Leg pain.", **letters)
    assert names(gathered) == {"john.txt"}
    assert [p.where for p in gathered.problems] == ["nobody.txt"]


@pytest.mark.parametrize("wanted", ["Jane Doe", "doe", "Doe, Jane", "p1", "doe 1960-05-01"])
def test_a_patient_is_chosen_by_id_or_name(tmp_path: Path, wanted: str) -> None:
    record = bundle(
        JANE,
        patient("p2", "John Roe", "1970-02-01"),
        observation_of("Pain", "o1", valueString="left", subject={"reference": "Patient/p1"}),
    )
    gathered = gather(tmp_path, wanted=wanted, r__json=record)
    assert [p.id for p in gathered.patients] == ["p1"]


def test_a_name_of_several_people_chooses_nobody(tmp_path: Path) -> None:
    record = bundle(JANE, patient("p2", "John Doe", "1970-02-01"))
    assert "no patient Doe" in gather(tmp_path, wanted="Doe", r__json=record).problems[-1].what


def test_a_text_filed_under_the_wrong_patient_is_named(tmp_path: Path) -> None:
    from tests.records.builders import about, note

    record = bundle(JANE, note("Re: Mr John Roe, DOB 1 February 1970. Leg pain.", subject=about("p1")))
    (problem,) = gather(tmp_path, r__json=record).problems
    assert problem.what == "states another birth date or name than its patient's"
