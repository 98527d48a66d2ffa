"""The kinds of pain, from the posterior of the causes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from sequela.knowledge.model import Knowledge
from sequela.reasoning import reason
from sequela.reasoning.mechanism import MECHANISMS, mechanisms

from .builders import case, cause, full, knowledge
from .strategies import records, words


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_shares_sum_to_one(record: tuple[Knowledge, dict[str, str]]) -> None:
    network, reports = record
    shares = reason(case(*words(reports)), network).mechanisms
    assert tuple(shares) == MECHANISMS
    assert sum(shares.values()) == pytest.approx(1.0)


def test_a_cause_counts_by_its_probability_and_its_shares() -> None:
    causes = [cause("disc", mechanical=0.8, neurologic=0.2), cause("infection", inflammatory=1.0)]
    shares = mechanisms(knowledge(causes, [], []), np.array([0.6, 0.3]))
    expected = {"mechanical": 0.48 / 0.9, "neurologic": 0.12 / 0.9, "inflammatory": 0.3 / 0.9}
    assert shares == pytest.approx(expected | {"nociplastic": 0.0, "other": 0.0})


def test_no_cause_at_all_is_other() -> None:
    assert mechanisms(knowledge([cause("c")], [], []), np.array([0.0]))["other"] == 1.0


def test_an_infection_is_inflammatory() -> None:
    found = reason(case("fever", "wound_drainage", "mri_discitis", "positive_culture"), full())
    assert max(found.mechanisms, key=found.mechanisms.__getitem__) == "inflammatory"
