"""Real samples made by others, read from the shared folder where it is present; nothing of them is in the repository."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from tests.records.builders import findings, sound

from sequela.records.gather import gather
from sequela.records.gathered import Gathered

SHARED = Path(os.environ.get("SEQUELA_SHARED") or Path(__file__).parents[3] / "shared")
SAMPLES = SHARED / "samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the shared samples are not at {SAMPLES}")
TODAY = date(2025, 1, 1)


def read(folder: str, patient: str | None = None) -> Gathered:
    return sound(gather([SAMPLES / folder], patient=patient, today=TODAY))


def everybody() -> list[str]:
    """The ids of the people in the Synthea export."""
    if not SAMPLES.is_dir():
        return []
    return [p.id for p in gather([SAMPLES / "synthea-10" / "Patient.000.ndjson.gz"]).patients if p.id]


def test_the_synthea_export_asks_which_patient() -> None:
    gathered = read("synthea-10")
    assert gathered.fatal
    assert len(gathered.patients) == len(everybody()) > 9
    assert [p.line() for p in gathered.problems if "--patient" in p.line()]
    assert not gathered.documents


@pytest.mark.parametrize("patient", everybody())
def test_each_person_of_the_synthea_export_is_read_without_a_problem(patient: str) -> None:
    gathered = read("synthea-10", patient)
    assert [p.id for p in gathered.patients] == [patient]
    assert gathered.patients[0].birth_date
    assert not gathered.problems
    assert gathered.documents
    assert not gathered.operations, "nobody there had spine surgery"
    assert set(gathered.owners.values()) == {patient}


def test_what_synthea_codes_say() -> None:
    said = {found for patient in everybody() for found in findings(read("synthea-10", patient))}
    assert said >= {("diabetes", "present"), ("osteoporosis", "present"), ("history_of_cancer", "present")}
    assert not {name for name, _ in said} & {"opioid_long_term", "cauda_equina_syndrome_stated", "fever"}


def test_the_continuity_of_care_document() -> None:
    gathered = read("c-cda")
    assert gathered.patients[0].name == "Eve Betterhalf"
    assert findings(gathered) == {("smoking_current", "absent")}
    assert not gathered.operations, "a colonoscopy is no operation on the spine"
    titles = {d.name.split("#")[1] for d in gathered.documents}
    assert titles >= {"problems", "medications", "results", "family-history", "vital-signs", "treatment-plan"}
    assert any("White cells 6.7 10*9/L 2008-03-19" in d.text for d in gathered.documents)
    assert [p.what for p in gathered.problems] == ["ends (2008-08-14) before it begins (2013-07-03)"]


def test_the_transcriptions_are_texts() -> None:
    gathered = read("transcriptions")
    assert len(gathered.documents) > 60
    assert not gathered.fatal


@pytest.mark.parametrize("folder", ["cds-hooks", "sql-on-fhir"])
def test_json_that_is_no_record_is_named_file_by_file(folder: str) -> None:
    gathered = read(folder)
    assert gathered.problems
    assert all(p.where for p in gathered.problems)
