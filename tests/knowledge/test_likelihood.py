"""From published numbers to likelihoods of a manifestation: exact where possible, near and never over-stated where not."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequela.knowledge import load
from sequela.knowledge.likelihood import (
    HIGHEST,
    LOWEST,
    MOST,
    Equation,
    capped,
    equations,
    likelihood,
    presence,
    presence_in_others,
    solve,
)
from sequela.knowledge.model import Basis, Cap, Cause, Finding, Given, Manifestation, Missed

probability = st.floats(0.01, 0.98)


def _cause(name: str, prior: float) -> Cause:
    return Cause(name, name, name, name, {"mechanical": 1.0}, {"any": prior}, Basis())


def test_presence_is_a_leaky_noisy_or() -> None:
    m = Manifestation("m", "m", 0.1, Basis(), {"x": 0.5, "y": 0.8})
    assert presence(m, ()) == pytest.approx(0.1)
    assert presence(m, ("x",)) == pytest.approx(1 - 0.9 * 0.5)
    assert presence(m, ("x", "y")) == pytest.approx(1 - 0.9 * 0.5 * 0.2)
    assert presence(m, ("z",)) == pytest.approx(0.1)


def test_presence_in_others_is_weighted_by_their_priors() -> None:
    m = Manifestation("m", "m", 0.0, Basis(), {"x": 0.5, "y": 0.8})
    causes = [_cause("x", 0.5), _cause("y", 0.1), _cause("z", 0.4)]
    assert presence_in_others(m, "x", causes) == pytest.approx((0.1 * 0.8 + 0.4 * 0.0) / 0.5)


@given(a=probability, b=probability, with_cause=st.floats(0.5, 1.0), others=st.floats(0.0, 0.4))
def test_numbers_that_fit_are_reproduced(a: float, b: float, with_cause: float, others: float) -> None:
    p = with_cause * a + (1 - with_cause) * b
    q = others * a + (1 - others) * b
    found = solve((Equation(with_cause, p), Equation(others, q)))
    assert found == pytest.approx((a, b), abs=1e-9)


@given(p=probability, q=probability, with_cause=st.floats(0.5, 1.0), others=st.floats(0.0, 0.4))
def test_numbers_that_do_not_fit_stay_in_range_and_in_direction(
    p: float, q: float, with_cause: float, others: float
) -> None:
    a, b = solve((Equation(with_cause, p), Equation(others, q)))
    assert min(a, b) >= LOWEST - 1e-12
    assert max(a, b) <= HIGHEST + 1e-12
    if abs(p - q) > 0.02:
        assert (a - b) * (p - q) >= 0


def test_the_nearest_pair_is_the_nearest() -> None:
    """Against a plain search over the whole square."""
    wanted = (Equation(0.4, 0.6), Equation(0.1, 0.04))
    grid = [LOWEST + (HIGHEST - LOWEST) * i / 200 for i in range(201)]
    best = min(sum(e.error(a, b) for e in wanted) for a in grid for b in grid)
    found = solve(wanted)
    assert sum(e.error(*found) for e in wanted) <= best + 1e-3


@given(a=probability, b=probability, positive=st.floats(1.0, 10.0), negative=st.floats(0.05, 1.0))
def test_caps_hold(a: float, b: float, positive: float, negative: float) -> None:
    a, b = capped(a, b, Cap(positive, negative))
    assert a / b <= min(positive, MOST) + 1e-9
    assert (1 - a) / (1 - b) >= negative - 1e-9


def test_a_pair_within_its_limits_is_left_alone() -> None:
    assert capped(0.6, 0.2, Cap(4.0, 0.4)) == (0.6, 0.2)
    assert capped(0.05, 0.4, None) == (0.05, 0.4)


def test_published_numbers_come_back_out_of_the_knowledge_base() -> None:
    knowledge = load()
    manifestations = {m.id: m for m in knowledge.manifestations}
    exact = 0
    for finding, solved in zip(knowledge.findings, knowledge.likelihoods, strict=True):
        if finding.measured is None:
            continue
        wanted = equations(finding, manifestations[finding.manifestation], knowledge.causes)
        found = [equation.value(*solved.present) for equation in wanted]
        published = (finding.measured.in_cause, finding.measured.in_others)
        exact += found == pytest.approx(published, abs=1e-9)
        # Limits and weak links only ever make a finding say less than the study.
        assert abs(math.log(found[0] / found[1])) <= abs(math.log(published[0] / published[1])) + 0.05, finding.id
    assert exact >= 40


def test_given_numbers_are_taken_as_they_are() -> None:
    knowledge = load()
    for finding, solved in zip(knowledge.findings, knowledge.likelihoods, strict=True):
        if finding.given is not None and finding.cap is None and finding.given.present <= MOST * finding.given.absent:
            assert solved.present == pytest.approx((finding.given.present, finding.given.absent)), finding.id


def test_reports_are_probabilities_and_weaker_when_uncertain_or_denied() -> None:
    for finding, solved in zip(load().findings, load().likelihoods, strict=True):
        a, b = solved.present
        assert all(0 < x < 1 for pair in (solved.present, solved.absent, solved.uncertain) for x in pair)
        assert math.log(solved.uncertain[0] / solved.uncertain[1]) == pytest.approx(math.log(a / b) / 2)
        believed = (1 - a) / (1 - b)
        denied = solved.absent[0] / solved.absent[1]
        assert abs(math.log(denied)) <= abs(math.log(believed)) + 1e-12, finding.id
        assert finding.missed is not None, finding.id
        assert solved.absent[0] == pytest.approx(1 - a * (1 - finding.missed.rate))


def test_what_reports_often_miss_weighs_little_when_denied() -> None:
    """Lateral stenosis, scar and matted roots are missed more often than not: their denial must not clear them."""
    knowledge = load()
    likelihoods = dict(zip((f.id for f in knowledge.findings), knowledge.likelihoods, strict=True))
    for id_ in ("mri_lateral_recess_stenosis", "mri_extensive_peridural_scar", "mri_scar_around_root"):
        denied = likelihoods[id_].absent
        assert -0.2 < math.log(denied[0] / denied[1]) < 0, id_
    for id_, published in {"xray_nonunion": 0.5, "ct_haloing_screw": 0.565, "fdg_pet_positive": 0.15}.items():
        assert likelihoods[id_].absent[0] == pytest.approx(published, abs=0.02), id_


def test_a_finding_that_does_not_say_how_often_it_is_missed_is_not_compiled() -> None:
    bare = Finding("f", "f", "m", Basis(), given=Given(0.8, 0.2))
    m = Manifestation("m", "m", 0.1, Basis(), {"x": 0.5})
    with pytest.raises(ValueError, match="f does not say how often it is missed"):
        likelihood(bare, m, ())
    one = likelihood(msgspec.structs.replace(bare, missed=Missed(0.5, Basis())), m, ())
    assert one.absent == pytest.approx((1 - 0.8 * 0.5, 1 - 0.2 * 0.5))
