"""Forty fictional nerve studies, each of one lesion built from a textbook pattern by people who had not seen the localiser.

`expected.yaml` names the lesion and the source of each pattern. A single wrong entry must not mislead.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml

from sequela.api import assess, assess_text
from sequela.knowledge import load
from sequela.reasoning.localisation import locate

HERE = Path(__file__).resolve().parent
EXPECTED = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def studies():
    return [(one, assess(str(HERE / "tables" / one["file"]))) for one in EXPECTED]


def right(one, located):
    if not located.places:
        return one["site"] == "none"
    place = located.places[0]
    return place.site == one["site"] and (one["side"] is None or place.side == one["side"])


def test_there_are_forty_and_each_names_its_source():
    assert len(EXPECTED) == 40
    assert all(one["source"] for one in EXPECTED)


def test_the_lesion_comes_first(studies):
    assert sum(right(one, found.located) for one, found in studies) / len(studies) >= 0.95


def test_one_wrong_entry_does_not_mislead(studies):
    """Every entry of every table turned round in its turn."""
    known = load().localisation
    hits = trials = 0
    for one, found in studies:
        signs = found.case.nerve_signs
        for at, sign in enumerate(signs):
            turned = msgspec.structs.replace(sign, status="absent" if sign.status == "present" else "present")
            hits += right(one, locate([*signs[:at], turned, *signs[at + 1 :]], known))
            trials += 1
    assert hits / trials >= 0.85


def test_active_and_chronic_are_told_apart(studies):
    wanted = [
        (one["active"], found.located.activity) for one, found in studies if one["active"] and found.located.places
    ]
    agree = [told is not None and told.startswith(active) for active, told in wanted]
    assert sum(agree) / len(agree) >= 0.9


def test_paraspinal_muscles_of_an_operated_back_never_count(studies):
    for _, found in studies:
        assert not any("paraspinal" in s.structure for s in found.case.nerve_signs)


def test_reports_in_prose():
    """Twenty dictated reports; three need what they only imply ("all conduction is normal", amounts without a verdict)."""
    reports = yaml.safe_load((HERE / "reports.yaml").read_text(encoding="utf-8"))
    hits = [right(one, assess_text(one["text"], one["id"]).located) for one in reports]
    assert sum(hits) / len(hits) >= 0.8
