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
from numpy.typing import NDArray

from sequela.case import Case
from sequela.knowledge.model import Finding, Knowledge
from sequela.reasoning.assessment import RankedCause, Weight
from sequela.reasoning.facts import Settled
from sequela.reasoning.network import MOST, STATUSES, Floats, Indexes, Network, compiled, sums
from sequela.reasoning.prior import course_by_findings, is_course, over_hypotheses, weights

Floats32 = NDArray[np.float32]

SMALLEST_WEIGHT = 0.05
MOST_TESTS = 3

DRAWS = 64
KEPT = 0.999
"""Share of the posterior that the hypotheses kept for the interval hold."""

SPREAD_PRIOR = {"B": 0.3, "C": 0.5, "D": 0.8}
SPREAD_FINDING = {"S": 0.2, "P": 0.4, "E": 0.5}
SPREAD_LINK = 0.4
"""Standard deviations on the log-odds by evidence grade; a number without a grade is as loose as the loosest."""


class Evidence(msgspec.Struct, frozen=True):
    """One finding that counts. f, status, g: indexes of the finding, its report (STATUSES) and its manifestation."""

    f: int
    status: int
    g: int
    finding: str


class Differential(msgspec.Struct, frozen=True, eq=False):
    """evidence: what counted. posterior [H] and marginals [C], both in the order of the network. causes: ranked."""

    evidence: tuple[Evidence, ...]
    posterior: Floats
    marginals: Floats
    causes: tuple[RankedCause, ...]
    none_of_these: float


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
    return Differential(evidence, after, marginal, tuple(ranked), float(after[0]))


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


def marginals(network: Network, after: Floats) -> Floats:
    """[C] probability that the cause is among those that act."""
    return np.minimum(sums(after, network.contains), 1.0)


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
    last = _log_odds(after[None, :], network.contains) - _log_odds(without, network.contains)
    first = _log_odds(alone, network.contains) - _log_odds(prior[None, :], network.contains)
    return np.asarray((first + last) / 2.0, dtype=np.float64)


def _log_odds(joint: Floats, contains: Floats) -> Floats:
    """[N, C] natural-log odds of each cause from joints [N, H] of any scale; 0.0 where a cause is impossible or certain."""
    inside, outside = sums(joint, contains), sums(joint, 1.0 - contains)
    sure = (inside <= 0.0) | (outside <= 0.0)
    return np.log(np.where(sure, 1.0, inside)) - np.log(np.where(sure, 1.0, outside))


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


def intervals(
    knowledge: Knowledge, weight: Floats, after: Floats, evidence: Sequence[Evidence]
) -> tuple[Floats, Floats]:
    """90 % interval of each cause, low [C] and high [C], from the spread of the sourced numbers.

    All numbers are drawn anew DRAWS times and the posterior worked out on the hypotheses that matter; the spread of the
    log-odds found there is laid around the exact estimate, which the interval always contains.
    """
    network = compiled(knowledge)
    kept = _matter(network, after)
    contains = network.contains[kept]
    joint = _drawn_prior(knowledge, weight, network.members[kept], network.size[kept])
    best = int(np.argmax(after[kept]))
    for g in sorted({one.g for one in evidence}):
        mine = [one for one in evidence if one.g == g]
        joint *= _drawn_term(network, network.members[kept], g, _drawn_ratio(knowledge, network, mine), best)
    odds = _log_odds(joint.T.astype(np.float64), contains)
    low, high = np.quantile(odds[1:] - odds[0], (0.05, 0.95), axis=0)
    exact = _log_odds(after[None, :], network.contains)[0]
    p = marginals(network, after)
    sure = (p <= 0.0) | (p >= 1.0)
    spread = [np.where(sure, p, 1.0 / (1.0 + np.exp(-(exact + shift)))) for shift in (low, high)]
    return np.minimum(spread[0], p), np.maximum(spread[1], p)


def _matter(network: Network, after: Floats) -> Indexes:
    """Fewest hypotheses that hold KEPT of the posterior, and every single cause, so that rare ones have a spread too."""
    order = np.argsort(-after, kind="stable")
    needed = int(np.searchsorted(np.cumsum(after[order]), KEPT)) + 1
    singles = np.flatnonzero(network.size <= 1)
    return np.union1d(order[:needed], singles)


def _drawn_prior(knowledge: Knowledge, weight: Floats, members: Indexes, size: Indexes) -> Floats32:
    """[K, 1 + DRAWS] prior of the kept hypotheses with drawn cause weights; column 0 undrawn."""
    spread = np.array([SPREAD_PRIOR.get(cause.basis.grade or "D", SPREAD_PRIOR["D"]) for cause in knowledge.causes])
    drawn = weight[:, None] * np.exp(spread[:, None] * _noise(len(weight), stream=0))
    drawn /= drawn.sum(axis=0)
    sums = _symmetric(drawn)
    sizes = knowledge.priors.sizes
    share = np.array([[sizes.none], [sizes.one], [sizes.two], [sizes.three]])
    scale = np.divide(share, sums, out=np.zeros_like(sums), where=sums > 0.0).astype(np.float32)
    padded = np.concatenate([drawn, np.ones((1, drawn.shape[1]))]).astype(np.float32)
    return np.asarray(scale[size] * _product(padded, members), dtype=np.float32)


def _symmetric(weight: Floats) -> Floats:
    """[4, D] elementary symmetric sums of weights [C, D]: total product over all sets of 0, 1, 2 and 3 causes."""
    sums = np.zeros((MOST + 1, weight.shape[1]))
    sums[0] = 1.0
    for row in weight:
        sums[1:] += row * sums[:-1]
    return sums


def _drawn_term(network: Network, members: Indexes, g: int, ratio: Floats, best: int) -> Floats32:
    """[K, 1 + DRAWS] P(reports of manifestation g | hypothesis), relative to the best hypothesis.

    ratio [1 + DRAWS]: P(reports | g absent) / P(reports | g present). Link and leak are drawn on the logit.
    """
    drawn = _shifted(np.append(network.link[:, g], network.leak[g]), _noise(len(network.link) + 1, stream=1 + g))
    silent = (1.0 - drawn).astype(np.float32)
    absent = silent[-1] * _product(silent[:-1], members)
    at_best = 1.0 + (ratio - 1.0) * absent[best]
    base, slope = (1.0 / at_best).astype(np.float32), ((ratio - 1.0) / at_best).astype(np.float32)
    return np.asarray(base + slope * absent, dtype=np.float32)


def _drawn_ratio(knowledge: Knowledge, network: Network, evidence: Sequence[Evidence]) -> Floats:
    """[1 + DRAWS] b/a of one manifestation with the log-likelihood ratio of each of its findings drawn."""
    log_ratio = np.zeros(1 + DRAWS)
    for one in evidence:
        grade = knowledge.findings[one.f].basis.grade or "E"
        a, b = np.log(network.likelihood[one.f, one.status])
        noise = _noise(1, stream=len(network.leak) + 1 + one.f)[0]
        log_ratio += (b - a) + SPREAD_FINDING.get(grade, SPREAD_FINDING["E"]) * noise
    return np.asarray(np.exp(log_ratio), dtype=np.float64)


def _product(rows: Floats32, members: Indexes) -> Floats32:
    """[K, D] product of the rows [C + 1, D] of each hypothesis's members."""
    return np.asarray(rows[members[:, 0]] * rows[members[:, 1]] * rows[members[:, 2]])


def _shifted(probability: Floats, noise: Floats) -> Floats:
    """[N, D] probabilities [N] moved on the logit by SPREAD_LINK x noise [N, D]; zero and one stay."""
    odds = np.exp(SPREAD_LINK * noise) * probability[:, None]
    return np.asarray(odds / (odds + 1.0 - probability[:, None]), dtype=np.float64)


def _noise(n: int, stream: int) -> Floats:
    """[n, 1 + DRAWS] standard normals, column 0 zero, second half of the draws the mirror of the first.

    Counted, not drawn from a generator's state (splitmix64, then Box-Muller): each number of the knowledge base (stream, row)
    meets the same noise in every record, on every machine and numpy release, and numpy.random need not be imported.
    """
    half = DRAWS // 2
    x = (np.arange(n * half, dtype=np.uint64) + np.uint64(stream << 20)) * np.uint64(2)
    size, angle = (_uniform(x + np.uint64(side)) for side in (0, 1))
    normal = (np.sqrt(-2.0 * np.log(size)) * np.cos(2.0 * np.pi * angle)).reshape(n, half)
    return np.concatenate([np.zeros((n, 1)), normal, -normal], axis=1)


def _uniform(counter: NDArray[np.uint64]) -> Floats:
    """Uniform numbers in (0, 1] from counters: the splitmix64 generator (Steele, Lea, Flood 2014)."""
    x = (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return np.asarray(((x >> np.uint64(11)) + np.uint64(1)) * 2.0**-53, dtype=np.float64)
