"""Signs of a nerve in a text: muscles, conductions, reflexes, patches of skin and named roots, each abnormal or normal, with its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from sequela.case import Activity, NerveSign, Side, SignKind, Source, Status
from sequela.knowledge.model import Structure
from sequela.records.text import levels as lv
from sequela.records.text.context import FAMILY, HYPOTHETICAL, NEGATED, PAST, PLANNED, PREOP, UNCERTAIN, UNSAID
from sequela.records.text.lexicon import Span
from sequela.records.text.page import Page
from sequela.records.text.story import Story

PREFIX = "nerve."
"""Concepts made of the forms of a structure carry its identifier after this."""
_SET_ASIDE = FAMILY | HYPOTHETICAL | PLANNED | PREOP | PAST | UNSAID
_REACH = 12
"""Words between a structure and the word that says how it is."""
_LIST = 40
"""The same in a study, which lists many muscles after one word."""
_ROOT_REACH = 3
_ROOT_WORDS = frozenset({"localisation.root_word", "dermatome_word"})

# Which words say that a structure of a kind is affected (concepts of lexicon/localisation_terms.yaml).
_AFFECTED: Mapping[SignKind, frozenset[str]] = {
    "needle": frozenset({"localisation.spontaneous", "localisation.neurogenic"}),
    "motor": frozenset({"localisation.low", "localisation.slow", "localisation.gone"}),
    "sensory": frozenset({"localisation.low", "localisation.gone"}),
    "late": frozenset({"localisation.low", "localisation.slow", "localisation.gone"}),
    "power": frozenset({"localisation.weak"}),
    "reflex": frozenset({"localisation.gone", "localisation.low"}),
    "tension": frozenset({"localisation.positive"}),
    "sensation": frozenset({"localisation.numb"}),
    "pain": frozenset({"localisation.hurts"}),
}
_FINE = "localisation.fine"
_FINE_FOR: frozenset[SignKind] = frozenset({"needle", "motor", "sensory", "late", "power", "reflex", "tension"})


class _Word(NamedTuple):
    """A word that says how a structure is. flags: of its context."""

    span: Span
    flags: int


def signs(
    page: Page, told: Story, structures: Mapping[str, Structure], document: str, bit: int
) -> tuple[NerveSign, ...]:
    """Every sign of a nerve, in the order of the text. bit: of the chapter `localisation`.

    A muscle or nerve without a side is on the side of the one named before it in the same report.
    """
    found: list[NerveSign] = []
    report = _is_report(page)
    side: Side | None = None
    for index in range(len(page.parts)):
        if not page.lumbar[index]:
            continue
        for sign in _in_clause(page, told, structures, document, index, bit, report):
            if sign.kind in _STUDIED:
                side = sign.side or side
                sign = msgspec.structs.replace(sign, side=side)
            found.append(sign)
        found += _named_roots(page, told, document, index, bit)
    return tuple(dict.fromkeys(found))


_STUDIED = frozenset({"needle", "motor", "sensory", "late"})


def _is_report(page: Page) -> bool:
    """A report of an electrodiagnostic study: it says so, or speaks of spontaneous activity."""
    return any("electrodiagnosis" in tags for tags in page.tags) or any(
        s.concept == "localisation.spontaneous" for spans in page.concepts for s in spans
    )


def _in_clause(
    page: Page, told: Story, structures: Mapping[str, Structure], document: str, index: int, bit: int, report: bool
) -> list[NerveSign]:
    words = [
        _Word(s, page.modality(index, bit).of(s)) for s in page.concepts[index] if s.concept.startswith("localisation.")
    ]
    here = "electrodiagnosis" in page.tags[index] or any(w.span.concept in _AFFECTED["needle"] for w in words)
    electric = here or (report and not page.tags[index] & {"examination", "history"} and not _speaks_of_power(words))
    out = []
    for span in _longest([s for s in page.concepts[index] if s.concept.startswith(PREFIX)]):
        structure = structures[span.concept.removeprefix(PREFIX)]
        for kind in _kinds(structure, electric):
            sign = _sign(page, told, document, index, span, structure, kind, words)
            if sign is not None:
                out.append(sign)
    return out


def _speaks_of_power(words: Sequence[_Word]) -> bool:
    return any(w.span.concept == "localisation.weak" for w in words)


def _kinds(structure: Structure, electric: bool) -> tuple[SignKind, ...]:
    """What a clause can say of it: of a muscle its needle findings in an electrodiagnostic report, its power elsewhere."""
    if structure.kind == "needle":
        return ("needle",) if electric else ("power",)
    if structure.kind == "area":
        return ("sensation", "pain")
    if electric and structure.kind in ("power", "reflex", "tension"):
        return ()
    return (structure.kind,)


def _sign(
    page: Page,
    told: Story,
    document: str,
    index: int,
    span: Span,
    structure: Structure,
    kind: SignKind,
    words: Sequence[_Word],
) -> NerveSign | None:
    word = _nearest(span, _weighed([w for w in words if _bears(w, kind)]), _LIST if kind in _STUDIED else _REACH)
    if word is None or (word.flags & _SET_ASIDE) or told.before[span.start] or told.before[word.span.start]:
        return None
    affected = word.span.concept != _FINE
    if word.flags & NEGATED:
        affected = not affected
    low, high = min(span.start, word.span.start), max(span.end, word.span.end)
    start, end, text = page.words(low, high)
    part = page.parts[index]
    side = lv.side_in(page.tokens, max(part.start, span.start - 8), min(part.end, span.end + 6), span.start)
    return NerveSign(
        kind,
        structure.id,
        side,
        "uncertain" if word.flags & UNCERTAIN else "present" if affected else "absent",
        activity=_activity(words) if kind == "needle" and affected else None,
        source=Source(document, start, end, text),
    )


def _bears(word: _Word, kind: SignKind) -> bool:
    return word.span.concept in _AFFECTED[kind] or (word.span.concept == _FINE and kind in _FINE_FOR)


def _weighed(words: Sequence[_Word]) -> list[_Word]:
    """ "Chronic changes without fibrillation": a denied change says nothing beside one that is stated."""
    stated = any(w.span.concept != _FINE and not w.flags & NEGATED for w in words)
    return [w for w in words if not (stated and w.span.concept != _FINE and w.flags & NEGATED)]


def _nearest(span: Span, words: Sequence[_Word], most: int) -> _Word | None:
    near = [w for w in words if _gap(span, w.span) <= most]
    return min(near, key=lambda w: (_gap(span, w.span), w.span.start), default=None)


def _gap(one: Span, other: Span) -> int:
    return max(other.start - one.end, one.start - other.end, 0)


def _activity(words: Sequence[_Word]) -> Activity | None:
    """Spontaneous activity: going on; large or polyphasic units without it: old."""
    said = {w.span.concept for w in words if not w.flags & NEGATED}
    if "localisation.spontaneous" in said:
        return "active on chronic" if "localisation.chronic" in said else "active"
    return "chronic" if "localisation.neurogenic" in said or "localisation.chronic" in said else None


def _longest(spans: Sequence[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        if not any(k.start < span.end and span.start < k.end for k in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)


def _named_roots(page: Page, told: Story, document: str, index: int, bit: int) -> list[NerveSign]:
    """Roots that the text itself names: "in an S1 distribution", "L5 radiculopathy", "the left L4 root"."""
    part = page.parts[index]
    cues = [s for s in page.concepts[index] if s.concept in _ROOT_WORDS]
    out = []
    for numbers, at in lv.levels_in(page.tokens, part.start, part.end):
        near = [c for c in cues if max(c.start - at - 1, at - c.end) <= _ROOT_REACH]
        names = [lv.level_name((n,)) for n in numbers]
        if not near or not all(lv.is_lumbar((n,)) for n in numbers):
            continue
        flags = page.modality(index, bit).of(Span("", at, at + 1))
        if flags & _SET_ASIDE & ~PREOP:
            continue
        cue = min(near, key=lambda c: abs(c.start - at))
        start, end, text = page.words(min(at, cue.start), max(at + 1, cue.end))
        side: Side | None = lv.side_in(page.tokens, max(part.start, at - 8), min(part.end, at + 8), at)
        share = (_ONE if len(names) == 1 else _OF_SEVERAL) * (_EARLIER if told.before[at] else 1.0)
        status: Status = "uncertain" if flags & UNCERTAIN else "absent" if flags & NEGATED else "present"
        out.append(
            NerveSign(
                "stated",
                "",
                side,
                status,
                roots=tuple((n, share) for n in names),
                source=Source(document, start, end, text),
            )
        )
    return out


_ONE, _OF_SEVERAL = 1.0, 0.7
_EARLIER = 0.6
"""Weight of a root named for the time before the operation: most complaints that persist or return are of the same root."""
