"""Probabilities as a person reads them. No model is certain: neither 0 % nor 100 % is ever shown."""

from __future__ import annotations

LOWEST, HIGHEST = 0.01, 0.99


def percent(probability: float) -> str:
    """Whole per cent: 0.874 -> "87%"; beyond 1 and 99 per cent only the bound: "<1%", ">99%"."""
    if probability < LOWEST:
        return f"<{LOWEST:.0%}"
    if probability > HIGHEST:
        return f">{HIGHEST:.0%}"
    return f"{probability:.0%}"


def span(low: float, high: float) -> str:
    """An interval: "40% to 61%"; one number where both ends read alike."""
    first, last = percent(low), percent(high)
    return first if first == last else f"{first} to {last}"
