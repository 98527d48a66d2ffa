"""One text taken apart: words, clauses, the concepts and cues in each, and what a pronoun there means."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from sequela.records.text.context import Modality, modality
from sequela.records.text.lexicon import Matcher, Span
from sequela.records.text.rules import Places
from sequela.records.text.sections import regions, sections
from sequela.records.text.time import TimeMention, time_mentions
from sequela.records.text.tokens import Segment, Token, segments, tokenize

_LEADS = frozenset("and but or so since then now when as because although though however , also again".split())
"""Words that may stand before the pronoun that is the subject of a clause; after anything else it is no subject."""
_COMPLAINT = frozenset({"complaint", "pain"})
PRONOUNS = frozenset("it they these both this which those its their that".split())


class Page:
    """The text of one document. What is derived from it is worked out once and kept; nothing outside can change it.

    parts: its clauses. concepts, triggers: of each clause. tags: section and modality of each clause. lumbar: whether it speaks of the lower
    spine. times: all time expressions, in order.
    """

    def __init__(self, matcher: Matcher, text: str, kind: str) -> None:
        self.matcher, self.text = matcher, text
        self.tokens = tokenize(text)
        self.parts = segments(text, self.tokens)
        self.concepts, self.triggers = _dealt(matcher.spans(self.tokens), self.parts)
        self.tags = sections(self.parts, self.triggers, self.tokens, text, kind)
        self.lumbar = regions(self.parts, self.triggers, self.concepts, self.tokens)
        self.times = time_mentions(text)
        self._time_starts = [t.start for t in self.times]
        self._modalities: dict[tuple[int, int], Modality] = {}
        self._places_of: dict[int, Places] = {}
        self._named_in: dict[int, list[Span]] = {}

    def words(self, start: int, end: int) -> tuple[int, int, str]:
        """Offsets and exact words of the tokens from start to end."""
        first, last = self.tokens[start].start, self.tokens[end - 1].end
        return first, last, self.text[first:last]

    def broader(self, span: Span) -> tuple[str, ...]:
        """The concept of a span and all it belongs to."""
        return self.matcher.closure.get(span.concept, (span.concept,))

    def modality(self, index: int, bit: int) -> Modality:
        """What the triggers of a segment do, as a chapter sees it: words inside one of its forms, or a shared one, do not trigger."""
        known = self._modalities.get((index, bit))
        if known is None:
            part = self.parts[index]
            live = [t for t in self.triggers[index] if t.concept[0] == "!" and not t.hidden & bit]
            known = self._modalities[index, bit] = modality(self.tokens, part.start, part.end, live)
        return known

    def places(self, index: int) -> Places:
        """Concepts of a segment; a segment that starts with a pronoun also sees the one before it."""
        known = self._places_of.get(index)
        if known is not None:
            return known
        places: Places = {}
        self._places_of[index] = places
        part = self.parts[index]
        spans = list(self.concepts[index])
        spans += self._meant(index)
        for span in spans:
            for concept in self.broader(span):
                places.setdefault(concept, []).append(span)
        for trigger in self.triggers[index]:
            places.setdefault(trigger.concept, []).append(trigger)
        for i in range(part.start, part.end):
            if self.tokens[i].kind == "level":
                places.setdefault("@level", []).append(Span("@level", i, i + 1))
        for time in self.times_in(part):
            first, last = token_at(self.tokens, part, time.start), token_at(self.tokens, part, time.end - 1)
            places.setdefault("@" + time.kind, []).append(Span("@" + time.kind, first, last + 1))
        return places

    def _meant(self, index: int) -> list[Span]:
        """What a clause that opens with a pronoun ("It runs to the foot") speaks of, placed at the pronoun.

        The complaint that the sentence before first names, and the operation it last names; through a chain of pronouns if need be.
        """
        part = self.parts[index]
        at = part.start
        while at < part.end and self.tokens[at].text.lower() in _LEADS:
            at += 1
        if at >= part.end or self.tokens[at].text.lower() not in PRONOUNS:
            return []
        for before in range(index - 1, -1, -1):
            if self.parts[before].sentence < part.sentence - 1:
                break
            named = self._named(before)
            if named:
                return [span._replace(start=at, end=at + 1) for span in named]
        return []

    def _named(self, index: int) -> list[Span]:
        """Spans of the first complaint and the last operation that a clause names or, with a pronoun, means."""
        known = self._named_in.get(index)
        if known is None:
            spans = self.concepts[index]
            complaints = [s for s in spans if _COMPLAINT & set(self.broader(s))]
            operations = [s for s in spans if "operation" in self.broader(s)]
            chosen = {(s.start, s.end) for s in (*complaints[:1], *operations[-1:])}
            known = [s for s in spans if (s.start, s.end) in chosen] if chosen else self._meant(index)
            self._named_in[index] = known
        return known

    def times_in(self, part: Segment) -> list[TimeMention]:
        low, high = self.tokens[part.start].start, self.tokens[part.end - 1].end
        return self.times[bisect_left(self._time_starts, low) : bisect_left(self._time_starts, high)]


def _dealt(spans: Sequence[Span], parts: Sequence[Segment]) -> tuple[list[list[Span]], list[list[Span]]]:
    """Concepts and triggers of each clause."""
    concepts: list[list[Span]] = []
    triggers: list[list[Span]] = []
    at = 0
    for part in parts:
        while at < len(spans) and spans[at].start < part.start:
            at += 1
        last = at
        while last < len(spans) and spans[last].start < part.end:
            last += 1
        here = [s for s in spans[at:last] if s.end <= part.end]
        concepts.append([s for s in here if s.concept[0] not in "!%"])
        triggers.append([s._replace(concept=s.concept.replace("!%", "%")) for s in here if s.concept[0] in "!%"])
        at = last
    return concepts, triggers


def token_at(tokens: Sequence[Token], part: Segment, offset: int) -> int:
    """The token of a clause that holds a character offset."""
    for i in range(part.start, part.end):
        if tokens[i].end > offset:
            return i
    return part.end - 1
