"""Dates, ages and intervals as clinicians write them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from sequela.case.spans import DAYS_PER_MONTH, DAYS_PER_YEAR

Kind = Literal["ago", "after", "duration", "date", "age"]

_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "several": 5, "few": 3, "couple": 2, "half": 0.5, "many": 8,
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14,
}  # fmt: skip
_DAYS = {
    "hour": 1 / 24,
    "hr": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "wk": 7.0,
    "fortnight": 14.0,
    "month": DAYS_PER_MONTH,
    "mth": DAYS_PER_MONTH,
    "mo": DAYS_PER_MONTH,
    "year": DAYS_PER_YEAR,
    "yr": DAYS_PER_YEAR,
    "decade": 10 * DAYS_PER_YEAR,
}
_MONTHS = "january february march april may june july august september october november december".split()

_NUMBER = (
    r"(?:\d+(?:\.\d+)?|(?:twenty|thirty|forty|fifty|sixty)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|a couple of|a few|half an?|"
    + "|".join(w for w in _WORDS if w not in ("twenty", "thirty", "forty", "fifty", "sixty", "half", "few", "couple"))
    + ")"
)
_UNIT = re.compile(r"\b(hours?|hrs?|days?|weeks?|wks?|fortnights?|months?|mths?|mos?|years?|yrs?|decades?)\b", re.I)
# The number stands just before its unit; searching backwards from the unit is ten times cheaper than trying every word.
_BEFORE_UNIT = re.compile(
    rf"(?<![\w.])(?P<n>{_NUMBER})(?:\s*(?:-|–|to|or)\s*(?P<m>{_NUMBER}))?(?P<half> and a half)?(?:st|nd|rd|th)?[\s-]*(?:or so |long |full |good |more |post[- ]?operative |post[- ]?op )?$",
    re.I,
)
_MONTH = "(?:" + "|".join(m[:3] + f"(?:{m[3:]})?" for m in _MONTHS) + r")\.?"

_AFTER = re.compile(
    r"(?:'s?)?\s*(?:after|following|post[- ]?op\w*|postsurg\w*|post\b|from (?:the )?(?:surgery|operation)|later|afterwards|since (?:the |his |her )?(?:surgery|operation)|into (?:the )?recovery|of (?:the )?(?:surgery|operation))",
    re.I,
)
_AGO = re.compile(
    r"\s*(?:ago|earlier|previously|before(?! (?:the|his|her|surgery|that))|back\b|prior(?! to)|out from (?:surgery|the operation)|status post|s/p)",
    re.I,
)
_LASTING = re.compile(
    r"[- ]*(?:'s?)?[- ]*(?:history|duration|story|interval|gap|of (?:pain|symptoms|back|leg|low|lower|increasing|worsening|progressive|relief|pain-free|severe))",
    re.I,
)
_FOR = re.compile(
    r"\b(?:for|over|during|in|of|last|past) (?:about |almost |nearly |some |around |approximately |more than |over |at least |the |up to )*(?:past |last |previous |preceding )?$",
    re.I,
)
_AT_FIRST = re.compile(r"\b(?:for|over|during|in) (?:about )?(?:the |his |her )?first $", re.I)
_AFTER_THAT = re.compile(
    r"\b(?:returned|recurred|back|again|relapsed) after (?:about |almost |nearly |some |around |only |just )?$", re.I
)
_WITHIN = re.compile(r"\bwithin (?:the )?(?:first )?$", re.I)
_ON_THE = re.compile(r"\b(?:on|by) (?:the )?$", re.I)

_DATES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\b(?P<y>(?:19|20)\d\d)-(?P<mo>\d\d)-(?P<d>\d\d)\b",
        rf"\b(?:(?<![/–-])(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?)?(?P<mon>{_MONTH}),? (?P<y>(?:19|20)\d\d)\b",
        rf"\b(?P<mon>{_MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>(?:19|20)\d\d)\b",
        r"\b(?P<d>\d{1,2})[./](?P<mo>\d{1,2})[./](?P<y>(?:19|20)\d\d)\b",
        r"(?<=\s)['’](?P<yy>\d\d)\b(?!s)",
        r"(?<![\d./-])(?P<mo>0?[1-9]|1[0-2])/(?P<y>(?:19|20)\d\d)\b",
        r"(?:\b(?:in|since|year|during|from|early|late|mid|and|of)|\() ?(?:early |late |mid-?)?(?P<y>(?:19|20)\d\d)\b",
        r"(?:(?<![\d.:/-] )|(?<=[LS]\d )|(?<=[LS]\d[-/]\d ))(?<![\d.:/-])\b(?P<y>19[6-9]\d|20[0-3]\d)\b(?! ?(?:mg|mcg|ml|mL|units?|IU|m\b|metres|meters|steps|kcal|calories|hours|h\b|g\b|%|[-/.:]\d))",
    )
)
_YEAR = re.compile(r"(?:19|20)\d\d|['’]\d\d")
_AGE = re.compile(
    r"\bat (?:the )?age (?:of )?(?P<n>\d{1,2})\b|\bwhen (?:she|he) was (?P<m>\d{1,2})\b|\bat (?P<k>\d{2}) (?:he|she)\b",
    re.I,
)
_POD = re.compile(
    r"\b(?:POD|post[- ]?op(?:erative)? day|day)[ #]*(?P<n>\d+)(?= (?:after|post|following)|\b)(?! of)", re.I
)
_AT_ONCE = re.compile(
    r"\b(?:immediately|straight|directly|right) (?:after|following|post|afterwards)\b|\bfrom the moment (?:he|she)\b|\bwhen (?:he|she) (?:woke|awoke|came round)\b|\b(?:on|since|after) (?:he |she )?(?:waking|woke|awakening|came round|coming round)\b"
    r"|\bever since (?:the|that|then|surgery|his|her)\b|(?:^|[.;,] ?|\bpain |\bever )since (?:the|that|his|her|this) (?:\w+ ){0,3}?(?:operation|surgery|procedure|fusion|discectomy|laminectomy|decompression)\b|\bin recovery\b",
    re.I,
)
_TODAY = re.compile(r"\b(?:earlier )?today\b|\bthis morning\b|\bjust had\b|\bhas just\b", re.I)
_YESTERDAY = re.compile(r"\byesterday\b|\blast night\b", re.I)
_LAST = re.compile(r"\b(?:last|the preceding|the previous) (year|month|week)\b", re.I)


_WRAPPED = re.compile(r"(?<=[a-z,])\n(?=[a-z\d])")
"""A line end inside a sentence; every offset stays."""


class TimeMention(NamedTuple):
    """days: length of the interval (ago, after, duration); date: ISO date or part of one; start, end: character offsets."""

    kind: Kind
    start: int
    end: int
    days: float | None = None
    date: str | None = None


def time_mentions(text: str) -> list[TimeMention]:
    """All time expressions of the text, in order; where two overlap the first kind wins: interval, day number, age, date."""
    text = _WRAPPED.sub(" ", text)
    found: list[TimeMention] = []
    taken = bytearray(len(text))  # 1 where a character belongs to an expression
    for unit in _UNIT.finditer(text):
        mention = _interval(text, unit)
        if mention:
            found.append(mention)
            _take(taken, mention)

    def add(more: Iterable[TimeMention]) -> None:
        for mention in more:
            if 1 not in taken[mention.start : mention.end]:
                found.append(mention)
                _take(taken, mention)

    add(TimeMention("after", m.start(), m.end(), float(m["n"])) for m in _POD.finditer(text))
    add(TimeMention("age", m.start(), m.end(), float(m["n"] or m["m"] or m["k"])) for m in _AGE.finditer(text))
    if _YEAR.search(text):
        for pattern in _DATES:
            add(TimeMention("date", m.start(), m.end(), None, _date(m.groupdict())) for m in pattern.finditer(text))
    add(TimeMention("after", m.start(), m.end(), 0.5) for m in _AT_ONCE.finditer(text))
    for pattern, days in ((_TODAY, 0.3), (_YESTERDAY, 1.0)):
        add(TimeMention("ago", m.start(), m.end(), days) for m in pattern.finditer(text))
    add(TimeMention("ago", m.start(), m.end(), _DAYS[m[1].lower()]) for m in _LAST.finditer(text))
    return sorted(found, key=lambda m: m.start)


def _take(taken: bytearray, mention: TimeMention) -> None:
    taken[mention.start : mention.end] = b"\1" * (mention.end - mention.start)


def _interval(text: str, unit: re.Match[str]) -> TimeMention | None:
    """The interval whose unit this is, and what the words around make of it."""
    low = max(0, unit.start() - 44)
    told = _BEFORE_UNIT.search(text[low : unit.start()])
    if not told:
        return None
    first, last = number(told["n"]), number(told["m"] or told["n"])
    if first is None or last is None:
        return None
    start, end = low + told.start(), unit.end()
    head, tail = text[max(0, start - 44) : start], text[end : end + 44]
    name = unit[1].lower().rstrip("s")
    days = ((first + last) / 2 + (0.5 if told["half"] else 0)) * _DAYS[name]
    if name in ("year", "yr") and re.match(r"[- ]old\b", tail):
        return None
    if (
        _WITHIN.search(head)
        or (_ON_THE.search(head) and name == "day")
        or re.search(r"post[- ]?op\w*\s*$", told[0], re.I)
    ):
        return TimeMention("after", start, end, days)
    for kind, pattern in (("after", _AFTER), ("ago", _AGO), ("duration", _LASTING)):
        after = pattern.match(tail)
        if after:
            return TimeMention(kind, start, end + after.end(), days)  # type: ignore[arg-type]
    if _AFTER_THAT.search(head):
        return TimeMention("after", start, end, days)
    return TimeMention("duration", start, end, days) if _FOR.search(head) or _AT_FIRST.search(head) else None


_HEADING_LINES = 12
_HEADING_WORDS = 14
_DATELINE = re.compile(
    r"\b(?:date|dated|clinic|ward|round|note|letter|report|review|follow-up|visit|admission|admitted|discharge|outpatients?|department|hospital|"
    r"emergency|consultation|assessment|mri|ct|x-?rays?|xr|films?|radiographs?|imaging|scan|study|emg|examination|operation note|operative note)\b",
    re.I,
)
_OTHER_DATE = re.compile(
    r"\b(?:dob|born|birth|comparison|previous|prior|since|after|following|had|underwent|was|were|is|has|next|due|planned|"
    r"date of (?:surgery|operation|injury|accident))\b",
    re.I,
)
_OPERATION_DATE = re.compile(
    r"\s*(?:date of (?:the )?(?:surgery|operation|procedure)|(?:surgery|operation) date)\b", re.I
)


def heading_date(text: str, kind: str = "text") -> str | None:
    """The day a letter or report was written, where a line of its heading says so: "Spine clinic, 15 April 2026", "Date: 3/5/2024".

    kind: of the document. The note of an operation is of the day of the operation.
    """
    lines = [line for line in text[:4000].split("\n") if line.strip()][:_HEADING_LINES]
    for line in lines:
        days = [m for m in time_mentions(line) if m.kind == "date" and m.date and len(m.date) == len("2026-04-15")]
        rest = "".join(c for i, c in enumerate(line) if not any(m.start <= i < m.end for m in days))
        if len(days) != 1 or len(rest.split()) > _HEADING_WORDS:
            continue
        alone = not re.search(r"[A-Za-z]{3}", rest)
        if kind == "operation_note" and _OPERATION_DATE.match(line):
            return days[0].date
        if alone or (_DATELINE.search(rest) and not _OTHER_DATE.search(rest)):
            return days[0].date
    return None


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
        total += (
            _WORDS[word]
            if not (word in ("a", "an") and "half" not in text and ("few" in text or "couple" in text))
            else 0
        )
    if "half" in text:
        return 0.5
    return total or None


_LATEST = 40
"""Two figures up to here are of this century: '09, but '85."""


def _century(figures: str) -> str:
    return ("20" if int(figures) <= _LATEST else "19") + figures


def _date(groups: dict[str, str | None]) -> str | None:
    year = groups["yy"] and _century(groups["yy"]) if "yy" in groups else groups["y"]
    month = groups.get("mo")
    if groups.get("mon"):
        short = (groups["mon"] or "")[:3].lower()
        month = str(next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(short)))
    if not month:
        return year
    if not 1 <= int(month) <= 12:
        return year
    day = groups.get("d")
    if not day or not 1 <= int(day) <= calendar.monthrange(int(year or 0), int(month))[1]:
        return f"{year}-{int(month):02d}"
    return f"{year}-{int(month):02d}-{int(day):02d}"
