"""Numbers next to what they measure, in one unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sequela.records.text.tokens import Token

_REACH = 9
_MONTHS = tuple(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_FACTOR = {
    ("mg/dl", "mg/L"): 10.0,
    ("cm", "mm"): 10.0,
    ("mm", "cm"): 0.1,
    ("l", "mL"): 1000.0,
    ("litre", "mL"): 1000.0,
    ("cc", "mL"): 1.0,
}
_UNIT = re.compile(
    r"(mg ?/ ?d?l|mm ?hg|mm ?/ ?h\w*|mm2|mm|cm2|cm|ml|cc|l\b|litres?|degrees?|deg|°|%|per ?cent|x ?10|/ ?10\b|ng/ml|nmol/l|pmol/l|pg/ml)",
    re.I,
)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SKIP = frozenset(
    "of was is were at to a the around about only just over above than more approximately now level levels value reading peaked measured measures rose risen raised elevated high up came back result on today day count : = , ( > < ≥ ≤ ~ - – c reactive protein".split()
)


class Measured(NamedTuple):
    """A number, its unit, and the token that it is."""

    value: float
    unit: str | None
    at: int


def value_after(tokens: Sequence[Token], at: int, end: int, text: str, unit: str | None) -> Measured | None:
    """The number that follows tokens[:at] within a few words, converted to `unit`; None when there is none.

    Dates, levels and a number that belongs to another word (an age, an interval) are not taken.
    """
    for i in range(at, min(end, at + _REACH)):
        token = tokens[i]
        if token.kind in ("number", "grade"):
            if _is_interval(tokens, i, end):
                continue
            return _measured(tokens, i, text, unit)
        if token.kind == "level" or (
            token.kind == "word" and token.text.lower() not in _SKIP and len(token.text) > 3 and i - at > 3
        ):
            return None
    return None


def value_before(tokens: Sequence[Token], at: int, start: int, text: str, unit: str | None) -> Measured | None:
    """The number right before tokens[at:] ("4/5 strength", "300 mL residual"), where none follows."""
    for i in range(at - 1, max(start, at - 4) - 1, -1):
        if tokens[i].text in ",;:(":
            return None
        if tokens[i].kind in ("number", "grade"):
            return None if _is_interval(tokens, i, at) else _measured(tokens, i, text, unit)
    return None


def _is_interval(tokens: Sequence[Token], i: int, end: int) -> bool:
    """A number that counts days, weeks or a postoperative day, or a year."""
    if tokens[i].kind == "number" and re.fullmatch(r"(19|20)\d\d", tokens[i].text):
        return True
    if i and tokens[i - 1].text.lower() in ("day", "pod", "week", "month", "age"):
        return True
    return i + 1 < end and tokens[i + 1].text.lower().rstrip("s.") in (
        "day",
        "week",
        "month",
        "year",
        "hour",
        "st",
        "nd",
        "rd",
        "th",
        *_MONTHS,
    )


def _measured(tokens: Sequence[Token], at: int, text: str, unit: str | None) -> Measured:
    """The number at a token. Without a wanted unit it keeps the one written, or what it is out of: "4/5" has the unit "/5"."""
    token = tokens[at]
    if unit is None and token.kind == "grade":
        unit = "/" + token.text.split("/")[1].strip()
        return Measured(_convert(token, text, None), unit, at)
    written = _UNIT.match(text, token.end + (text[token.end : token.end + 1] == " "))
    if unit is None and written:
        unit = written[1]
    return Measured(_convert(token, text, unit), unit, at)


def _convert(token: Token, text: str, unit: str | None) -> float:
    raw = token.text.split("/")[0].strip().rstrip("+-")
    value = float(raw.replace(",", "") if _THOUSANDS.fullmatch(raw) else raw.replace(",", "."))
    written = _UNIT.match(text[token.end : token.end + 12].lstrip(" -"))
    if unit and written:
        name = written[1].lower().replace(" ", "")
        value *= _FACTOR.get((name, unit), 1.0)
    return value
