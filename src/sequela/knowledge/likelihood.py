"""From published numbers to the two the kernel needs: P(report | manifestation present) and P(report | absent).

A study gives P(finding | cause) and P(finding | the other causes), but findings hang on manifestations. With
P(manifestation | cause) known from the leaky noisy-OR, two published numbers give two equations for
a = P(finding | present) and b = P(finding | absent). Where their solution is no probability, the pair is taken whose
published numbers come out nearest in log-odds, the scale on which evidence adds up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sequela.knowledge.model import Cap, Cause, Finding, Likelihood, Manifestation

LOWEST, HIGHEST = 0.002, 0.985
"""No single finding is certain, either way."""

MOST = 20.0
"""Largest a/b: higher ratios are near-definitional imaging findings, not measured (evidence review, diagnostics, 1)."""

_STEPS = 400


def _logit(p: float) -> float:
    return math.log(p / (1.0 - p))


def _range() -> list[float]:
    """LOWEST to HIGHEST, evenly in log-odds."""
    low, high = _logit(LOWEST), _logit(HIGHEST)
    return [1.0 / (1.0 + math.exp(-(low + (high - low) * i / _STEPS))) for i in range(_STEPS + 1)]


_RANGE = _range()


class Equation(NamedTuple):
    """weight * a + (1 - weight) * b should be target. weight: P(manifestation) in the people it was measured in."""

    weight: float
    target: float

    def value(self, a: float, b: float) -> float:
        return self.weight * a + (1.0 - self.weight) * b

    def error(self, a: float, b: float) -> float:
        """Squared distance in log-odds."""
        wanted = min(max(self.target, LOWEST), HIGHEST)
        return (_logit(self.value(a, b)) - _logit(wanted)) ** 2


def presence(manifestation: Manifestation, causes: Iterable[str]) -> float:
    """P(manifestation | these causes): leaky noisy-OR, net form (a link is what the cause adds, without the leak)."""
    absent = 1.0 - manifestation.leak
    for cause in causes:
        absent *= 1.0 - manifestation.caused_by.get(cause, 0.0)
    return 1.0 - absent


def presence_in_others(manifestation: Manifestation, cause: str, causes: Sequence[Cause]) -> float:
    """P(manifestation) averaged over the other causes, each alone, weighted by their prior for any operation."""
    others = [(c.prior["any"], presence(manifestation, (c.id,))) for c in causes if c.id != cause]
    return math.fsum(weight * p for weight, p in others) / math.fsum(weight for weight, _ in others)


def equations(finding: Finding, manifestation: Manifestation, causes: Sequence[Cause]) -> tuple[Equation, Equation]:
    """What the knowledge base says of the finding, as two equations for a and b."""
    if finding.given is not None:
        return Equation(1.0, finding.given.present), Equation(0.0, finding.given.absent)
    measured = finding.measured
    if measured is None:
        raise ValueError(f"{finding.id} has neither given nor measured")
    return (
        Equation(presence(manifestation, (measured.cause,)), measured.in_cause),
        Equation(presence_in_others(manifestation, measured.cause, causes), measured.in_others),
    )


def likelihood(finding: Finding, manifestation: Manifestation, causes: Sequence[Cause]) -> Likelihood:
    """The three reports. An absent report may be a miss; an uncertain one carries half the log-likelihood ratio."""
    if finding.missed is None:
        raise ValueError(f"{finding.id} does not say how often it is missed")
    a, b = capped(*solve(equations(finding, manifestation, causes)), finding.cap)
    missed = finding.missed.rate
    return Likelihood(
        present=(a, b),
        absent=((1 - a) + a * missed, (1 - b) + b * missed),
        uncertain=(math.sqrt(a), math.sqrt(b)),
    )


def solve(wanted: tuple[Equation, Equation]) -> tuple[float, float]:
    """(a, b) that meets both equations; outside the range, the nearest pair within it."""
    one, two = wanted
    difference = (one.target - two.target) / (one.weight - two.weight)
    b = one.target - one.weight * difference
    a = b + difference
    if LOWEST <= a <= HIGHEST and LOWEST <= b <= HIGHEST:
        return a, b
    # Inside the range no pair is nearest: the best one lies on its border.
    border = [(x, edge) for x in _RANGE for edge in (LOWEST, HIGHEST)]
    pairs = border + [(edge, x) for x, edge in border]
    return min(pairs, key=lambda pair: one.error(*pair) + two.error(*pair))


def capped(a: float, b: float, cap: Cap | None) -> tuple[float, float]:
    """Limits on what one finding may say: of its presence first, by raising b; then of its absence, by lowering a."""
    b = max(b, a / MOST)
    if cap is not None:
        b = max(b, a / cap.positive)
        a = min(a, 1.0 - cap.negative * (1.0 - b))
    return a, b
