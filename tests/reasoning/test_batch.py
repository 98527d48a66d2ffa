"""The population kernel gives the answers of the single-patient path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from sequela.case import Case, Course
from sequela.knowledge.model import Knowledge
from sequela.reasoning import batch, reason
from sequela.reasoning.differential import counted, parts
from sequela.reasoning.facts import known
from sequela.reasoning.network import compiled
from sequela.reasoning.prior import weights

from .builders import case, cause, finding, full, knowledge, manifestation
from .strategies import records, words

CLOSE = 1e-4


def both_ways(cases: list[Case], on: Knowledge) -> tuple[batch.Marginals, list[dict[str, float]], list[float]]:
    """Population and one by one."""
    network = compiled(on)
    a, b, weight = [], [], []
    for one in cases:
        findings = known(one, network)
        log_a, log_b = parts(network, counted(one, on, findings))
        a.append(np.exp(log_a))
        b.append(np.exp(log_b))
        weight.append(weights(one, on, findings))
    found = batch.marginals(batch.tables(network, on.priors.sizes), np.array(a), np.array(b), np.array(weight))
    single = [reason(one, on) for one in cases]
    return found, [{c.id: c.probability for c in s.causes} for s in single], [s.none_of_these for s in single]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records(most_causes=7))
def test_small_networks_of_any_shape(record: tuple[Knowledge, dict[str, str]]) -> None:
    on, reports = record
    found, single, none = both_ways([case(*words(reports)), case()], on)
    for x in range(2):
        assert found.none[x] == pytest.approx(none[x], abs=CLOSE)
        assert found.causes[x] == pytest.approx([single[x][c] for c in compiled(on).causes], abs=CLOSE)


def test_the_full_knowledge_base_on_a_thousand_random_records() -> None:
    """With priors of their own: operations, courses and onsets differ, and some causes are impossible."""
    rng = np.random.default_rng(7)
    ids = [finding.id for finding in full().findings]
    procedures = [procedure.id for procedure in full().procedures]
    cases = []
    for _ in range(200):
        said = [("", "-", "?")[rng.integers(3)] + id_ for id_ in rng.choice(ids, rng.integers(0, 40), replace=False)]
        course = Course(interval_days=float(rng.integers(0, 2000)))
        cases.append(case(*said, operations=list(rng.choice(procedures, rng.integers(0, 3))), course=course))
    found, single, none = both_ways(cases, full())
    expected = np.array([[one[c] for c in compiled(full()).causes] for one in single])
    assert np.abs(found.causes - expected).max() < CLOSE
    assert np.abs(found.none - none).max() < CLOSE
    assert (expected == 0.0).any()


@pytest.mark.parametrize("status", [0, 1])
def test_a_report_on_everything_stays_within_single_precision(status: int) -> None:
    network = compiled(full())
    a, b = np.ones(len(network.leak)), np.ones(len(network.leak))
    for f, g in enumerate(network.shown_by):
        a[g] *= network.likelihood[f, status, 0]
        b[g] *= network.likelihood[f, status, 1]
    scale = np.maximum(a, b)
    a, b = a / scale, b / scale
    weight = weights(Case(), full(), {})
    found = batch.marginals(batch.tables(network, full().priors.sizes), [a], [b], weight)
    from sequela.reasoning.prior import over_hypotheses

    prior = over_hypotheses(network, weight, full().priors.sizes)
    fit = np.log(network.present * a + (1.0 - network.present) * b).sum(axis=1)
    joint = prior * np.exp(fit - fit[prior > 0].max())
    assert found.causes[0] == pytest.approx(joint @ network.contains / joint.sum(), abs=CLOSE)


def test_evidence_beyond_the_range_of_single_precision_is_scaled() -> None:
    """Forty manifestations that one cause explains and hardly anything else: a likelihood ratio of about 1e60."""
    shown = [manifestation(f"g{i}", 0.02, c=0.98, **({"d": 0.3} if i % 2 else {})) for i in range(40)]
    signs = [finding(f"f{i}", f"g{i}", 0.9, 0.001) for i in range(40)]
    on = knowledge([cause("c"), cause("d"), cause("e")], shown, signs)
    found, single, _ = both_ways([case(*(sign.id for sign in signs))], on)
    assert found.causes[0] == pytest.approx([single[0][c] for c in "cde"], abs=CLOSE)


def test_one_set_of_weights_serves_all_patients() -> None:
    network = compiled(full())
    on = batch.tables(network, full().priors.sizes)
    ones, weight = np.ones((300, len(network.leak))), weights(Case(), full(), {})
    shared = batch.marginals(on, ones, ones, weight).causes
    assert np.array_equal(shared, batch.marginals(on, ones, ones, np.tile(weight, (300, 1))).causes)
    assert np.array_equal(shared[0], shared[-1])


def test_nobody_is_nobody() -> None:
    network = compiled(full())
    empty = np.ones((0, len(network.leak)))
    assert batch.marginals(
        batch.tables(network, full().priors.sizes), empty, empty, weights(Case(), full(), {})
    ).causes.shape == (
        0,
        len(network.causes),
    )
