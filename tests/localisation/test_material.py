"""The studies, reports and spoilt tables the localiser is tried on: complete, and read by the project without losing a row."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from sequela.knowledge import load
from sequela.records import tables
from sequela.records.assemble import assemble

HERE = Path(__file__).parent
TABLES = sorted((HERE / "tables").glob("*.csv"))
SPOILT = sorted((HERE / "bad").glob("*.csv"))
KINDS = {"needle": "needle", "motor": "motor", "sensory": "sensory", "reflex": "late", "F-wave": "late"}
SITES = {
    *(f"root_{root}" for root in ("L2", "L3", "L4", "L5", "S1", "S2")),
    *(
        "roots_L2_L3",
        "roots_L3_L4",
        "roots_L4_L5",
        "roots_L5_S1",
        "lumbar_plexus",
        "sacral_plexus",
        "sciatic",
        "femoral",
    ),
    *("common_peroneal", "tibial", "superior_gluteal", "lateral_femoral_cutaneous", "polyneuropathy", "none"),
}


def listed(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return rows


def test_every_study_is_listed_once_with_its_lesion_and_source() -> None:
    rows = listed("expected.yaml")
    assert sorted(row["file"] for row in rows) == [path.name for path in TABLES]
    assert len(rows) == 40
    for row in rows:
        assert list(row) == ["file", "site", "side", "active", "source", "note"]
        assert row["source"]


@pytest.mark.parametrize(
    "row", [*listed("expected.yaml"), *listed("reports.yaml")], ids=lambda r: r.get("file", r.get("id"))
)
def test_a_lesion_is_named_in_the_agreed_words(row: dict[str, Any]) -> None:
    assert row["site"] in SITES
    assert row["side"] in ({None} if row["site"] == "none" else {"left", "right", "both"})
    assert row["active"] in {"active", "chronic", None}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_of_a_study_is_kept(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    gathered = tables.read(path.read_bytes(), path.name)
    case = assemble(gathered, load())
    read = Counter((t.kind, t.structure, t.side, t.measure, t.value, t.unit, t.comment) for t in case.nerve_tests)
    columns = ("structure", "side", "measure", "value", "unit", "finding")
    assert read == Counter((KINDS[row["test"]], *(row[column] for column in columns)) for row in written)
    assert not gathered.problems


@pytest.mark.parametrize("row", listed("bad/expected.yaml"), ids=lambda row: row["file"])
def test_a_spoilt_table_is_spoilt_where_it_says(row: dict[str, Any]) -> None:
    lines = (HERE / "bad" / row["file"]).read_text(encoding="utf-8").splitlines()
    for problem in row["problems"]:
        line = lines[problem["row"] - 1]
        assert all(name in line for name in problem["names"] if name not in {"side", "missing"})


def test_every_spoilt_table_is_listed() -> None:
    assert sorted(row["file"] for row in listed("bad/expected.yaml")) == [path.name for path in SPOILT]
    assert len(listed("reports.yaml")) == 20
