"""The prior: what the operations, the course, the time of onset and the risks do to it, each once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sequela.case import Case, Course, Operation
from sequela.knowledge.model import Knowledge, Risk, Timing
from sequela.reasoning import reason
from sequela.reasoning.facts import known
from sequela.reasoning.network import compiled
from sequela.reasoning.prior import over_hypotheses, weights

from . import brute
from .builders import SIZES, case, cause, finding, full, knowledge, manifestation
from .strategies import networks

BY_OPERATION = {"any": 0.3, "discectomy": 0.4, "decompression": 0.2, "fusion": 0.1}
REST = {column: 1.0 - share for column, share in BY_OPERATION.items()}


def weight_of(one: Case, base: Knowledge, cause_: str = "c") -> float:
    found = weights(one, base, known(one, compiled(base)))
    return float(found[compiled(base).causes.index(cause_)])


def odds_ratio(one: Case, base: Knowledge, cause_: str = "c", plain: Case | None = None) -> float:
    """By how much the case multiplies the odds of the cause."""
    p, q = weight_of(one, base, cause_), weight_of(plain or Case(), base, cause_)
    return (p / (1.0 - p)) / (q / (1.0 - q))


def base(**more: Any) -> Knowledge:
    """Cause c against the rest; `sign` shows what c brings about, `loose` what only c does, the others tell the course."""
    shown = [
        manifestation("g", 0.1, c=0.9),
        manifestation("course_never_relieved", 0.2, c=0.8),
        manifestation("course_relapse", 0.2, d=0.8),
    ]
    findings = [
        finding("sign", "g", 0.8, 0.2),
        finding("never", "course_never_relieved", 0.8, 0.2),
        finding("returned", "course_relapse", 0.8, 0.2),
    ]
    causes = [cause("c", BY_OPERATION), cause("d", REST)]
    return knowledge(causes, shown, more.pop("findings", findings), **more)


# Sets -----------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(networks())
def test_the_prior_sums_to_one_and_is_the_stated_one(network: Knowledge) -> None:
    weight = {one.id: one.prior["any"] for one in network.causes}
    on = compiled(network)
    found = over_hypotheses(on, np.array(list(weight.values())), SIZES)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    expected = brute.prior(network, weight)
    for h, p in enumerate(found):
        members = frozenset(on.causes[c] for c in on.members[h] if c < len(on.causes))
        assert p == pytest.approx(expected[members], abs=1e-12)


def test_the_full_knowledge_base_has_all_sets_of_at_most_three_once() -> None:
    on = compiled(full())
    n = len(on.causes)
    sets = {frozenset(row[row < n].tolist()) for row in on.members}
    assert len(on.members) == len(sets) == 1 + n + n * (n - 1) // 2 + n * (n - 1) * (n - 2) // 6
    assert n != 31 or len(sets) == 4992


def test_how_many_causes_act_is_what_the_knowledge_base_says() -> None:
    on = compiled(full())
    sizes = full().priors.sizes
    prior = over_hypotheses(on, weights(Case(), full(), {}), sizes)
    shares = np.bincount(on.size, weights=prior)
    assert shares == pytest.approx([sizes.none, sizes.one, sizes.two, sizes.three], abs=1e-9)


# Operations -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operations", "share"),
    [
        ([], 0.3),
        (["surgery"], 0.3),
        (["not_in_the_knowledge_base"], 0.3),
        (["disc"], 0.4),
        (["screws"], 0.1),
        (["disc", "disc"], 0.4),
        (["disc", "surgery"], 0.4),
        (["disc", "screws"], 0.25),
        (["disc", "lami", "screws"], 0.7 / 3),
    ],
)
def test_the_kinds_of_operation_choose_the_column(operations: list[str], share: float) -> None:
    assert weight_of(case(operations=operations), base()) == pytest.approx(share)


def needing() -> Knowledge:
    causes = [cause("loosening", 0.2), cause("nonunion", 0.2), cause("next", 0.2), cause("other", 0.4)]
    needs = {"loosening": "instrumented", "nonunion": "fusion", "next": "fusion_or_decompression"}
    shown = [manifestation("halo", 0.02, loosening=0.8), manifestation("ache", 0.3, loosening=0.5, other=0.9)]
    signs = [
        finding("screw_halo", "halo", 0.6, 0.02, presupposes=("instrumented",)),
        finding("smoking", "halo", 0.4, 0.2),
        finding("pain", "ache", 0.9, 0.5),
    ]
    return knowledge(causes, shown, signs, needs=needs)


@pytest.mark.parametrize(
    ("operations", "impossible"),
    [
        ([], set()),
        (["surgery"], set()),
        (["disc"], {"loosening", "nonunion"}),
        (["disc", "surgery"], set()),
        (["fuse"], set()),
        (["screws"], set()),
        ([Operation("disc", implants=("spacer",))], {"nonunion"}),
    ],
)
def test_causes_that_the_operations_leave_no_room_for_are_impossible(
    operations: list[str | Operation], impossible: set[str]
) -> None:
    one = case("pain", operations=operations)
    found = reason(one, needing()).causes
    assert {c.id for c in found if c.probability == 0.0} == impossible
    assert all(c.interval == (0.0, 0.0) and not c.evidence_for for c in found if c.id in impossible)


def test_a_cause_the_operation_allows_keeps_a_floor_where_its_share_rounds_to_zero() -> None:
    shares = {"any": 0.1, "discectomy": 0.0, "decompression": 0.0, "fusion": 0.2}
    on = knowledge([cause("c", shares), cause("d", REST)], [], [], needs={"c": "instrumented"})
    assert 0.0 < weight_of(case(operations=[Operation("disc", implants=("spacer",))]), on) < 0.002
    assert weight_of(case(operations=["disc"]), on) == 0.0


def test_a_finding_that_cannot_be_without_the_operation_reopens_it_at_the_floor() -> None:
    found = weight_of(case("screw_halo", operations=["disc"]), needing(), "loosening")
    assert 0.0005 < found < 0.002
    assert weight_of(case("-screw_halo", "pain", operations=["disc"]), needing(), "loosening") == 0.0


def test_a_finding_that_only_argues_for_a_cause_does_not_reopen_it() -> None:
    assert weight_of(case("smoking", operations=["disc"]), needing(), "loosening") == 0.0


def test_what_is_presupposed_reopens_only_the_causes_that_need_it() -> None:
    assert weight_of(case("screw_halo", operations=["disc"]), needing(), "nonunion") == 0.0


@pytest.mark.parametrize(
    ("said", "possible"),
    [
        ("smoking_current", set()),
        ("diabetes", set()),
        ("clunk_or_crepitus", set()),
        ("axial_back_pain", set()),
        ("xray_spondylolisthesis", set()),
        ("ct_haloing_screw", {"hardware_failure"}),
        ("implant_prominence_tenderness", {"hardware_failure"}),
        ("nonunion_stated_at_revision", {"pseudarthrosis", "heterotopic_ossification"}),
        ("solid_fusion_on_imaging", {"pseudarthrosis", "heterotopic_ossification"}),
    ],
)
def test_after_a_discectomy_alone_only_signs_of_an_implant_or_a_fusion_make_their_trouble_possible(
    said: str, possible: set[str]
) -> None:
    one = case(said, operations=["microdiscectomy"])
    needed = {cause for cause, need in full().priors.needs.facts.items() if need in ("instrumented", "fusion")}
    assert {cause for cause in needed if weight_of(one, full(), cause) > 0.0} == possible


def test_whatever_shows_only_what_implants_and_fusions_do_presupposes_them() -> None:
    """A new imaging finding of an implant must say so, or it could not correct a record that lacks the operation."""
    base = full()
    needs = base.priors.needs.facts
    only = {m.id: {needs.get(cause) for cause in m.caused_by} for m in base.manifestations}
    silent = [
        f.id
        for f in base.findings
        if f.kind in ("xray", "mri", "ct", "nuclear") and None not in only[f.manifestation] and not f.presupposes
    ]
    assert silent == []


def test_the_real_knowledge_base_has_no_pseudarthrosis_after_a_discectomy() -> None:
    found = {
        c.id: c.probability for c in reason(case("axial_back_pain", operations=["microdiscectomy"]), full()).causes
    }
    assert found["pseudarthrosis"] == found["hardware_failure"] == found["heterotopic_ossification"] == 0.0
    assert found["adjacent_segment_degeneration"] > 0.0
    found = {c.id: c.probability for c in reason(case("axial_back_pain", operations=["tlif"]), full()).causes}
    assert found["pseudarthrosis"] > 0.05


def test_a_part_of_the_shares_is_spread_evenly_over_the_causes_that_can_be() -> None:
    causes = [cause("common", 0.7), cause("rare", 0.1), cause("loosening", 0.2)]
    on = knowledge(causes, [], [], needs={"loosening": "instrumented"}, referral=0.25)
    one = case(operations=["disc"])
    assert weight_of(one, on, "loosening") == 0.0
    assert weight_of(one, on, "rare") == pytest.approx(0.75 * 0.1 / 0.8 + 0.25 / 2)
    assert weight_of(one, on, "common") == pytest.approx(0.75 * 0.7 / 0.8 + 0.25 / 2)


# Course ---------------------------------------------------------------------------------------------------------------

COURSES = {"never_relieved": {"c": 3.0}, "returned": {"c": 0.5, "d": 2.0}}


def probability(one: Case, on: Knowledge) -> float:
    return next(c.probability for c in reason(one, on).causes if c.id == "c")


def test_the_pattern_multiplies_the_odds() -> None:
    assert odds_ratio(case(course="never_relieved"), base(course=COURSES)) == pytest.approx(3.0)
    assert odds_ratio(case(course="returned"), base(course=COURSES)) == pytest.approx(0.25)
    assert odds_ratio(case(course="new"), base(course=COURSES)) == pytest.approx(1.0)


@pytest.mark.parametrize("said", [("never",), ("returned",), ("never", "-returned"), ("sign", "never")])
@pytest.mark.parametrize("pattern", ["never_relieved", "returned"])
def test_the_course_counts_once_by_findings_when_one_is_present(said: tuple[str, ...], pattern: str) -> None:
    on = base(course=COURSES)
    assert probability(case(*said, course=pattern), on) == probability(case(*said), on)


@pytest.mark.parametrize("said", [("-never",), ("?returned",), ("-never", "-returned"), ("sign", "-returned")])
def test_the_course_counts_once_by_pattern_when_no_course_finding_is_present(said: tuple[str, ...]) -> None:
    on = base(course=COURSES)
    others = [word for word in said if word == "sign"]
    assert probability(case(*said, course="returned"), on) == probability(case(*others, course="returned"), on)
    assert probability(case(*said), on) != probability(case(*others), on)


# Time of onset --------------------------------------------------------------------------------------------------------

WINDOW = [Timing(cause="c", from_=0, to=14, inside=40.0, outside=0.02)]
LATE = [Timing(cause="c", from_=180, to=7300, inside=1.3, outside=0.15)]


@pytest.mark.parametrize(
    ("course", "window", "factor"),
    [
        (Course(interval_days=0), WINDOW, 40.0),
        (Course(interval_days=14), WINDOW, 40.0),
        (Course(interval_days=15), WINDOW, 0.02),
        (Course(interval_days=15, elapsed_days=400), WINDOW, 0.02),
        (Course(), WINDOW, 1.0),
        (Course(elapsed_days=10), WINDOW, 40.0),  # it began between the operation and the record
        (Course(elapsed_days=100), WINDOW, 1.0),  # it may have begun inside or outside
        (Course(elapsed_days=100), LATE, 0.15),
        (Course(pattern="never_relieved"), WINDOW, 1.0),
        (Course(pattern="never_relieved", interval_days=0, elapsed_days=3), WINDOW, 1.0),  # began before the operation
        (Course(pattern="never_relieved", interval_days=3), WINDOW, 40.0),
    ],
)
def test_the_window_of_onset_multiplies_the_odds_whole(course: Course, window: list[Timing], factor: float) -> None:
    on = base(timing=window)
    assert odds_ratio(case(course=course), on) == pytest.approx(factor)


def test_a_complaint_that_a_finding_calls_never_relieved_has_no_onset_at_day_zero() -> None:
    on = base(timing=WINDOW)
    assert odds_ratio(case("never", course=Course(interval_days=0)), on) == pytest.approx(1.0)


# Risk -----------------------------------------------------------------------------------------------------------------


def with_risks(*risks: tuple[str, float]) -> Knowledge:
    shown = [manifestation("g", 0.1, c=0.9), manifestation("frail", 0.25, c=0.45), manifestation("away", 0.2, d=0.5)]
    signs = [
        finding("smoking", "frail", 0.45, 0.22),
        finding("strong", "g", 0.9, 0.05),
        finding("elsewhere", "away", 0.5, 0.2),
    ]
    causes = [cause("c", BY_OPERATION), cause("d", REST)]
    return knowledge(causes, shown, signs, risk=[Risk(when=w, cause="c", multiplier=m) for w, m in risks])


def test_a_fact_about_the_operations_multiplies_the_odds() -> None:
    on = with_risks(("several_operations", 2.0), ("three_or_more_operations", 1.5))
    plain = case(operations=["disc"])
    assert odds_ratio(case(operations=["disc"] * 2), on, plain=plain) == pytest.approx(2.0)
    assert odds_ratio(case(operations=["disc"] * 3), on, plain=plain) == pytest.approx(3.0)


def test_a_risk_finding_counts_only_when_present() -> None:
    on = with_risks(("elsewhere", 2.0))
    assert odds_ratio(case("elsewhere"), on) == pytest.approx(2.0)
    assert odds_ratio(case("-elsewhere"), on) == odds_ratio(case("?elsewhere"), on) == pytest.approx(1.0)


def test_a_risk_finding_that_is_also_evidence_for_the_cause_has_its_sourced_effect_in_all() -> None:
    """The multiplier and the path through the manifestation together give the sourced odds ratio, against no cause at all."""
    on = with_risks(("smoking", 2.5))
    shares = {"c": 0.3, "d": 0.7}
    only_evidence = brute.posterior(on, {"smoking": "present"}, shares)
    c, none = frozenset({"c"}), frozenset[str]()
    before = brute.prior(on, shares)
    path = (only_evidence[c] / only_evidence[none]) / (before[c] / before[none])
    assert path * odds_ratio(case("smoking"), on) == pytest.approx(2.5)


def test_the_rest_of_a_risk_never_argues_the_other_way() -> None:
    assert odds_ratio(case("strong"), with_risks(("strong", 2.0))) == pytest.approx(1.0)


def test_only_risks_are_capped_and_either_way() -> None:
    up = with_risks(("several_operations", 5.0), ("three_or_more_operations", 5.0))
    down = with_risks(("several_operations", 0.1), ("three_or_more_operations", 0.1))
    plain, thrice = case(operations=["disc"]), case(operations=["disc"] * 3)
    assert odds_ratio(thrice, up, plain=plain) == pytest.approx(8.0)
    assert odds_ratio(thrice, down, plain=plain) == pytest.approx(1 / 8)


@settings(deadline=None)
@given(st.floats(0, 8000), st.sampled_from([None, "never_relieved", "returned", "new"]), st.integers(0, 4))
def test_whatever_the_case_the_weights_are_shares(days: float, pattern: Any, operations: int) -> None:
    one = case("smoking_current", "osteoporosis", operations=["tlif"] * operations, course=Course(pattern, days))
    found = weights(one, full(), known(one, compiled(full())))
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0.0).all()
