"""The kinds of pain, from the posterior of the causes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from sequela.knowledge.model import Knowledge
from sequela.reasoning import reason
from sequela.reasoning.evidence import marginals
from sequela.reasoning.mechanism import MECHANISMS, mechanisms
from sequela.reasoning.network import compiled

from .builders import case, cause, full, knowledge
from .strategies import records, words


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_shares_sum_to_one(record: tuple[Knowledge, dict[str, str]]) -> None:
    network, reports = record
    shares = reason(case(*words(reports)), network).mechanisms
    assert tuple(shares) == MECHANISMS
    assert sum(shares.values()) == pytest.approx(1.0)


def shares_of(on: Knowledge, after: dict[str, float]) -> dict[str, float]:
    """Mechanisms of a posterior written as {"first+second": probability}."""
    network = compiled(on)
    posterior = np.zeros(len(network.members))
    for names, p in after.items():
        held = {network.causes.index(name) for name in names.split("+") if name}
        (h,) = [x for x, row in enumerate(network.members) if set(row[row < len(network.causes)]) == held]
        posterior[h] = p
    return mechanisms(on, network, posterior, marginals(network, posterior))


def test_a_cause_counts_by_its_probability_and_its_shares() -> None:
    on = knowledge([cause("disc", mechanical=0.8, neurologic=0.2), cause("infection", inflammatory=1.0)], [], [])
    shares = shares_of(on, {"": 0.1, "disc": 0.6, "infection": 0.3})
    expected = {"mechanical": 0.48 / 0.9, "neurologic": 0.12 / 0.9, "inflammatory": 0.3 / 0.9}
    assert shares == pytest.approx(expected | {"nociplastic": 0.0, "other": 0.0})


def test_of_causes_that_act_together_the_more_probable_one_counts() -> None:
    on = knowledge([cause("disc", mechanical=1.0), cause("infection", inflammatory=1.0)], [], [])
    shares = shares_of(on, {"infection": 0.6, "disc+infection": 0.4})
    assert shares["inflammatory"] == pytest.approx(1.0)


def test_no_cause_at_all_is_other() -> None:
    assert shares_of(knowledge([cause("c")], [], []), {"": 1.0})["other"] == 1.0


def test_an_infection_is_inflammatory() -> None:
    found = reason(case("fever", "wound_drainage", "mri_discitis", "positive_culture"), full())
    assert max(found.mechanisms, key=found.mechanisms.__getitem__) == "inflammatory"
