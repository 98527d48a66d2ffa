"""The time limits of red flags, as hours: "MRI within 4 h of request" is 4, "same day" 24, "1 week" 168."""

from __future__ import annotations

import re

_IN_WORDS = {"now": 0.0, "immediate": 0.0, "immediately": 0.0, "same day": 24.0}
_HOURS = {"h": 1.0, "day": 24.0, "week": 168.0}
_TIME = re.compile(r"\b(?:(now|immediately|immediate|same day)|(\d+)(?:-\d+)? (h|day|week)s?)\b")


def hours(time_limit: str) -> float | None:
    """The first time the words name; None when they name none."""
    stated = _TIME.search(time_limit)
    if stated is None:
        return None
    words, number, unit = stated.groups()
    return _IN_WORDS[words] if words else float(number) * _HOURS[unit]
