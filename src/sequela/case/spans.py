"""Counting time: how long a month is and which day a date means, the same everywhere."""

from __future__ import annotations

from datetime import date

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12


def whole_days(days: float) -> float:
    """Days as exactly as records know them: whole, but for the first day, whose hours count."""
    return round(days, 2) if days < 1.5 else float(round(days))


def middle_day(iso: str | None) -> date | None:
    """A date known to the day, or to the month (then its middle); a year alone is too coarse to count days from."""
    if iso is None or len(iso) < len("2019-03"):
        return None
    try:
        return date.fromisoformat(iso[:10] if len(iso) > len("2019-03") else f"{iso}-15")
    except ValueError:
        return None
