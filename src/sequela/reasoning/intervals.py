"""How far the numbers can be trusted: the interval of each cause when the sourced numbers are varied within their spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sequela.knowledge.model import Knowledge
from sequela.reasoning.evidence import Evidence, log_odds, marginals
from sequela.reasoning.network import MOST, Floats, Indexes, Network, compiled

Floats32 = NDArray[np.float32]

DRAWS = 64
KEPT = 0.999
"""Share of the posterior that the hypotheses kept for the interval hold."""

SPREAD_PRIOR = {"B": 0.3, "C": 0.5, "D": 0.8}
SPREAD_FINDING = {"S": 0.2, "P": 0.4, "E": 0.5}
SPREAD_LINK = 0.4
"""Standard deviations on the log-odds by evidence grade; a number without a grade is as loose as the loosest."""


def intervals(
    knowledge: Knowledge, weight: Floats, after: Floats, evidence: Sequence[Evidence]
) -> tuple[Floats, Floats]:
    """90 % interval of each cause, low [C] and high [C], from the spread of the sourced numbers.

    All numbers are drawn anew DRAWS times and the posterior worked out on the hypotheses that matter; the spread of the
    log-odds found there is laid around the exact estimate, which the interval always contains.
    """
    network = compiled(knowledge)
    kept = matter(network, after)
    contains = network.contains[kept]
    joint = _drawn_prior(knowledge, weight, network.members[kept], network.size[kept])
    best = int(np.argmax(after[kept]))
    for g in sorted({one.g for one in evidence}):
        mine = [one for one in evidence if one.g == g]
        joint *= _drawn_term(network, network.members[kept], g, _drawn_ratio(knowledge, network, mine), best)
    odds = log_odds(joint.T.astype(np.float64), contains)
    low, high = np.quantile(odds[1:] - odds[0], (0.05, 0.95), axis=0)
    exact = log_odds(after[None, :], network.contains)[0]
    p = marginals(network, after)
    sure = (p <= 0.0) | (p >= 1.0)
    spread = [np.where(sure, p, 1.0 / (1.0 + np.exp(-(exact + shift)))) for shift in (low, high)]
    return np.minimum(spread[0], p), np.maximum(spread[1], p)


def matter(network: Network, after: Floats) -> Indexes:
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
    size, angle = (uniform(x + np.uint64(side)) for side in (0, 1))
    normal = (np.sqrt(-2.0 * np.log(size)) * np.cos(2.0 * np.pi * angle)).reshape(n, half)
    return np.concatenate([np.zeros((n, 1)), normal, -normal], axis=1)


def uniform(counter: NDArray[np.uint64]) -> Floats:
    """Uniform numbers in (0, 1] from counters: the splitmix64 generator (Steele, Lea, Flood 2014)."""
    x = (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return np.asarray(((x >> np.uint64(11)) + np.uint64(1)) * 2.0**-53, dtype=np.float64)
