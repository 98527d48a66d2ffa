"""What a text tells of the operations and of time: which operations, what was before them and what is now, and how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sequela.case import Document, Operation
from sequela.case.spans import middle_day
from sequela.records.text import operations as ops
from sequela.records.text.course import elapsed
from sequela.records.text.narrative import narrative
from sequela.records.text.page import Page, token_at
from sequela.records.text.sections import MODALITIES
from sequela.records.text.time import TimeMention

_APART = frozenset({"examination", "past_history"})
"""Sections whose tense does not follow the story."""
_BEGINS = frozenset({"return", "new", "sudden", "complaint"})
_WELL = frozenset({"good_result", "better"})
_LASTS = frozenset({"complaint", "good_result", "worse", "progressive"})


class Story(NamedTuple):
    """told: operations this document names. operations: these and those of the other documents. last: clause of the latest one named.

    before [tokens]: whether a word speaks of a time before the operation. onset: intervals from the operation to a complaint;
    spell: how long complaints lasted, or how long it was well; relief: how long it was well after the operation; review: when the patient was seen. elapsed: days since the latest operation.
    begun: for each sentence, after how many days what it tells began (see `_begun`).
    """

    told: tuple[Operation, ...]
    operations: tuple[Operation, ...]
    last: int
    before: Sequence[bool]
    onset: tuple[TimeMention, ...]
    spell: tuple[TimeMention, ...]
    relief: tuple[TimeMention, ...]
    review: tuple[TimeMention, ...]
    elapsed: float | None
    begun: Mapping[int, float | None]


def story(
    page: Page,
    document: Document,
    known: tuple[Operation, ...],
    names: Mapping[str, str],
    named: ops.Named,
    shared: int,
) -> Story:
    """names, named: of the procedures. shared: the bit of the lexicon that all chapters share."""
    found = ops.mentions(
        page.tokens,
        page.parts,
        lambda i: [s for s in page.concepts[i] if not s.hidden & shared],
        lambda i: page.modality(i, shared),
        page.times,
        page.text,
        document.name,
        names=names,
        lumbar=page.lumbar,
    )
    if document.kind == "operation_note" and document.date:
        found = ops.dated_by_note(found, page.parts, page.tokens, page.text, document.date)
    told = ops.merge(found, page.parts, named)
    operations = (*known, *told)
    before = narrative(page.tokens, page.parts, found, page.text, [bool(t & (MODALITIES | _APART)) for t in page.tags])
    onset, spell, relief, review = _intervals(page, before)
    since = elapsed(operations, review)
    since = _between(operations, document.date) if since is None else since
    last = max((m.segment for m in found if not m.anaphoric and not m.linked and narrates(page, m.segment)), default=0)
    return Story(told, operations, last, before, onset, spell, relief, review, since, _begun(page))


Times = tuple[TimeMention, ...]


def _between(operations: Sequence[Operation], written: str | None) -> float | None:
    """Days from the latest operation to the day the document was written, where both are known to the month."""
    today = middle_day(written)
    done = [day for o in operations if (day := middle_day(o.date)) is not None]
    return float((today - max(done)).days) if today and done and max(done) < today else None


def _intervals(page: Page, before: Sequence[bool]) -> tuple[Times, Times, Times, Times]:
    """Onset, spell, relief and review (see `Story`)."""
    onset: list[TimeMention] = []
    spell: list[TimeMention] = []
    relief: list[TimeMention] = []
    review: list[TimeMention] = []
    for index, part in enumerate(page.parts):
        if "past_history" in page.tags[index] or page.tags[index] & MODALITIES:
            continue
        here = [t for t in page.times_in(part) if not before[token_at(page.tokens, part, t.start)]]
        if not here:
            continue
        names = {c for s in page.concepts[index] for c in page.broader(s)}
        begins = bool(names & _BEGINS)
        onset += [t for t in here if begins and (t.kind == "after" or (t.kind == "ago" and "operation" not in names))]
        lasting = [t for t in here if t.kind == "duration"]
        well = [t for t in lasting if _WELL & names and not _after_return(page, index, t)]
        relief += well
        spell += [t for t in lasting if names & _LASTS and t not in well]
        review += [t for t in here if t.kind == "after" and not begins]
    return tuple(onset), tuple(spell), tuple(relief), tuple(review)


def _after_return(page: Page, index: int, time: TimeMention) -> bool:
    """What lasted is told after the return of the complaint: "did well; it came back and has lasted two years"."""
    spans = [s for s in page.concepts[index] if _BEGINS & set(page.broader(s))]
    return any(page.tokens[s.start].start < time.start for s in spans)


def narrates(page: Page, index: int) -> bool:
    """Whether a clause tells the story: no test, no examination, no list of earlier diseases."""
    return page.lumbar[index] and not page.tags[index] & (MODALITIES | _APART)


def began_within(told: Story, days: float, sentence: int) -> bool:
    """Whether what a sentence tells began less than this many days after the operation.

    Where no interval was told, the time since the operation counts: what is there now began before now.
    """
    stated = told.begun[sentence]
    since = told.elapsed if stated is None else stated
    return since is not None and since < days


def _begun(page: Page) -> dict[int, float | None]:
    """For each sentence the interval after the operation that it states itself, else the last one told before it; None before the first.

    An interval in a test report dates the test, so it counts for its own sentence only.
    """
    out: dict[int, float | None] = {}
    told: float | None = None
    for at, part in enumerate(page.parts):
        here = [t.days for t in page.times_in(part) if t.kind == "after" and t.days is not None]
        if here:
            out[part.sentence] = min(here)
            told = told if page.tags[at] & MODALITIES else min(here)
        else:
            out.setdefault(part.sentence, told)
    return out
