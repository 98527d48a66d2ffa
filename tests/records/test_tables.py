"""CSV: nerve studies and laboratory tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.records.builders import findings, sound

from sequela.case import Patient
from sequela.knowledge import load
from sequela.records import tables
from sequela.records.assemble import assemble
from sequela.records.gathered import Gathered

EMG = "Muscle,Side,Fibrillations,Recruitment,Interpretation\n"


def read(text: str, name: str = "table.csv") -> Gathered:
    return sound(tables.read(text.encode(), name))


def lines(gathered: Gathered) -> list[str]:
    return [line for document in gathered.documents for line in document.text.split("\n")]


def test_a_nerve_study_is_a_readable_document() -> None:
    gathered = read(
        "Muscle,Side,Fibrillations,Recruitment\nTibialis anterior,L,2+,reduced\nGastrocnemius,right,0,normal\n"
    )
    study, kept = gathered.documents
    assert (study.kind, kept.kind) == ("emg", "coded")
    assert study.text.split("\n")[1:] == ["Left Tibialis anterior, needle EMG: fibrillations 2+; recruitment reduced."]
    assert kept.text.split("\n")[1:] == ["Right Gastrocnemius, needle EMG: no fibrillations (0); recruitment normal."]
    assert not gathered.observations
    assert not gathered.problems


EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def statuses(gathered: Gathered) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for o in assemble(gathered, load()).observations:
        found.setdefault(o.id, set()).add(o.status)
    return found


@pytest.mark.parametrize("folder", ["nerve-injury", "recurrent-disc"])
def test_the_studies_of_the_examples_keep_every_row(folder: str) -> None:
    written = (EXAMPLES / folder / "emg.csv").read_text(encoding="utf-8").strip().split("\n")[1:]
    gathered = read("\n".join(["test,structure,side,measure,value,unit,finding", *written]))
    kinds = {"needle": "needle", "sensory": "sensory", "motor": "motor", "late": "reflex"}
    assert not gathered.problems
    assert [
        ",".join((kinds[t.kind or ""], t.structure, t.side or "", t.measure, t.value, t.unit, t.comment))
        for t in gathered.nerve_tests
    ] == written


def test_what_the_studies_of_the_examples_say() -> None:
    injury = statuses(tables.read((EXAMPLES / "nerve-injury/emg.csv").read_bytes(), "emg.csv"))
    assert injury == {"emg_radiculopathy_positive": {"present"}}
    disc = statuses(tables.read((EXAMPLES / "recurrent-disc/emg.csv").read_bytes(), "emg.csv"))
    assert disc == {"emg_radiculopathy_positive": {"present"}, "h_reflex_abnormal_s1": {"present"}}


@pytest.mark.parametrize("none", ["0", "none", "Normal", "-", "No"])
def test_a_silent_muscle_is_no_denervation(none: str) -> None:
    found = statuses(read(f"Muscle,Side,Fibrillations\nVastus medialis,R,{none}\nTibialis anterior,R,{none}\n"))
    assert found["emg_radiculopathy_positive"] == {"absent"}


def test_a_normal_muscle_beside_denervated_ones_denies_nothing() -> None:
    found = statuses(read("Muscle,Side,Fibrillations\nVastus medialis,L,0\nTibialis anterior,L,2+\n"))
    assert found["emg_radiculopathy_positive"] == {"present"}
    assert "emg_normal" not in found


@pytest.mark.parametrize("muscle", ["Paraspinal L5", "L5 paraspinals", "Multifidus", "lumbar erector spinae"])
def test_paraspinal_muscles_are_kept_and_never_read(muscle: str) -> None:
    alone = read(f"Muscle,Side,Fibrillations,Comment\n{muscle},L,2+,L5 radiculopathy\n")
    assert "emg_radiculopathy_positive" not in statuses(alone)
    assert [(t.structure, t.value) for t in alone.nerve_tests] == [(muscle, "2+")]
    limbs = read(f"Muscle,Side,Fibrillations\n{muscle},L,2+\nTibialis anterior,L,0\n")
    assert statuses(limbs)["emg_radiculopathy_positive"] == {"absent"}


def test_a_measurement_points_at_its_row() -> None:
    gathered = read("Nerve,Side,Latency (ms),Comment\nPeroneal,L,6.1,prolonged\nTibial,R,4.0,normal\n")
    texts = {d.name: d.text for d in gathered.documents}
    for test in gathered.nerve_tests:
        assert test.source
        assert texts[test.source.document][test.source.start : test.source.end] == test.source.text
        assert test.value in test.source.text
    assert assemble(gathered, load()).nerve_tests == gathered.nerve_tests


def test_an_abnormal_amplitude_is_no_weakness_or_numbness() -> None:
    found = statuses(
        read("Test,Nerve,Side,Value,Unit,Finding\nmotor,Peroneal,L,1.1,mV,reduced\nsensory,Sural,L,1,uV,low\n")
    )
    assert not {"myotomal_weakness", "dermatomal_sensory_loss"} & set(found)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("TA,L,2+,reduced,Left L5 radiculopathy\nGM,L,0,normal,\n", {("emg_radiculopathy_positive", "present")}),
        ("TA,L,0,normal,No evidence of radiculopathy\n", {("emg_radiculopathy_positive", "absent")}),
        ("TA,L,1+,normal,Possible L5 radiculopathy\n", {("emg_radiculopathy_positive", "uncertain")}),
        ("TA,L,0,normal,Normal\nGM,L,0,normal,normal.\n", {("emg_normal", "present")}),
        ("TA,L,0,normal,Normal\nGM,L,2+,reduced,Denervation\n", set()),
        ("TA,L,0,normal,Sensorimotor polyneuropathy\n", {("ncs_polyneuropathy", "present")}),
        ("TA,L,2+,reduced,Denervation\n", set()),
    ],
)
def test_findings_only_where_the_verdict_column_says_them(rows: str, expected: set[tuple[str, str]]) -> None:
    assert findings(read(EMG + rows)) == expected


def test_a_finding_points_at_the_cell_with_level_and_side() -> None:
    (found,) = read(EMG + "TA,L,2+,reduced,Chronic left L5 radiculopathy\n").observations
    assert (found.level, found.side) == ("L5", "left")
    assert found.source is not None
    assert found.source.text == "Chronic left L5 radiculopathy"


def test_a_missing_or_unknown_side_is_named_with_its_row() -> None:
    gathered = read("Nerve;Side;Latency (ms)\nPeroneal;;4,5\nTibial;X;5,1\nLeft sural;;3,0\n")
    assert [p.line() for p in gathered.problems] == [
        "table.csv, row 2: the side of Peroneal is missing; write left or right",
        "table.csv, row 3: the side of Tibial is written X; write left or right",
    ]
    assert "Peroneal: latency (ms) 4,5." in lines(gathered)


def test_a_study_without_a_side_column_is_named() -> None:
    assert "no column for the side" in read("Muscle,Findings\nTA,denervation\n").problems[0].what


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_laboratory_table_with_any_delimiter(mark: str) -> None:
    gathered = read(
        "\n".join(mark.join(row) for row in (("Test", "Value", "Unit", "Date"), ("CRP", "85", "mg/L", "2024-01-02")))
    )
    assert lines(gathered) == ["CRP 85 mg/L 2024-01-02"]
    assert gathered.documents[0].kind == "laboratory"


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("CRP;8,5;mg/dL;2024-01-02", "CRP 85 mg/L 2024-01-02, converted from mg/dL"),
        ("CRP;85 mg/L;;02.01.2024", "CRP 85 mg/L 2024-01-02"),
        ("C-reactive protein;<5;mg/l;2024-01-02", "CRP <5 mg/L 2024-01-02"),
        ("Leukozyten;12,4;10*9/L;2024-01-02", "Leukozyten: 12.4 10*9/L"),
        ("WBC;12,4;10*3/uL;2024-01-02", "White cells 12.4 10*9/L 2024-01-02"),
        ("WBC;1.234,5;/uL;2024-01-02", "White cells 1.2345 10*9/L 2024-01-02, converted from /uL"),
        ("Wound culture;Staphylococcus aureus;;2024-01-02", "Wound culture: Staphylococcus aureus"),
        ("HbA1c;58;mmol/mol;2024-01-02", "HbA1c 58 mmol/mol 2024-01-02"),
    ],
)
def test_laboratory_rows(row: str, line: str) -> None:
    assert lines(read(f"Test;Value;Unit;Date\n{row}\n")) == [line]


def test_a_missing_unit_value_or_test_is_named_with_its_row() -> None:
    gathered = read("Test,Result,Unit,Date\nCRP,85,,2024-01-02\nESR,,mm/h,2024-01-02\n,3,mg/L,2024-01-02\n")
    assert [p.line() for p in gathered.problems] == [
        "table.csv, row 2: CRP 85 has no unit and was not used; give its unit, for example mg/L",
        "table.csv, row 3: the value is missing; fill in the value",
        "table.csv, row 4: the test is missing; fill in the test",
    ]
    assert not gathered.documents


def test_dates_that_can_be_read_in_two_ways_are_not_guessed() -> None:
    gathered = read("Test,Value,Unit,Date\nCRP,85,mg/L,3/4/2024\n")
    assert lines(gathered) == ["CRP 85 mg/L"]
    assert "3/4/2024 can be read in two ways" in gathered.problems[0].what


def test_another_row_of_the_table_may_settle_how_dates_are_written() -> None:
    gathered = read("Test,Value,Unit,Date\nCRP,85,mg/L,3/4/2024\nCRP,40,mg/L,25/4/2024\n")
    assert lines(gathered) == ["CRP 85 mg/L 2024-04-03", "CRP 40 mg/L 2024-04-25"]


def test_a_comma_that_may_mean_thousands_or_tenths_is_not_guessed() -> None:
    gathered = read('Test,Value,Unit,Date\nWBC,"12,400",/uL,2024-01-02\n')
    assert not gathered.documents
    assert "12,400 of WBC can be read in two ways" in gathered.problems[0].what


@pytest.mark.parametrize(
    ("mark", "written", "other", "expected"),
    [
        (";", "12.400", "8,5", "White cells 12.4 10*9/L"),  # the other row shows the decimal comma: 12400 / uL
        (";", "12,400", "8.5", "White cells 12.4 10*9/L"),
        (";", "12.400", "8", None),
        (";", "12,400", "8", None),
        (",", "12.400", "8", "White cells 0.0124 10*9/L"),  # a table divided by commas has decimal points
    ],
)
def test_the_decimal_mark_is_taken_from_the_other_rows_or_not_guessed(
    mark: str, written: str, other: str, expected: str | None
) -> None:
    rows = [("Test", "Value", "Unit"), ("WBC", written, "/uL"), ("INR", other, "ratio")]
    gathered = read("\n".join(mark.join(row) for row in rows))
    found = [line for line in lines(gathered) if line.startswith("White")]
    assert [line.split(", ")[0] for line in found] == ([expected] if expected else [])
    assert bool(gathered.problems) == (expected is None)


def test_an_unknown_table_says_which_columns_are_needed() -> None:
    gathered = read("colour,shape\nred,round\n")
    assert not gathered.documents
    (problem,) = gathered.problems
    assert problem.line().startswith(
        "table.csv: is a table of an unknown kind (columns colour, shape); give an EMG/NCS table"
    )


def test_the_number_of_the_patient_is_kept_and_two_are_refused() -> None:
    one = read("MRN,Test,Value,Unit,Date\n7,CRP,85,mg/L,2024-01-02\n")
    assert one.patients == (Patient("7"),)
    assert set(one.owners.values()) == {"7"}
    two = read("MRN,Test,Value,Unit\n7,CRP,85,mg/L\n8,CRP,5,mg/L\n")
    assert not two.documents
    assert "rows of 2 patients" in two.problems[0].what


@pytest.mark.parametrize("text", ["Muscle,Side\n", "\n\n", 'Muscle,Side\n"open quote', "one"])
def test_tables_without_rows_or_with_odd_quotes(text: str) -> None:
    read(text)


def test_nul_bytes_are_refused() -> None:
    assert "NUL" in sound(tables.read(b"Test,Value\nCRP,\x00\n", "t.csv")).problems[0].what


def test_windows_encoding_is_read_and_named() -> None:
    gathered = sound(tables.read("Test;Value;Unit\nCRP;85;mg/L\nKühl;1;°C\n".encode("cp1252"), "t.csv"))
    assert gathered.documents
    assert "Windows-1252" in gathered.problems[0].what
