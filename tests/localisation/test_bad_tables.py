"""A spoilt row is named, with what to do, and the rest of the table still finds the lesion."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sequela.api import assess

HERE = Path(__file__).resolve().parent / "bad"
EXPECTED = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("one", EXPECTED, ids=lambda one: one["file"])
def test_the_row_is_named_and_the_rest_is_used(one):
    found = assess(str(HERE / one["file"]))
    lines = [problem.line() for problem in found.case.problems]
    for problem in one["problems"]:
        told = [line for line in lines if f"row {problem['row']}" in line]
        assert told, lines
        assert all(any(name in line for line in told) for name in problem["names"]), told
    place = found.located.places[0]
    assert (place.site, place.side) == (one["site"], one["side"])
