"""Dates as records write them, as ISO dates that may stop at the month or the year."""

from __future__ import annotations

import calendar
import re
from datetime import date

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ].*)?)?)?", re.S)
_HL7 = re.compile(r"(\d{4})(\d{2})?(\d{2})?\d*(?:\.\d+)?(?:[+-]\d{4})?")
_EARLIEST = 1880


def from_iso(text: str | None) -> str | None:
    """ "2019-03-01T10:00:00Z" -> "2019-03-01"; "2019-03" and "2019" stay; None for anything that is no date."""
    match = _ISO.fullmatch(text.strip()) if text else None
    return _checked(match) if match else None


def from_hl7(text: str | None) -> str | None:
    """ "201903011030-0800" -> "2019-03-01", "1998" -> "1998": the time stamps of C-CDA."""
    match = _HL7.fullmatch(text.strip()) if text else None
    return _checked(match) if match else None


def _checked(match: re.Match[str]) -> str | None:
    year, month, day = (int(part) if part else None for part in match.groups()[:3])
    if year is None or year < _EARLIEST:
        return None
    if month is None:
        return f"{year:04d}"
    if not 1 <= month <= 12:
        return None
    if day is None:
        return f"{year:04d}-{month:02d}"
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    return f"{year:04d}-{month:02d}-{day:02d}"


def after(one: str, other: str) -> bool:
    """True when `one` is surely later than `other`, at the precision both have: 2019-03 is not after 2019."""
    shared = min(len(one), len(other))
    return one[:shared] > other[:shared]


def first_day(text: str) -> date:
    """The first day an ISO date may mean: 2019-03 -> 1 March 2019."""
    year, month, day = (*map(int, text.split("-")), 1, 1)[:3]
    return date(year, month, day)
