"""A span of time in words, the same everywhere a person reads it."""

from __future__ import annotations

from sequela.case.spans import DAYS_PER_MONTH, DAYS_PER_YEAR

_HOURS_BELOW = 1.5
_DAYS_BELOW = 60
_MONTHS_BELOW = 730


def in_words(days: float) -> str:
    """Hours, days, months or years, whichever a clinician would say: 0.4 -> "10 hours", 90 -> "3 months"."""
    if days < _HOURS_BELOW:
        return _counted(max(1, round(days * 24)), "hour")
    if days < _DAYS_BELOW:
        return _counted(round(days), "day")
    if days < _MONTHS_BELOW:
        return _counted(round(days / DAYS_PER_MONTH), "month")
    return _counted(round(days / DAYS_PER_YEAR), "year")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
