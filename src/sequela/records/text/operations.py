"""Which operations the text says were done, where, when; the first thing to know, since all else is relative to them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from sequela.case import Operation, Source
from sequela.case.spans import DAYS_PER_MONTH
from sequela.records.text import levels as lv
from sequela.records.text.context import FAMILY, HYPOTHETICAL, NEGATED, PLANNED, Modality
from sequela.records.text.lexicon import Span
from sequela.records.text.time import TimeMention
from sequela.records.text.tokens import Segment, Token

_ANAPHORIC = frozenset("the this that these his her my our said".split())
_DISTINCT = frozenset(
    "second third fourth another further again repeat repeated revision redo next later subsequent subsequently additional then".split()
)
_SINCE = frozenset(
    "after following since post status s/p history previous prior postoperative failed old earlier".split()
)
_PERFORMED = re.compile(
    r"\b(underwent|undergone|had|has had|was done|were done|carried out|performed|treated (?:by|with)|operated|received|given|followed by|"
    r"ago|s/p|status post|history of|previous|prior|after|following|since|post|in (?:19|20)\d\d|came to|been through|undergoing|procedure|went on to|did|having|taken back)\b",
    re.I,
)


class Mention(NamedTuple):
    """An operation named in a segment. linked: named as the past event a complaint follows ("after …")."""

    operation: Operation
    segment: int
    span: Span
    linked: bool
    anaphoric: bool
    distinct: bool
    counted: bool = False
    """One of several that were only counted ("three operations"); later words may say which it was."""


def mentions(
    tokens: Sequence[Token],
    parts: Sequence[Segment],
    spans_of: Callable[[int], list[Span]],
    modality_of: Callable[[int], Modality],
    times: Sequence[TimeMention],
    text: str,
    document: str,
    *,
    names: Mapping[str, str],
    lumbar: Sequence[bool],
) -> list[Mention]:
    """Every mention of an operation that was done. names: procedure id -> display name. lumbar: whether a segment speaks of the low back."""
    out: list[Mention] = []
    for index, part in enumerate(parts):
        if not lumbar[index]:
            continue
        spans = spans_of(index)
        places = [s for s in spans if s.concept.startswith("rel_")]  # "above the fusion" says where, not what was done
        named = _strongest(
            [s for s in spans if s.concept in names and not any(p.start <= s.start < p.end for p in places)]
        )
        sentence = [
            i
            for i in range(max(0, index - 3), min(len(parts), index + 4))
            if parts[i].sentence == parts[index].sentence
        ]
        rivals = [s for i in sentence for s in spans_of(i) if s.concept in names]
        for span in named:
            if not _done(tokens, part, span, modality_of(index), times, text) or _elsewhere(tokens, part, span):
                continue
            mention = _mention(tokens, parts, index, span, times, text, document, names, rivals)
            dates = _dates_after(tokens, part, span, times, text)
            out += _each(mention, _counted(tokens, part, span, dates), dates)
    return out


_COUNTS = {"two": 2, "both": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4, "five": 5, "5": 5, "six": 6, "6": 6}
_COUNT_REACH = 4
"""Words between a number and the operations it counts: "three previous lumbar operations"."""


def _counted(tokens: Sequence[Token], part: Segment, span: Span, dates: Sequence[str]) -> int:
    """How many operations the words name: "two discectomies", "discectomy x2", "laminectomies 2015 and 2018"; one where no number stands there.

    dates: those that follow in the clause.
    """
    repeated = _REPEATED.search(" ".join(t.text for t in tokens[span.end : min(part.end, span.end + _COUNT_REACH)]))
    if repeated:
        return int(repeated[1])
    if not any(tokens[i].text.lower().endswith("s") for i in (span.start, span.end - 1)):
        after = [t.text.lower() for t in tokens[span.end : min(part.end, span.end + 3)]]
        if len(after) >= 2 and after[1] == "times":
            return _COUNTS.get(after[0], 1)
        return 2 if after[:1] == ["twice"] else 1
    before = [t.text.lower() for t in tokens[max(part.start, span.start - _COUNT_REACH) : span.start]]
    for at, word in enumerate(before):
        if word in _COUNTS and not (at + 1 < len(before) and before[at + 1] in _UNITS):
            return _COUNTS[word]
    return max(1, len(dates))


_REPEATED = re.compile(r"^(?:(?:at |of )?[LS]\d\S* |\( ?)?[x×] ?([2-6])\b", re.I)
"""After the name, perhaps after its level: "x2", "× 3"."""
_UNITS = frozenset(
    "year years month months week weeks day days level levels segment segments of years' months'".split()
)


def _dates_after(
    tokens: Sequence[Token], part: Segment, span: Span, times: Sequence[TimeMention], text: str
) -> list[str]:
    """The first date that follows in the clause and those listed with it: "(1998, 2004 and 2007)"."""
    low, high = tokens[span.start].start, tokens[part.end - 1].end
    here = times[bisect_left(times, low, key=_start) : bisect_left(times, high, key=_start)]
    found: list[TimeMention] = []
    for time in here:
        if time.kind != "date" or (found and not _IN_LIST.fullmatch(text, found[-1].end, time.start)):
            if found:
                break
            continue
        found.append(time)
    return [t.date for t in found if t.date]


_IN_LIST = re.compile(r"[\s,&(]*(?:and)?[\s,(]*(?:in )?")


_start = attrgetter("start")


def _each(mention: Mention, count: int, dates: Sequence[str]) -> list[Mention]:
    """One mention per operation that was counted; each with its own date where as many dates as operations are listed."""
    if count == 1:
        return [mention]
    own: Sequence[str | None] = dates if len(dates) == count else [None] * count
    first = mention.operation
    known = (first.date, first.months_ago) if len(dates) != count else (None, None)
    return [
        mention._replace(
            operation=msgspec.structs.replace(
                first, date=date or (known[0] if not i else None), months_ago=known[1] if not i else None
            ),
            distinct=mention.distinct or i > 0,
            counted=True,
        )
        for i, date in enumerate(own)
    ]


def _elsewhere(tokens: Sequence[Token], part: Segment, span: Span) -> bool:
    """The levels next to it are all of the neck or upper back."""
    near = [n for n, _ in lv.levels_in(tokens, max(part.start, span.start - 8), min(part.end, span.end + 8))]
    return bool(near) and not any(lv.is_lumbar(n) for n in near)


def _strongest(named: list[Span]) -> list[Span]:
    """One mention per place; neighbours such as "laminectomy and fusion" stay separate."""
    kept: list[Span] = []
    for span in named:
        if not any(k.start < span.end and span.start < k.end for k in kept):
            kept.append(span)
    return kept


def _done(
    tokens: Sequence[Token], part: Segment, span: Span, modality: Modality, times: Sequence[TimeMention], text: str
) -> bool:
    """The words say that it was done: with a verb, a place, a date, or as something known ("the fusion")."""
    flags = modality.of(span)
    if flags & (NEGATED | FAMILY | HYPOTHETICAL | PLANNED):
        return False
    window = text[tokens[part.start].start : tokens[part.end - 1].end]
    dated = bool(_dates_after(tokens, part, span, times, text))
    return dated or bool(_PERFORMED.search(window)) or part.heading or _definite(tokens, part, span)


def _definite(tokens: Sequence[Token], part: Segment, span: Span) -> bool:
    before = [t.text.lower() for t in tokens[max(part.start, span.start - 4) : span.start]]
    return bool(_ANAPHORIC & set(before)) or any(
        t.kind == "level" for t in tokens[max(part.start, span.start - 3) : min(part.end, span.end + 4)]
    )


def _mention(
    tokens: Sequence[Token],
    parts: Sequence[Segment],
    index: int,
    span: Span,
    times: Sequence[TimeMention],
    text: str,
    document: str,
    names: Mapping[str, str],
    rivals: Sequence[Span],
) -> Mention:
    part = parts[index]
    start, end = tokens[span.start].start, tokens[span.end - 1].end
    before = [t.text.lower() for t in tokens[max(part.start, span.start - 8) : span.start]]
    own = [t.text.lower() for t in tokens[_after_rival(rivals, span, max(part.start, span.start - 8)) : span.start]]
    when = _time_of(tokens, parts, index, span, times, [r for r in rivals if not _one_operation(tokens, span, r)])
    where = _levels_near(tokens, part, span)
    operation = Operation(
        procedure=span.concept,
        levels=tuple(dict.fromkeys(s for numbers in where for s in (lv.segments_between(numbers) or ()))),
        side=lv.side_in(tokens, max(part.start, span.start - 8), min(part.end, span.end + 6), span.start),
        date=when.date if when else None,
        months_ago=round(when.days / DAYS_PER_MONTH, 2)
        if when and when.kind == "ago" and when.days is not None
        else None,
        name=names[span.concept],
        source=Source(document, start, end, text[start:end]),
    )
    return Mention(
        operation,
        index,
        span,
        linked=bool(_SINCE & set(before[-5:])) and not ({"underwent", "undergone"} & set(before[-6:])),
        anaphoric=bool(_ANAPHORIC & set(before[-3:])) and not where and when is None,
        distinct=bool(_DISTINCT & set(own)),
    )


def _after_rival(rivals: Sequence[Span], span: Span, low: int) -> int:
    """Where the words begin that belong to this operation and not to the one named before it: "revision decompression and TLIF"."""
    return max((r.end for r in rivals if low < r.end <= span.start), default=low)


_WITH = frozenset("and with plus + & / combined".split())


def _one_operation(tokens: Sequence[Token], span: Span, other: Span) -> bool:
    """Two names joined by "and" or "with" are parts of one operation: what dates one dates the other."""
    first, second = sorted((span, other), key=lambda s: s.start)
    between = [t.text.lower() for t in tokens[first.end : second.start]]
    return len(between) <= 2 and bool(_WITH & set(between))


def _levels_near(tokens: Sequence[Token], part: Segment, span: Span) -> list[tuple[int, ...]]:
    """Levels that belong to this operation: the stretch around it up to the neighbouring operation's words."""
    low, high = max(part.start, span.start - 8), min(part.end, span.end + 14)
    found = [numbers for numbers, _ in lv.levels_in(tokens, low, high) if lv.is_lumbar(numbers)]
    singles = [n for n in found if len(n) == 1]
    if len(singles) >= 2 and len(singles) == len(found):
        numbers = [n[0] for n in singles]
        return [(min(numbers), max(numbers))]
    return [n for n in found if len(n) > 1] or found


def _time_of(
    tokens: Sequence[Token],
    parts: Sequence[Segment],
    index: int,
    span: Span,
    times: Sequence[TimeMention],
    rivals: Sequence[Span],
) -> TimeMention | None:
    """The "ago" or date of this operation: the one that follows it before the next operation is named, else the last before it.

    rivals: all operations named in the sentence.
    """
    inside = [
        parts[i]
        for i in range(max(0, index - 6), min(len(parts), index + 7))
        if parts[i].sentence == parts[index].sentence
    ]
    low, high = tokens[inside[0].start].start, tokens[inside[-1].end - 1].end
    begin, end = tokens[span.start].start, tokens[span.end - 1].end
    earlier = max((tokens[r.end - 1].end for r in rivals if r.end <= span.start), default=low)
    later = min((tokens[r.start].start for r in rivals if r.start >= span.end), default=high)
    at = bisect_left(times, low, key=_start)
    near = [t for t in times[at : at + 60] if t.kind in ("ago", "date")]
    after = [t for t in near if (end <= t.start or begin < t.start < end) and t.start < later]
    before = [t for t in near if earlier <= t.start < begin]
    return after[0] if after and not (before and earlier == low) else before[-1] if before else None


Named = Mapping[str, str]
"""How much the name of each procedure says: exactly, loosely, hardly (see knowledge/procedures.yaml)."""


def merge(found: Sequence[Mention], parts: Sequence[Segment], named: Named) -> tuple[Operation, ...]:
    """One Operation per operation: repeated and anaphoric mentions are folded into the one they mean."""
    kept: list[Operation] = []
    sentences: list[set[int]] = []
    open_: list[bool] = []
    for mention in found:
        sentence = parts[mention.segment].sentence
        twins = [i for i, k in enumerate(kept) if _same(k, mention, sentence in sentences[i], named)]
        if not twins and not mention.counted:
            twins = [i for i, blank in enumerate(open_) if blank and not _contradicts(kept[i], mention.operation)]
        if not twins:
            kept.append(mention.operation)
            sentences.append({sentence})
            open_.append(mention.counted and not mention.operation.date)
        else:
            twin = twins[-1]
            kept[twin] = _joined(kept[twin], mention.operation, named)
            sentences[twin].add(sentence)
            open_[twin] = False
    return tuple(kept)


def _same(known: Operation, mention: Mention, together: bool, named: Named) -> bool:
    """Whether a mention means an operation already known. together: both stand in one sentence."""
    new = mention.operation
    if mention.anaphoric and not mention.distinct:
        return True
    if _far_apart(known.months_ago, new.months_ago):
        return False
    if new.date and known.date and not (new.date.startswith(known.date) or known.date.startswith(new.date)):
        return False
    if (known.date and new.months_ago is not None and not new.date) or (
        new.date and known.months_ago is not None and not known.date
    ):
        return False
    if mention.distinct or (new.levels and known.levels and not set(new.levels) & set(known.levels)):
        return False
    if together or mention.linked or new.procedure == known.procedure:
        return True
    timed = (known.months_ago is not None or known.date) and (new.months_ago is not None or new.date)
    loose = any(named.get(p, "hardly") != "exactly" for p in (new.procedure, known.procedure))
    return bool(timed) or loose or bool(set(new.levels) & set(known.levels))


def _contradicts(known: Operation, new: Operation) -> bool:
    return bool(known.levels and new.levels and not set(known.levels) & set(new.levels))


def _far_apart(one: float | None, other: float | None) -> bool:
    """Two "months ago" that cannot mean the same day, given that both are rounded."""
    return one is not None and other is not None and abs(one - other) > 0.25 * max(one, other, 0.2)


def _joined(known: Operation, new: Operation, named: Named) -> Operation:
    takes_new = named.get(known.procedure, "hardly") != "exactly" and named.get(new.procedure, "hardly") != "hardly"
    return msgspec.structs.replace(
        known,
        procedure=new.procedure if takes_new else known.procedure,
        name=new.name if takes_new else known.name,
        source=new.source if takes_new else known.source,
        levels=known.levels or new.levels,
        side=known.side or new.side,
        date=known.date or new.date,
        months_ago=known.months_ago if known.months_ago is not None else new.months_ago,
    )


_TITLE = re.compile(
    r"\s*(?:name of |title of )?(?:procedures?|operations?|surgery)(?: (?:performed|done|title))?\s*[:\-–]", re.I
)


def dated_by_note(
    found: Sequence[Mention], parts: Sequence[Segment], tokens: Sequence[Token], text: str, date: str
) -> list[Mention]:
    """Mentions in the note of an operation, with its date for the operation it describes: those under its title, else the first one told.

    An operation with a date or an interval of its own, or named as an earlier one, keeps what it has.
    """
    open_ = [m for m in found if not m.linked and m.operation.date is None and m.operation.months_ago is None]
    titled = {m.segment for m in open_ if _TITLE.match(text, tokens[parts[m.segment].start].start)}
    sentences = {parts[i].sentence for i in titled or {m.segment for m in open_[:1]}}
    return [
        m._replace(operation=msgspec.structs.replace(m.operation, date=date))
        if m in open_ and parts[m.segment].sentence in sentences
        else m
        for m in found
    ]


def join_operations(groups: Sequence[Sequence[Operation]], named: Named) -> tuple[Operation, ...]:
    """Operations of several documents as one list: the same operation told twice is one."""
    kept: list[Operation] = []
    for group in groups:
        matched: set[int] = set()
        for operation in group:
            twin = next((i for i, k in enumerate(kept) if i not in matched and _told_twice(k, operation, named)), None)
            if twin is None:
                kept.append(operation)
                matched.add(len(kept) - 1)
            else:
                kept[twin] = _joined(kept[twin], operation, named)
                matched.add(twin)
    return tuple(kept)


def _told_twice(known: Operation, new: Operation, named: Named) -> bool:
    """Same operation in two documents: no contradiction in date or level. A document's own operations are never joined here."""
    if known.date and new.date and not (known.date.startswith(new.date) or new.date.startswith(known.date)):
        return False
    if known.levels and new.levels and not set(known.levels) & set(new.levels):
        return False
    if {known.side, new.side} == {"left", "right"}:
        return False  # a contradiction, or two operations: not ours to decide
    if known.date and new.date:
        return True
    return (
        bool(known.levels and new.levels)
        or not (known.levels or new.levels)
        or "hardly"
        in (
            named.get(known.procedure, "hardly"),
            named.get(new.procedure, "hardly"),
        )
    )
