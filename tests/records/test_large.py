"""Large bundles: read whole, in little more memory than their bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.records.builders import LOINC, SNOMED, Json, about, concept, note, patient, resource

SOURCE = Path(__file__).parents[2] / "src"
PROGRAM = """
import re, sys
from pathlib import Path
from sequela.records.gather import gather
gathered = gather([sys.argv[1]])
# Not ru_maxrss: that remembers the size of the process that started this one.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
print(len(gathered.documents), len(gathered.observations), len(gathered.operations), len(gathered.problems), peak)
"""


def resources() -> Iterator[Json]:
    """A chart without end: results, now and then a diagnosis and a letter, all of one patient."""
    yield patient()
    number = 0
    while True:
        number += 1
        day = f"{2010 + number % 10}-{1 + number % 12:02d}-{1 + number % 28:02d}"
        glucose = concept(LOINC, "2339-0", "Glucose [Mass/volume] in Blood")
        quantity = {"value": number % 300, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}
        yield resource("Observation", f"o{number}", status="final", category=[concept("c", "laboratory")], code=glucose,
                       subject=about("p1"), effectiveDateTime=f"{day}T10:00:00Z", valueQuantity=quantity,
                       meta={"lastUpdated": "2020-01-01T00:00:00Z", "profile": ["http://hl7.org/fhir/us/core"] * 4})  # fmt: skip
        if number % 10 == 0:
            code = concept(SNOMED, "44054006", "Diabetes mellitus type 2")
            yield resource("Condition", f"c{number}", code=code, subject=about("p1"), onsetDateTime=day)
        if number % 50 == 0:
            yield note("He complains of left leg pain.\n" * 40 + day, id=f"d{number}", subject=about("p1"), date=day)


def write_bundle(path: Path, megabytes: int) -> int:
    """A bundle of at least that size; the number of its entries."""
    entries = written = 0
    with path.open("w") as file:
        file.write('{"resourceType":"Bundle","entry":[')
        for entry in resources():
            text = json.dumps({"fullUrl": f"urn:uuid:{entries}", "resource": entry})
            file.write(text if not entries else "," + text)
            entries, written = entries + 1, written + len(text)
            if written > megabytes * 1024**2:
                break
        file.write("]}")
    return entries


def read_apart(path: Path) -> tuple[int, int, int, int, int]:
    """Read in a process of its own, so that the peak of memory is that of the reading."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert run.stderr == ""
    documents, observations, operations, problems, peak = map(int, run.stdout.split())
    return documents, observations, operations, problems, peak


@pytest.mark.parametrize(
    ("megabytes", "most"), [(5, 200), pytest.param(200, 1000, marks=pytest.mark.slow, id="200 MB")]
)
def test_a_large_bundle_is_read_whole_in_bounded_memory(tmp_path: Path, megabytes: int, most: int) -> None:
    path = tmp_path / "large.json"
    entries = write_bundle(path, megabytes)
    documents, observations, _, problems, peak = read_apart(path)
    assert entries > megabytes * 1000
    assert documents > 500
    assert observations > 10
    assert problems == 0
    assert peak < most


def test_a_truncated_large_bundle_names_its_last_byte(tmp_path: Path) -> None:
    from sequela.records.gather import gather

    path = tmp_path / "large.json"
    write_bundle(path, 5)
    cut = path.stat().st_size // 2
    os.truncate(path, cut)
    gathered = gather([path])
    assert f"large.json: is truncated JSON: it ends at byte {cut}" in gathered.problems[0].line()
    assert gathered.fatal
