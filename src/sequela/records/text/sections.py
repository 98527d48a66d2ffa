"""Where a segment stands: its section, the test it reports, and whether it speaks of the lower spine at all."""

from __future__ import annotations

from collections.abc import Sequence

from sequela.records.text import levels as lv
from sequela.records.text.lexicon import Span
from sequela.records.text.tokens import Segment, Token

MODALITIES = frozenset({"mri", "ct", "xray", "nuclear", "electrodiagnosis", "laboratory", "imaging"})
SECTIONS = frozenset({"examination", "history", "past_history", "plan", "operation_note"})
_LAST_CERVICAL = 7
_NEVER_OUTSIDE = frozenset(
    {"saddle", "bladder", "bowel", "sphincter", "cauda", "thecal_sac", "cord", "cervical_cord", "myelopathy_signs"}
)
"""Concepts that count wherever they stand: an emergency of the cauda equina or the cord must not hide behind an old neck operation."""


def sections(
    parts: Sequence[Segment], triggers: Sequence[Sequence[Span]], tokens: Sequence[Token], text: str, kind: str
) -> list[frozenset[str]]:
    """Section and modality of each segment.

    A heading holds until the next one, a modality to the end of its paragraph or until the next one. "On examination" opens a section until
    somebody tells again ("she reports"); in the middle of a sentence it holds for that sentence.
    """
    section: set[str] = {kind} if kind in SECTIONS | MODALITIES else set()
    active: set[str] = set()
    passing: tuple[int, set[str]] = (-1, set())
    out = []
    for index, part in enumerate(parts):
        if index and text[tokens[parts[index - 1].end - 1].end : tokens[part.start].start].count("\n") > 1:
            active = set()
        named = {t.concept[1:] for t in triggers[index] if t.concept[0] == "%"} - {"cervical", "lumbar"}
        if named & MODALITIES:
            active = named & MODALITIES
        if named & SECTIONS and _opens(triggers[index], part, tokens, SECTIONS):
            section, active = named & SECTIONS, named & MODALITIES
        elif _examines(triggers[index], part):
            section, active = {"examination"}, named & MODALITIES
        elif "examination" in named:
            passing = (part.sentence, {"examination"})
        elif ("imaging" in named and _opens(triggers[index], part, tokens, MODALITIES)) or (
            "told" in named and section == {"examination"} and kind != "examination"
        ):
            section = set()
        out.append(frozenset(section | active | (passing[1] if passing[0] == part.sentence else set())))
    return out


def _examines(triggers: Sequence[Span], part: Segment) -> bool:
    """The clause begins with the examination ("On examination", "Neurological examination showed")."""
    return any(t.concept == "%examination" and t.start <= part.start + 2 for t in triggers)


def _opens(triggers: Sequence[Span], part: Segment, tokens: Sequence[Token], kinds: frozenset[str]) -> bool:
    """A cue of these kinds stands at the start of the segment and before a colon, or is the whole line: a heading."""
    for trigger in triggers:
        if trigger.concept[1:] in kinds and trigger.start <= part.start + 1:
            following = tokens[trigger.end].text if trigger.end < part.end else ":"
            if following in ":-–" or trigger.end >= part.end:
                return True
    return False


def regions(
    parts: Sequence[Segment],
    triggers: Sequence[Sequence[Span]],
    concepts: Sequence[Sequence[Span]],
    tokens: Sequence[Token],
) -> list[bool]:
    """Whether each segment speaks of the lower spine and legs.

    A report on the neck or shoulder holds until the low back is named; where the document speaks of the low back at least as often, a word about
    the neck holds for its own sentence only.
    """
    levels = [[n for n, _ in lv.levels_in(tokens, p.start, p.end)] for p in parts]
    named = [{t.concept for t in here} for here in triggers]
    lows = ["%lumbar" in n or any(map(lv.is_lumbar, found)) for n, found in zip(named, levels, strict=True)]
    highs = [
        "%cervical" in n or any(max(one) <= _LAST_CERVICAL for one in found)
        for n, found in zip(named, levels, strict=True)
    ]
    about_low = any(lows) and sum(lows) >= sum(highs)
    lumbar, sentence, out = True, -1, []
    for index, part in enumerate(parts):
        if about_low and part.sentence != sentence:
            lumbar = True
        sentence = part.sentence
        if lows[index]:
            lumbar = True
        elif highs[index]:
            lumbar = False
        out.append(lumbar or any(s.concept in _NEVER_OUTSIDE for s in concepts[index]))
    return out
