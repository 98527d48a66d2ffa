"""The ranked causes of one record: exact posterior over all hypotheses, the reasons, and how far the numbers can be trusted.

Findings are independent given their manifestation, so the record contributes two numbers per manifestation g:
a_g = product of P(report | g present), b_g = product of P(report | g absent), and
P(record | hypothesis) = product over g of [P(g|h) a_g + (1 - P(g|h)) b_g]. All terms are positive and are summed directly, no
sampling, no differences.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np

from sequela.case import Case
from sequela.knowledge.model import Finding, Knowledge
from sequela.reasoning.assessment import RankedCause, Weight
from sequela.reasoning.evidence import Evidence, log_odds, marginals
from sequela.reasoning.facts import Settled
from sequela.reasoning.intervals import intervals
from sequela.reasoning.network import STATUSES, Floats, Network, compiled
from sequela.reasoning.prior import course_by_findings, is_course, over_hypotheses, weights

SMALLEST_WEIGHT = 0.05
MOST_TESTS = 3


class Differential(msgspec.Struct, frozen=True, eq=False):
    """evidence: what counted. posterior [H] and marginals [C], both in the order of the network. causes: ranked.

    any_from [C]: probability that the cause of this rank or any below it is among those that act.
    """

    evidence: tuple[Evidence, ...]
    posterior: Floats
    marginals: Floats
    causes: tuple[RankedCause, ...]
    none_of_these: float
    any_from: tuple[float, ...]


def rank(case: Case, knowledge: Knowledge, known: Mapping[str, Settled]) -> Differential:
    """All causes of the knowledge base, most probable first (ties by identifier)."""
    network = compiled(knowledge)
    evidence = counted(case, knowledge, known)
    weight = weights(case, knowledge, known)
    prior = over_hypotheses(network, weight, knowledge.priors.sizes)
    after = posterior(network, prior, evidence)
    marginal = marginals(network, after)
    low, high = intervals(knowledge, weight, after, evidence)
    reasons = ratios(network, prior, after, evidence)
    stated = [finding for finding in knowledge.findings if finding.id in known and not known[finding.id].implied]
    ranked = [
        RankedCause(
            id=cause.id,
            name=cause.name,
            probability=float(marginal[c]),
            interval=(float(low[c]), float(high[c])),
            evidence_for=_strongest(evidence, reasons[:, c]),
            evidence_against=_strongest(evidence, -reasons[:, c], sign=-1.0),
            would_settle=would_settle(cause.id, knowledge, stated),
        )
        for c, cause in enumerate(knowledge.causes)
    ]
    ranked.sort(key=lambda one: (-one.probability, one.id))
    return Differential(
        evidence, after, marginal, tuple(ranked), float(after[0]), any_from(network, after, [one.id for one in ranked])
    )


def any_from(network: Network, after: Floats, order: Sequence[str]) -> tuple[float, ...]:
    """[C] probability that at least one cause from each rank downwards acts. order: cause identifiers by rank."""
    rank_of = np.array([order.index(cause) for cause in network.causes])
    lowest = np.where(network.contains > 0.0, rank_of, -1).max(
        axis=1
    )  # rank of the least probable member; -1 for the empty set
    share = np.bincount(lowest + 1, weights=after, minlength=len(order) + 1)[1:]
    return tuple(np.minimum(np.cumsum(share[::-1])[::-1], 1.0).tolist())


def counted(case: Case, knowledge: Knowledge, known: Mapping[str, Settled]) -> tuple[Evidence, ...]:
    """The findings that count, each once, in the order of the knowledge base.

    Left out: identifiers the knowledge base does not hold; what follows from another finding of the same manifestation; and
    course findings when `Course.pattern` tells the course already (see `reasoning.prior`).
    """
    network = compiled(knowledge)
    pattern_counts = case.course.pattern in knowledge.priors.course and not course_by_findings(network, known)
    chosen = []
    for id_, settled in known.items():
        f = network.findings.get(id_)
        if f is None or (pattern_counts and is_course(network, id_)) or _follows(id_, known, network):
            continue
        chosen.append(Evidence(f, STATUSES.index(settled.status), int(network.shown_by[f]), id_))
    return tuple(sorted(chosen, key=lambda one: one.f))


def _follows(id_: str, known: Mapping[str, Settled], network: Network) -> bool:
    """Whether another known finding of the same manifestation leaves this one nothing to add.

    A present finding says all about what it implies, whatever else is said of that; and if a finding is absent, so is every
    finding that would imply it.
    """
    g = network.shown_by[network.findings[id_]]
    for x, above in network.implied.items():
        if id_ in above and known.get(x, _UNKNOWN).status == "present" and network.shown_by[network.findings[x]] == g:
            return True
    if known[id_].status != "absent":
        return False
    return any(
        known.get(y, _UNKNOWN).status == "absent" and network.shown_by[network.findings[y]] == g
        for y in network.implied.get(id_, ())
    )


_UNKNOWN = Settled("uncertain")


def parts(network: Network, evidence: Sequence[Evidence]) -> tuple[Floats, Floats]:
    """a [G] and b [G]: natural logs of P(reports | manifestation present) and P(reports | absent); 0.0 where none is known."""
    a, b = np.zeros(len(network.leak)), np.zeros(len(network.leak))
    for one in evidence:
        present, absent = np.log(network.likelihood[one.f, one.status])
        a[one.g] += present
        b[one.g] += absent
    return a, b


def _term(present: Floats, a: float, b: float) -> Floats:
    """[H] P(reports of one manifestation | hypothesis), relative to the larger of a and b (logs), so it cannot underflow."""
    top = max(a, b)
    return np.asarray(present * np.exp(a - top) + (1.0 - present) * np.exp(b - top), dtype=np.float64)


def posterior(network: Network, prior: Floats, evidence: Sequence[Evidence]) -> Floats:
    """[H] probability of each hypothesis given the record, summing to one."""
    a, b = parts(network, evidence)
    fit = np.zeros(len(prior))
    for g in sorted({one.g for one in evidence}):
        fit += np.log(_term(network.present[:, g], a[g], b[g]))
    joint = prior * np.exp(fit - fit[prior > 0.0].max())
    return np.asarray(joint / joint.sum(), dtype=np.float64)


def ratios(network: Network, prior: Floats, after: Floats, evidence: Sequence[Evidence]) -> Floats:
    """[len(evidence), C] natural-log likelihood ratio that each finding contributes: the mean of its weight alone and given all others.

    Given all others (leave one out) two findings that say the same would both weigh nothing; alone each would weigh as much as both.
    log[P(E|c) / P(E|not c)] - log[P(E without f|c) / P(E without f|not c)]: the prior odds cancel. Causes that the
    operations exclude get zero.
    """
    if not evidence:
        return np.zeros((0, len(network.causes)))
    a, b = parts(network, evidence)
    without, alone = np.empty((len(evidence), len(after))), np.empty((len(evidence), len(after)))
    for row, one in enumerate(evidence):
        less_a, less_b = np.log(network.likelihood[one.f, one.status])
        present = network.present[:, one.g]
        without[row] = after * _term(present, a[one.g] - less_a, b[one.g] - less_b) / _term(present, a[one.g], b[one.g])
        alone[row] = prior * _term(present, less_a, less_b)
    last = log_odds(after[None, :], network.contains) - log_odds(without, network.contains)
    first = log_odds(alone, network.contains) - log_odds(prior[None, :], network.contains)
    return np.asarray((first + last) / 2.0, dtype=np.float64)


def _strongest(evidence: Sequence[Evidence], size: Floats, sign: float = 1.0) -> tuple[Weight, ...]:
    """Findings whose weight (size x sign) is worth showing, strongest first."""
    shown = [row for row in np.argsort(-size, kind="stable") if size[row] >= SMALLEST_WEIGHT]
    return tuple(
        Weight(evidence[row].finding, sign * float(size[row]), STATUSES[evidence[row].status]) for row in shown
    )


def would_settle(cause: str, knowledge: Knowledge, stated: Collection[Finding]) -> tuple[str, ...]:
    """At most three tests, in step order, that settle the cause and of which no result that bears on it is stated yet."""
    bearing = {m.id for m in knowledge.manifestations if cause in m.caused_by}
    results = {finding.id for finding in stated if finding.manifestation in bearing}
    tests = sorted((test for test in knowledge.tests if cause in test.settles), key=lambda test: test.step)
    return tuple(test.id for test in tests if results.isdisjoint(test.reads))[:MOST_TESTS]
