"""Operations that the text says were not done on the low back: denied, only planned, or done elsewhere on the spine.

Without an operation there is no failed one. Whoever ranks causes has to know it from the text, not from silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from sequela.case import Source, Unperformed
from sequela.records.text import levels as lv
from sequela.records.text.context import FAMILY, HYPOTHETICAL, NEGATED, PLANNED, UNCERTAIN, UNSAID
from sequela.records.text.lexicon import Span
from sequela.records.text.page import Page

_GENERAL = frozenset({"lumbar_surgery", "operation_word"})
"""Only who denies surgery at large was never operated; "no fusion" leaves a discectomy open."""
_TRACES = frozenset({"operation_trace", "fusion_word", "unsuccessful_operation", "rel_operated", "rel_adjacent"})
"""Words that presume an operation: a text that uses them was not written before the first one."""
_AGAIN = re.compile(
    r"\b(?:further|another|more|again|additional|second|third|repeat|revis\w+|redo|re-?operat\w*|re-?explor\w*|since|after|following|post\w*)\b",
    re.I,
)
"""Words that presume an earlier operation: "no further surgery", "listed for revision"."""
_HISTORY = re.compile(
    r"\b(?:previous(?:ly)?|prior|past|history|ever|never|had|have|has|undergone|been|so far|to date|yet|before|denies|denied)\b",
    re.I,
)
"""A denial of what was done, unlike "surgery is not indicated"."""
_NOTHING_LISTED = re.compile(
    r"\b(?:previous|prior|past|surgical|operative)\s+(?:(?:spin\w+|back|lumbar|surgical)\s+)?(?:history|operations?|surger(?:y|ies))\s*[:\-–]\s*"
    r"(?:nil|none|no\b|never|negative)",
    re.I,
)
"""An entry of a form with nothing in it: "Past surgical history: none"."""


def unperformed(page: Page, document: str, names: Mapping[str, str], shared: int) -> tuple[Unperformed, ...]:
    """Each clause at most once, in order. names: of the procedures. shared: the bit of the lexicon that all chapters share."""
    found = []
    for index in range(len(page.parts)):
        spans = [s for s in page.concepts[index] if not s.hidden & shared]
        for why in _said(page, index, spans, names, shared):
            part = page.parts[index]
            found.append(Unperformed(why, Source(document, *page.words(part.start, part.end))))
            break
    presumed = any(s.concept in _TRACES for concepts in page.concepts for s in concepts)
    return () if presumed else tuple(found)


def _said(
    page: Page, index: int, spans: list[Span], names: Mapping[str, str], shared: int
) -> Iterator[Literal["denied", "planned", "other_region"]]:
    part = page.parts[index]
    words = page.words(part.start, part.end)[2]
    if _NOTHING_LISTED.search(words):
        yield "denied"
    for span in spans:
        if span.concept not in names and span.concept not in _GENERAL:
            continue
        flags = page.modality(index, shared).of(span)
        if flags & (FAMILY | HYPOTHETICAL | UNCERTAIN | UNSAID):
            continue
        here = page.lumbar[index] and not _elsewhere(page, index)
        if flags & NEGATED:
            general = span.concept in _GENERAL and not flags & PLANNED
            if general and _HISTORY.search(words) and not _AGAIN.search(words) and not _upper(page, index):
                yield "denied"
        elif flags & PLANNED:
            if here and not _AGAIN.search(words):
                yield "planned"
        elif span.concept in names and not here and _upper(page, index):
            yield "other_region"


def _elsewhere(page: Page, index: int) -> bool:
    """All levels that the clause names are of the neck or upper back."""
    part = page.parts[index]
    named = [n for n, _ in lv.levels_in(page.tokens, part.start, part.end)]
    return bool(named) and not any(lv.is_lumbar(n) for n in named)


def _upper(page: Page, index: int) -> bool:
    """The clause itself names the neck or the upper back, by word or level."""
    return _elsewhere(page, index) or any(t.concept == "%cervical" for t in page.triggers[index])
