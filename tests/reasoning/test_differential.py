"""The differential: exact against two independent answers, and what must hold whatever the numbers are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyagrum as gum
import pytest
from benchmarks.kernel import as_noisy_or, part
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from sequela.case import Case, Document, Observation, Source
from sequela.knowledge.model import Basis, Knowledge
from sequela.knowledge.model import Test as DiagnosticTest
from sequela.reasoning import Assessment, reason
from sequela.reasoning.differential import posterior
from sequela.reasoning.evidence import Evidence
from sequela.reasoning.intervals import DRAWS, intervals
from sequela.reasoning.network import compiled
from sequela.reasoning.prior import over_hypotheses

from . import brute
from .builders import case, cause, finding, full, knowledge, manifestation, observed
from .strategies import networks, probability, records, words

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def probabilities(assessment: Assessment) -> dict[str, float]:
    return {one.id: one.probability for one in assessment.causes}


def weight_of(assessment: Assessment, cause_: str, finding_: str) -> float:
    """0.0 when the finding is too weak to be shown."""
    (one,) = [c for c in assessment.causes if c.id == cause_]
    return sum(w.weight for w in (*one.evidence_for, *one.evidence_against) if w.finding == finding_)


# Exactness ------------------------------------------------------------------------------------------------------------


@SLOW
@given(records())
def test_agrees_with_enumeration_of_hypotheses_and_states(record: tuple[Knowledge, dict[str, str]]) -> None:
    network, reports = record
    found = reason(case(*words(reports)), network)
    expected = brute.posterior(network, reports)
    assert found.none_of_these == pytest.approx(expected[frozenset()], abs=1e-6)
    for id_, p in probabilities(found).items():
        assert p == pytest.approx(brute.marginal(expected, id_), abs=1e-6)


@SLOW
@given(records(most_causes=4))
def test_a_weight_is_the_mean_shift_of_the_log_odds_by_the_finding_alone_and_after_all_others(
    record: tuple[Knowledge, dict[str, str]],
) -> None:
    network, reports = record
    found = reason(case(*words(reports)), network)
    with_all, with_none = brute.posterior(network, reports), brute.posterior(network, {})
    for left_out in reports:
        without = brute.posterior(network, {f: s for f, s in reports.items() if f != left_out})
        alone = brute.posterior(network, {left_out: reports[left_out]})
        for id_ in probabilities(found):
            last = brute.log_odds(with_all, id_) - brute.log_odds(without, id_)
            first = brute.log_odds(alone, id_) - brute.log_odds(with_none, id_)
            expected = (first + last) / 2
            shown = weight_of(found, id_, left_out)
            assert shown == pytest.approx(expected, abs=1e-6) or (shown == 0.0 and abs(expected) < 0.0501)


@settings(max_examples=25, deadline=None)
@given(records(most_causes=4))
def test_agrees_with_pyagrum(record: tuple[Knowledge, dict[str, str]]) -> None:
    network, reports = record
    reports = {f: s for f, s in reports.items() if s != "uncertain"}
    net, constraint = as_noisy_or(network)
    for f in network.findings:
        assert f.given is not None
        net.add(gum.LabelizedVariable(f.id, "", 2))
        net.addArc(f.manifestation, f.id)
        net.cpt(f.id)[{f.manifestation: 0}] = [1.0 - f.given.absent, f.given.absent]
        net.cpt(f.id)[{f.manifestation: 1}] = [1.0 - f.given.present, f.given.present]
    engine = gum.LazyPropagation(net)
    engine.setEvidence(constraint | {f: int(s == "present") for f, s in reports.items()})
    engine.makeInference()
    for id_, p in probabilities(reason(case(*words(reports)), network)).items():
        assert p == pytest.approx(float(engine.posterior(id_)[1]), abs=1e-6)


def test_agrees_with_enumeration_on_a_part_of_the_real_knowledge_base() -> None:
    sub = part(full())
    causes, shown = sub.causes[:6], sub.manifestations[:5]
    kept = {one.id for one in causes}
    network = structs.replace(
        sub,
        causes=causes,
        manifestations=tuple(
            structs.replace(m, caused_by={c: p for c, p in m.caused_by.items() if c in kept}) for m in shown
        ),
        priors=structs.replace(sub.priors, referral=structs.replace(sub.priors.referral, value=0.0)),
    )
    asked = [f for f in sub.findings if not f.implies and f.manifestation in {m.id for m in shown}][:14]
    pairs = [(f, p) for f, p in zip(sub.findings, sub.likelihoods, strict=True) if f in asked]
    network = structs.replace(network, findings=tuple(f for f, _ in pairs), likelihoods=tuple(p for _, p in pairs))
    reports = {f.id: ("present", "absent", "uncertain")[i % 3] for i, f in enumerate(asked)}
    expected = brute.posterior(network, reports)
    for id_, p in probabilities(reason(case(*words(reports)), network)).items():
        assert p == pytest.approx(brute.marginal(expected, id_), abs=1e-6)


def test_four_hundred_reports_of_one_thing_do_not_underflow() -> None:
    many = [finding(f"f{i}", "g", 0.03, 0.01) for i in range(400)]
    network = knowledge([cause("c"), cause("d")], [manifestation("g", 0.1, c=0.9)], many)
    found = probabilities(reason(case(*(f.id for f in many)), network))
    assert all(np.isfinite(p) for p in found.values())
    assert found["c"] > found["d"]


# Properties -----------------------------------------------------------------------------------------------------------


@SLOW
@given(records(), probability, st.tuples(probability, probability))
def test_evidence_for_a_cause_never_lowers_it_where_it_is_the_only_parent(
    record: tuple[Knowledge, dict[str, str]], leak: float, ab: tuple[float, float]
) -> None:
    network, reports = record
    only = network.causes[0].id
    widened = knowledge(
        network.causes,
        [*network.manifestations, manifestation("own", leak, **{only: 0.8})],
        [*network.findings, finding("sign", "own", max(ab), min(ab))],
    )
    before = probabilities(reason(case(*words(reports)), widened))[only]
    after = probabilities(reason(case(*words(reports), "sign"), widened))[only]
    assert after >= before - 1e-12


@SLOW
@given(records())
def test_findings_the_knowledge_base_does_not_hold_change_nothing(record: tuple[Knowledge, dict[str, str]]) -> None:
    network, reports = record
    plain = reason(case(*words(reports)), network)
    more = reason(case(*words(reports), "not_in_the_knowledge_base", "-nor_this"), network)
    assert plain.causes == more.causes


@SLOW
@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_observations_changes_nothing(record: tuple[Knowledge, dict[str, str]], random: Any) -> None:
    network, reports = record
    said = [*words(reports), *words(dict(list(reports.items())[:2]))]
    shuffled = random.sample(said, len(said))
    one, other = reason(case(*said), network), reason(case(*shuffled), network)
    assert (one.causes, one.mechanisms, one.missing) == (other.causes, other.mechanisms, other.missing)


@SLOW
@given(networks())
def test_a_record_that_says_nothing_leaves_the_prior(network: Knowledge) -> None:
    weight = {one.id: one.prior["any"] for one in network.causes}
    expected = brute.prior(network, weight)
    for id_, p in probabilities(reason(Case(), network)).items():
        assert p == pytest.approx(brute.marginal(expected, id_), abs=1e-9)


# What counts ----------------------------------------------------------------------------------------------------------


def one_cause(*findings: Any) -> Knowledge:
    return knowledge(
        [cause("c"), cause("d")], [manifestation("g", 0.1, c=0.9), manifestation("h", 0.1, c=0.5)], findings
    )


def test_a_finding_stated_several_times_counts_once() -> None:
    network = one_cause(finding("f", "g", 0.8, 0.2))
    assert reason(case("f"), network).causes == reason(case("f", "f", "f"), network).causes


def test_an_implied_finding_of_the_same_manifestation_is_not_counted_again() -> None:
    network = one_cause(finding("foot_drop", "g", 0.3, 0.01, implies=("weak",)), finding("weak", "g", 0.8, 0.2))
    drop = reason(case("foot_drop"), network).causes
    assert drop == reason(case("foot_drop", "weak"), network).causes
    assert drop == reason(case("foot_drop", "-weak"), network).causes


def test_an_implied_finding_of_another_manifestation_counts_though_it_is_not_stated() -> None:
    network = one_cause(finding("tumour", "g", 0.3, 0.01, implies=("mass",)), finding("mass", "h", 0.8, 0.2))
    assert reason(case("tumour"), network).causes == reason(case("tumour", "mass"), network).causes
    assert weight_of(reason(case("tumour"), network), "c", "mass") > 0


def test_what_follows_from_an_absent_finding_is_not_counted_again() -> None:
    network = one_cause(finding("foot_drop", "g", 0.3, 0.01, implies=("weak",)), finding("weak", "g", 0.8, 0.2))
    assert reason(case("-weak"), network).causes == reason(case("-weak", "-foot_drop"), network).causes
    assert reason(case("-foot_drop"), network).causes != reason(Case(), network).causes


def test_implication_is_followed_to_the_end() -> None:
    chain = [
        finding("retention", "g", 0.3, 0.01, implies=("sphincter",)),
        finding("sphincter", "h", 0.4, 0.1, implies=("bladder",)),
        finding("bladder", "g", 0.8, 0.2),
    ]
    network = one_cause(*chain)
    found = reason(case("retention"), network)
    assert weight_of(found, "c", "sphincter") > 0
    assert weight_of(found, "c", "bladder") == 0.0
    assert found.causes == reason(case("retention", "bladder", "sphincter"), network).causes


def test_findings_that_imply_each_other_are_refused() -> None:
    network = one_cause(finding("a", "g", 0.3, 0.01, implies=("b",)), finding("b", "g", 0.8, 0.2, implies=("a",)))
    with pytest.raises(ValueError, match="implies itself"):
        reason(Case(), network)


def stated(word: str, date: str | None) -> Observation:
    return observed(word, date=date)


@pytest.mark.parametrize(
    ("said", "same_as"),
    [
        ([("f", None), ("-f", None)], "f"),
        ([("?f", None), ("-f", None)], "?f"),
        ([("f", "2020-01-05"), ("-f", "2021-03-01")], "-f"),
        ([("-f", "2020-01-05"), ("f", "2021-03-01")], "f"),
        ([("f", "2020-01-05"), ("?f", "2021-03-01")], "f"),
        ([("f", "2021-03-01"), ("-f", "2021-03-01")], "f"),
        ([("f", None), ("-f", "2021-03-01")], "f"),
        ([("f", "2021"), ("-f", "2021-03-01")], "f"),  # the year alone does not make it older
    ],
)
def test_present_beats_absent_unless_the_latest_document_denies_it(
    said: list[tuple[str, str | None]], same_as: str
) -> None:
    network = one_cause(finding("f", "g", 0.8, 0.2))
    expected = reason(case(same_as), network).causes
    assert reason(case(*(stated(*one) for one in said)), network).causes == expected
    assert reason(case(*(stated(*one) for one in reversed(said))), network).causes == expected


def test_the_date_of_the_document_dates_what_it_says() -> None:
    network = one_cause(finding("f", "g", 0.8, 0.2))
    old, new = Document("old.txt", "", date="2019-02-01"), Document("new.txt", "", date="2023-02-01")
    said = (
        observed("f", source=Source("old.txt", 0, 0, "")),
        observed("-f", source=Source("new.txt", 0, 0, "")),
    )
    assert reason(case(*said, documents=(old, new)), network).causes == reason(case("-f"), network).causes


# What a reader sees ---------------------------------------------------------------------------------------------------


@SLOW
@given(records())
def test_the_interval_contains_the_estimate(record: tuple[Knowledge, dict[str, str]]) -> None:
    network, reports = record
    for one in reason(case(*words(reports)), network).causes:
        assert 0.0 <= one.interval[0] <= one.probability <= one.interval[1] <= 1.0


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_the_interval_contains_the_estimate_though_all_draws_fall_on_one_side(
    side: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_sided(n: int, stream: int) -> Any:
        return np.full((n, 1 + DRAWS), side) * np.r_[0.0, np.ones(DRAWS)] * (stream > 0)

    monkeypatch.setattr("sequela.reasoning.intervals._noise", one_sided)
    network = one_cause(finding("f", "g", 0.8, 0.2))
    for one in reason(case("f"), network).causes:
        assert one.interval[0] <= one.probability <= one.interval[1]
        assert one.interval[0] < one.interval[1]


def test_the_interval_widens_with_weaker_sources() -> None:
    def width(cause_grade: str, finding_grade: str) -> float:
        f = finding("f", "g", 0.8, 0.2)
        f = structs.replace(f, basis=Basis(grade=finding_grade))
        causes = [cause(c, grade=cause_grade) for c in "cde"]
        low, high = reason(case("f"), knowledge(causes, [manifestation("g", 0.1, c=0.9)], [f])).causes[0].interval
        return high - low

    assert width("B", "S") < width("B", "E") < width("D", "E")


def test_the_interval_on_kept_hypotheses_is_the_interval_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    network = compiled(full())
    weight = np.array([one.prior["any"] for one in full().causes])
    evidence = [
        Evidence(f, 0, int(network.shown_by[f]), id_)
        for id_ in ("mri_recurrent_disc", "radicular_leg_pain", "slr_positive")
        for f in [network.findings[id_]]
    ]
    after = posterior(network, over_hypotheses(network, weight, full().priors.sizes), evidence)
    low, high = intervals(full(), weight, after, evidence)
    monkeypatch.setattr("sequela.reasoning.intervals.KEPT", 1.0)
    all_low, all_high = intervals(full(), weight, after, evidence)
    assert np.abs(low - all_low).max() < 0.01
    assert np.abs(high - all_high).max() < 0.01


def test_reasons_are_sorted_and_weak_ones_left_out() -> None:
    signs = [("very_weak", 0.51, 0.5), ("strong", 0.9, 0.05), ("middling", 0.6, 0.3), ("contrary", 0.2, 0.6)]
    network = one_cause(*(finding(id_, "g", a, b) for id_, a, b in signs))
    (c,) = [one for one in reason(case(*(id_ for id_, _, _ in signs)), network).causes if one.id == "c"]
    assert [w.finding for w in c.evidence_for] == ["strong", "middling"]
    assert [w.finding for w in c.evidence_against] == ["contrary"]
    assert c.evidence_against[0].weight < -0.05 < 0.05 < c.evidence_for[1].weight < c.evidence_for[0].weight


def test_causes_come_most_probable_first_and_all_of_them() -> None:
    causes = reason(case("mri_facet_cyst"), full()).causes
    assert [c.probability for c in causes] == sorted((c.probability for c in causes), reverse=True)
    assert {c.id for c in causes} == {c.id for c in full().causes}


def test_tests_that_would_settle_it_in_step_order_until_they_are_done() -> None:
    def test(id_: str, step: int, *reads: str, settles: str = "c") -> DiagnosticTest:
        return DiagnosticTest(id_, id_, "", step, (settles,), reads, "none", (0, 0), "no", 0, (), Basis())

    signs = [finding(id_, "g", 0.8, 0.2) for id_ in ("on_mri", "on_ct", "on_xray", "on_emg")]
    other = finding("other_on_mri", "h", 0.8, 0.2)
    tests = [
        test("emg", 8, "on_emg"),
        test("ct", 7, "on_ct"),
        test("mri", 6, "on_mri", "other_on_mri"),
        test("xray", 5, "on_xray"),
        test("hip", 1, "on_xray", settles="d"),
    ]
    network = knowledge(
        [cause("c"), cause("d")],
        [manifestation("g", 0.1, c=0.9), manifestation("h", 0.1, d=0.5)],
        [*signs, other],
        tests=tests,
    )

    def settling(*said: str) -> tuple[str, ...]:
        return next(one.would_settle for one in reason(case(*said), network).causes if one.id == "c")

    assert settling() == ("xray", "mri", "ct")
    assert settling("-on_xray") == ("mri", "ct", "emg")
    assert settling("other_on_mri") == ("xray", "mri", "ct")  # says nothing about this cause


def test_one_assessment_is_quick_enough_to_be_asked_for_while_typing() -> None:
    """Not a benchmark: a guard against importing the compiled kernel on the way to one patient."""
    import subprocess
    import sys

    code = "import sequela.reasoning, sys; sys.exit(any(m in sys.modules for m in ('numba', 'numpy.random', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@SLOW
@given(records())
def test_any_from_is_the_chance_that_one_of_the_lower_ranks_acts(record: tuple[Knowledge, dict[str, str]]) -> None:
    network, reports = record
    found = reason(case(*words(reports)), network)
    expected = brute.posterior(network, reports)
    order = [one.id for one in found.causes]
    for rank, shown in enumerate(found.any_from):
        below = set(order[rank:])
        assert shown == pytest.approx(sum(p for h, p in expected.items() if h & below), abs=1e-6)
