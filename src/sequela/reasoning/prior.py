"""How probable each hypothesis is before the findings are weighed.

Each cause gets a weight: its share after such operations, times what the course, the time of onset and the risk factors do
to its odds (the shares sum to one, so a factor on a share is a factor on its odds against the other causes). How many causes
act together is fixed by `priors.sizes`; among sets of one size, a set is as probable as the product of its weights.

The course counts once. The record can carry it twice, as `Course.pattern` and as findings (of the manifestations whose
identifier starts with COURSE). When a course finding is present the findings count, as reasons a reader can see, and the
pattern does not; otherwise the pattern counts, when there is one, and course findings that are absent or uncertain do not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sequela.case import Case, Course
from sequela.knowledge.model import Knowledge, Risk, Sizes, Timing
from sequela.reasoning.facts import Fact, Settled, facts_of
from sequela.reasoning.network import MOST, Floats, Network, compiled

COURSE = "course_"
NEVER_RELIEVED = "never_relieved"
FAMILIES = ("discectomy", "decompression", "fusion")


def weights(case: Case, knowledge: Knowledge, known: Mapping[str, Settled]) -> Floats:
    """[C] weight of each cause, summing to one; 0.0 where the operations leave no room for it."""
    network = compiled(knowledge)
    given = facts_of(case, knowledge)
    presupposed = _presupposed(knowledge, known)
    base = _base(case, knowledge)
    for c, cause in enumerate(network.causes):
        need = knowledge.priors.needs.facts.get(cause)
        if need is not None:
            base[c] = _possible(base[c], given[need], need in presupposed, knowledge.priors.unknown_operation.value)
    base = _referred(base, knowledge)
    weight = base * _course(case, knowledge, known) * _timing(case, knowledge, known) * _risk(knowledge, known, given)
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _referred(base: Floats, knowledge: Knowledge) -> Floats:
    """[C] the shares with `priors.referral` of them spread evenly over the causes that the operations allow.

    Rare causes are commoner among those whose cause was not evident; the published columns are about everybody.
    """
    shares = base / base.sum()
    allowed = shares > 0.0
    even = allowed / allowed.sum()
    referral = knowledge.priors.referral.value
    return np.asarray((1.0 - referral) * shares + referral * even, dtype=np.float64)


def over_hypotheses(network: Network, weight: Floats, sizes: Sizes) -> Floats:
    """[H] prior of each hypothesis, summing to one. Sizes that no set can fill give their share to the others."""
    padded = np.append(weight, 1.0)
    product = padded[network.members].prod(axis=1)
    share = np.array([sizes.none, sizes.one, sizes.two, sizes.three])
    total = np.bincount(network.size, weights=product, minlength=MOST + 1)
    prior = product * np.divide(share, total, out=np.zeros_like(share), where=total > 0.0)[network.size]
    return np.asarray(prior / prior.sum(), dtype=np.float64)


def course_by_findings(network: Network, known: Mapping[str, Settled]) -> bool:
    """Whether the findings tell the course, so that `Course.pattern` must not be counted as well."""
    return any(one.status == "present" and is_course(network, id_) for id_, one in known.items())


def is_course(network: Network, finding: str) -> bool:
    index = network.findings.get(finding)
    return index is not None and network.manifestations[network.shown_by[index]].startswith(COURSE)


def _base(case: Case, knowledge: Knowledge) -> Floats:
    """[C] share of each cause by kind of operation; the mean of the columns when operations of several kinds were done.

    Operations of no particular kind (a debridement, "lumbar surgery") say nothing beside one that has a column.
    """
    family = {procedure.id: procedure.family for procedure in knowledge.procedures}
    done = {family.get(operation.procedure, "any") for operation in case.operations}
    columns = [name for name in FAMILIES if name in done] or ["any"]
    shares = np.array([[cause.prior[column] for column in columns] for cause in knowledge.causes])
    return np.asarray(shares.mean(axis=1), dtype=np.float64)


def _possible(share: float, met: Fact, presupposed: bool, floor: float) -> float:
    """A cause whose need is unmet is impossible; one whose need is unknown, or met against a zero share, keeps a floor.

    A finding that cannot be without what is needed (a loose screw in a record without a fusion) shows that the operations
    are not fully documented: unmet then means unknown.
    """
    if met is False:
        return floor if presupposed else 0.0
    return max(share, floor)


def _presupposed(knowledge: Knowledge, known: Mapping[str, Settled]) -> set[str]:
    """The facts about the operations that some present finding cannot be without.

    Not every finding that argues for a cause: a smoker heals badly, but smoking is no sign that anything was fused.
    """
    present = (f for f in knowledge.findings if f.id in known and known[f.id].status == "present")
    return {fact for finding in present for fact in finding.presupposes}


def _course(case: Case, knowledge: Knowledge, known: Mapping[str, Settled]) -> Floats:
    """[C] factor from the pattern of the complaint; ones when the findings tell it, or nothing does."""
    factor = np.ones(len(knowledge.causes))
    course = knowledge.priors.course.get(case.course.pattern or "")
    if course is not None and not course_by_findings(compiled(knowledge), known):
        for c, cause in enumerate(knowledge.causes):
            factor[c] = course.multipliers.get(cause.id, 1.0)
    return factor


def _timing(case: Case, knowledge: Knowledge, known: Mapping[str, Settled]) -> Floats:
    """[C] factor from the days between the latest operation and the onset."""
    factor = np.ones(len(knowledge.causes))
    onset = _onset(case.course, _never_relieved(case.course, compiled(knowledge), known))
    if onset is not None:
        row = {cause.id: c for c, cause in enumerate(knowledge.causes)}
        for window in knowledge.priors.timing:
            factor[row[window.cause]] *= _window(window, *onset)
    return factor


def _window(window: Timing, earliest: float, latest: float) -> float:
    """Inside or outside of the window, or 1 when the onset may have been either."""
    if window.from_ <= earliest and latest <= window.to:
        return window.inside
    return window.outside if latest < window.from_ or earliest > window.to else 1.0


def _onset(course: Course, never_relieved: bool) -> tuple[float, float] | None:
    """Earliest and latest day of onset. Without a stated interval it lies between the operation and the record.

    A complaint that was never relieved began before the operation: day 0 then tells no more than the course already does,
    and must not look like the sudden onset of a haematoma.
    """
    if never_relieved and not course.interval_days:
        return None
    if course.interval_days is not None:
        return course.interval_days, course.interval_days
    return None if course.elapsed_days is None else (0.0, course.elapsed_days)


def _never_relieved(course: Course, network: Network, known: Mapping[str, Settled]) -> bool:
    stated = any(
        one.status == "present" and _shows(network, id_, COURSE + NEVER_RELIEVED) for id_, one in known.items()
    )
    return stated or course.pattern == NEVER_RELIEVED


def _shows(network: Network, finding: str, manifestation: str) -> bool:
    index = network.findings.get(finding)
    return index is not None and network.manifestations[network.shown_by[index]] == manifestation


def _risk(knowledge: Knowledge, known: Mapping[str, Settled], given: Mapping[str, Fact]) -> Floats:
    """[C] product of the risk factors that hold, capped either way: they come from different models and overlap."""
    network = compiled(knowledge)
    factor = np.ones(len(network.causes))
    for risk in knowledge.priors.risk:
        settled = known.get(risk.when)
        if settled is not None and settled.status == "present":
            factor[network.causes.index(risk.cause)] *= _rest(risk, network)
        elif given.get(risk.when) is True:
            factor[network.causes.index(risk.cause)] *= risk.multiplier
    cap = knowledge.priors.cap.value
    return np.clip(factor, 1.0 / cap, cap)


def _rest(risk: Risk, network: Network) -> float:
    """What is left of a risk multiplier for a finding that also argues for the cause as evidence, so that it counts once.

    The sourced multiplier is the whole effect of the finding on the odds; the part that already reaches the cause through
    the finding's manifestation (its likelihood ratio, this cause alone against none) is taken off, never past 1.
    """
    index = network.findings.get(risk.when)
    if index is None:
        return risk.multiplier
    g = network.shown_by[index]
    a, b = network.likelihood[index, 0]
    leak, link = network.leak[g], network.link[network.causes.index(risk.cause), g]
    with_cause = 1.0 - (1.0 - leak) * (1.0 - link)
    path = (b + (a - b) * with_cause) / (b + (a - b) * leak)
    rest = float(risk.multiplier / path)
    return max(rest, 1.0) if risk.multiplier > 1.0 else min(rest, 1.0)
