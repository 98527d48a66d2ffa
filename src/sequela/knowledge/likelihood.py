"""From published numbers to the two probabilities the kernel needs: P(report | manifestation present) and P(report | absent).

A study gives P(finding | cause) and P(finding | the other causes), but findings hang on manifestations. With P(manifestation | cause) known from the
leaky noisy-OR, two published numbers give two equations for a = P(finding | present) and b = P(finding | absent). Where the solution is not a
probability, or claims more than a single finding may, the nearest allowed pair is taken (least squares in the published numbers).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sequela.knowledge.model import Cause, Finding, Likelihood, Manifestation

LOWEST, HIGHEST = 0.002, 0.985
"""No single finding is certain, either way."""

MOST = 20.0
"""Largest a/b: ratios above it are near-definitional imaging findings, not measured ratios (evidence review, diagnostics, section 1)."""


class Equation(NamedTuple):
    """weight * a + (1 - weight) * b should be target. weight: P(manifestation) in the population the target was measured in."""

    weight: float
    target: float


class HalfPlane(NamedTuple):
    """at * a + bt * b <= bound."""

    at: float
    bt: float
    bound: float

    def holds(self, a: float, b: float) -> bool:
        return self.at * a + self.bt * b <= self.bound + 1e-9


def presence(manifestation: Manifestation, causes: Iterable[str]) -> float:
    """P(manifestation | these causes): leaky noisy-OR, net form (a link is the effect of the cause alone, without the leak)."""
    absent = 1.0 - manifestation.leak
    for cause in causes:
        absent *= 1.0 - manifestation.caused_by.get(cause, 0.0)
    return 1.0 - absent


def presence_in_others(manifestation: Manifestation, cause: str, causes: Sequence[Cause]) -> float:
    """P(manifestation) averaged over the other causes, one at a time, weighted by their prior for an unknown operation."""
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
    a, b = solve(equations(finding, manifestation, causes), limits(finding))
    missed = finding.missed
    return Likelihood(
        present=(a, b),
        absent=((1 - a) + a * missed, (1 - b) + b * missed),
        uncertain=(math.sqrt(a), math.sqrt(b)),
    )


def limits(finding: Finding) -> list[HalfPlane]:
    """What (a, b) must respect: the range, the largest ratio, and the finding's own cap on a/b and (1-a)/(1-b)."""
    found = [
        HalfPlane(-1, 0, -LOWEST),
        HalfPlane(1, 0, HIGHEST),
        HalfPlane(0, -1, -LOWEST),
        HalfPlane(0, 1, HIGHEST),
        HalfPlane(1, -MOST, 0),
    ]
    if finding.cap is not None:
        found.append(HalfPlane(1, -finding.cap.positive, 0))
        found.append(HalfPlane(1, -finding.cap.negative, 1 - finding.cap.negative))
    return found


def solve(wanted: Sequence[Equation], within: Sequence[HalfPlane]) -> tuple[float, float]:
    """(a, b) that meets both equations, or else the allowed pair with the least squared error."""
    one, two = wanted
    spread = one.weight - two.weight
    if spread:
        difference = (one.target - two.target) / spread
        b = one.target - one.weight * difference
        if all(plane.holds(b + difference, b) for plane in within):
            return b + difference, b
    edges = (_best_on_edge(wanted, edge, within) for edge in within)
    return min((pair for pair in edges if pair is not None), key=lambda pair: _error(wanted, *pair))


def _error(wanted: Sequence[Equation], a: float, b: float) -> float:
    return math.fsum((w * a + (1 - w) * b - target) ** 2 for w, target in wanted)


def _best_on_edge(
    wanted: Sequence[Equation], edge: HalfPlane, within: Sequence[HalfPlane]
) -> tuple[float, float] | None:
    """The least error on the line where the limit binds, as far as the other limits allow; None when they allow nothing."""
    norm = edge.at**2 + edge.bt**2
    a0, b0 = edge.at * edge.bound / norm, edge.bt * edge.bound / norm
    da, db = -edge.bt, edge.at
    low, high = -math.inf, math.inf
    for plane in within:
        slope = plane.at * da + plane.bt * db
        room = plane.bound - plane.at * a0 - plane.bt * b0
        if abs(slope) < 1e-12:
            if room < -1e-9:
                return None
        elif slope > 0:
            high = min(high, room / slope)
        else:
            low = max(low, room / slope)
    if low > high:
        return None
    steps = [(w * da + (1 - w) * db, target - w * a0 - (1 - w) * b0) for w, target in wanted]
    t = min(max(math.fsum(s * r for s, r in steps) / math.fsum(s * s for s, _ in steps), low), high)
    return a0 + t * da, b0 + t * db
