"""Dates, ages and intervals as clinicians write them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["ago", "after", "duration", "date", "age", "onset_zero"]

_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "several": 5, "few": 3, "couple": 2, "half": 0.5, "many": 8,
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14,
}  # fmt: skip
_DAYS = {"hour": 1 / 24, "hr": 1 / 24, "day": 1.0, "week": 7.0, "wk": 7.0, "fortnight": 14.0, "month": 30.44, "mth": 30.44, "mo": 30.44, "year": 365.25, "yr": 365.25, "decade": 3652.5}
_MONTHS = "january february march april may june july august september october november december".split()

_NUMBER = r"(?:\d+(?:\.\d+)?|(?:twenty|thirty|forty|fifty|sixty)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|a couple of|a few|half an?|" + "|".join(
    w for w in _WORDS if w not in ("twenty", "thirty", "forty", "fifty", "sixty", "half", "few", "couple")
) + ")"
_UNIT = r"(hours?|hrs?|days?|weeks?|wks?|fortnights?|months?|mths?|mos?|years?|yrs?|decades?)"
_SPAN = rf"(?P<n>{_NUMBER})(?:\s*(?:-|–|to|or)\s*(?P<m>{_NUMBER}))?(?P<half> and a half)?[\s-]*(?:or so |long |full |good |more )?{_UNIT}"
_MONTH = "(?:" + "|".join(m[:3] + f"(?:{m[3:]})?" for m in _MONTHS) + r")\.?"

_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.I))
    for kind, pattern in (
        ("after", rf"\b{_SPAN}(?:'s?)?\s*(?:after|following|post[- ]?op\w*|postsurg\w*|post|from (?:the )?(?:surgery|operation)|later|afterwards|since (?:the |his |her )?(?:surgery|operation)|into (?:the )?recovery)\b"),
        ("after", rf"\bwithin (?:the )?(?:first )?{_SPAN} (?:of|after|following)\b"),
        ("after", r"\b(?:POD|post[- ]?op(?:erative)? day|day)[ #]*(?P<n>\d+)(?= (?:after|post|following)|\b)(?! of)"),
        ("after", rf"\b(?:on|by) the (?P<n>{_NUMBER})(?:st|nd|rd|th)? (?:post[- ]?operative )?(day)\b"),
        ("after", rf"\b(?P<n>{_NUMBER})(?:st|nd|rd|th)? post[- ]?op(?:erative)? (day|week|month)\b"),
        ("ago", rf"\b{_SPAN}\s*(?:ago|earlier|previously|before(?! (?:the|his|her|surgery|that))|back\b|prior(?! to)|out from (?:surgery|the operation)|status post|s/p|since the (?:operation|surgery) now)"),
        ("duration", rf"\b(?:for|over|during|in|of) (?:about |almost |nearly |some |around |approximately |more than |over |at least |the )*(?:past |last |previous |preceding )?{_SPAN}\b"),
        ("duration", rf"\b{_SPAN}[- ]*(?:'s?)?[- ]*(?:history|duration|story|of (?:pain|symptoms|back|leg|increasing|worsening|progressive|relief|pain-free))"),
        ("duration", rf"\b(?:a |the )?(?P<n>{_NUMBER})[- ]{_UNIT} (?:history|interval|gap)"),
        ("age", r"\bat (?:the )?age (?:of )?(?P<n>\d{1,2})\b|\bwhen (?:she|he) was (?P<m>\d{1,2})\b"),
        ("date", r"\b(?P<y>(?:19|20)\d\d)-(?P<mo>\d\d)-(?P<d>\d\d)\b"),
        ("date", rf"\b(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?)?(?P<mon>{_MONTH}),? (?P<y>(?:19|20)\d\d)\b"),
        ("date", rf"\b(?P<mon>{_MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>(?:19|20)\d\d)\b"),
        ("date", r"\b(?P<d>\d{1,2})[./](?P<mo>\d{1,2})[./](?P<y>(?:19|20)\d\d)\b"),
        ("date", r"\b(?:in|since|year|during|from|early|late|mid) (?:early |late |mid-?)?(?P<y>(?:19|20)\d\d)\b"),
        ("date", r"\((?P<y>(?:19|20)\d\d)\)"),
        ("onset_zero", r"\b(?:immediately|straight|directly|right) (?:after|following|post|afterwards)\b|\bfrom the moment (?:he|she)\b|\b(?:on|since|after) (?:he |she )?(?:waking|woke|awakening|came round|coming round)\b|\bever since (?:the|that|then|surgery|his|her)\b|\bsince (?:the|that|his|her|this) (?:\w+ ){0,3}?(?:operation|surgery|procedure|fusion|discectomy|laminectomy|decompression)\b|\bin recovery\b"),
    )
)  # fmt: skip
_TODAY = re.compile(r"\b(?:earlier )?today\b|\bthis morning\b|\bjust had\b|\bhas just\b", re.I)
_YESTERDAY = re.compile(r"\byesterday\b|\blast night\b", re.I)
_LAST = re.compile(r"\b(?:last|the preceding|the previous) (year|month|week)\b", re.I)


class TimeMention(NamedTuple):
    """days: length of the interval (ago, after, duration); date: ISO date or part of one; start, end: character offsets."""

    kind: Kind
    start: int
    end: int
    days: float | None = None
    date: str | None = None


def time_mentions(text: str, start: int = 0, end: int | None = None) -> list[TimeMention]:
    """All time expressions in text[start:end], earliest pattern first where they overlap."""
    end = len(text) if end is None else end
    window = text[start:end]
    found: list[TimeMention] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(window):
            if any(match.start() < f.end - start and f.start - start < match.end() for f in found):
                continue
            mention = _mention(kind, match, start)
            if mention:
                found.append(mention)
    for pattern, days in ((_TODAY, 0.3), (_YESTERDAY, 1.0)):
        found += [TimeMention("ago", m.start() + start, m.end() + start, days) for m in pattern.finditer(window)]
    for match in _LAST.finditer(window):
        found.append(TimeMention("ago", match.start() + start, match.end() + start, _DAYS[match[1].lower()]))
    return sorted(found, key=lambda m: m.start)


def number(text: str) -> float | None:
    """The value of digits or number words: "twenty-two" -> 22, "half a" -> 0.5."""
    text = text.lower().strip()
    try:
        return float(text)
    except ValueError:
        pass
    total = 0.0
    for word in re.split(r"[ -]", text):
        if word in ("of", "a", "an") and total:
            continue
        if word not in _WORDS:
            return None
        total += _WORDS[word] if not (word in ("a", "an") and "half" not in text and ("few" in text or "couple" in text)) else 0
    if "half" in text:
        return 0.5
    return total or None


def _mention(kind: Kind, match: re.Match[str], offset: int) -> TimeMention | None:
    groups = match.groupdict()
    start, end = match.start() + offset, match.end() + offset
    if kind == "date":
        return TimeMention(kind, start, end, None, _date(groups))
    if kind == "onset_zero":
        return TimeMention("after", start, end, 0.5)
    if kind == "age":
        return TimeMention(kind, start, end, float(groups.get("n") or groups.get("m") or 0))
    low, high = number(groups["n"]), number(groups.get("m") or groups["n"])
    if low is None or high is None:
        return None
    unit = next((g for g in match.groups() if g and g.lower().rstrip("s") in _DAYS), "day").lower().rstrip("s")
    value = (low + high) / 2 + (0.5 if groups.get("half") else 0)
    return TimeMention(kind, start, end, value * _DAYS[unit])


def _date(groups: dict[str, str | None]) -> str | None:
    year = groups["y"]
    month = groups.get("mo")
    if groups.get("mon"):
        short = (groups["mon"] or "")[:3].lower()
        month = str(next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(short)))
    if not month:
        return year
    if not 1 <= int(month) <= 12:
        return year
    day = groups.get("d")
    if not day or not 1 <= int(day) <= 31:
        return f"{year}-{int(month):02d}"
    return f"{year}-{int(month):02d}-{int(day):02d}"
