"""Read one text: operations first, then findings relative to them, each with its exact words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sequela.case import Course, Document, Event, Observation, Operation, Patient, Relation, Source, Status, Unread
from sequela.knowledge.model import Derived, Knowledge
from sequela.records.text import levels as lv
from sequela.records.text import operations as ops
from sequela.records.text.context import (
    FAMILY,
    HYPOTHETICAL,
    NEGATED,
    PAST,
    PLANNED,
    PREOP,
    UNCERTAIN,
    UNSAID,
    Modality,
    modality,
)
from sequela.records.text.course import course, earliest, elapsed
from sequela.records.text.lexicon import Matcher, Span
from sequela.records.text.measure import value_after, value_before
from sequela.records.text.narrative import narrative
from sequela.records.text.rules import CompiledRule, Match, Places, RuleBook, later
from sequela.records.text.rules import match as matches_of
from sequela.records.text.time import TimeMention, time_mentions
from sequela.records.text.tokens import Segment, Token, segments, tokenize

_MODALITIES = frozenset({"mri", "ct", "xray", "nuclear", "electrodiagnosis", "laboratory", "imaging"})
_SECTIONS = frozenset({"examination", "history", "past_history", "plan", "operation_note"})
_RELATIONS: dict[str, Relation] = {"rel_adjacent": "adjacent", "rel_operated": "operated", "rel_remote": "remote"}
_PRONOUN = frozenset("it they these both this which those its their that".split())
_AGE = re.compile(r"\b(\d{1,3})[- ]?(?:year|yr|y)s?[- ]?(?:old|o\b)(?! (?:mother|father|sister|brother|daughter|son|wife|husband|partner|injury|fracture|scan))|\baged? (\d{1,3})\b|\b(\d{2})[ ]?(?:yo|y/o|yrs|M|F)\b")
_DECADE = re.compile(r"\bin (?:his|her|their) (?:early |mid[- ]?|late )?(twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)\b")
_DECADES = {w: 25 + 10 * i for i, w in enumerate("twenties thirties forties fifties sixties seventies eighties nineties".split())}
_FEMALE = re.compile(r"\b(she|her|woman|female|lady|Mrs|Ms)\b")
_MALE = re.compile(r"\b(he|his|him|man|male|gentleman|Mr)\b")


class Reading(NamedTuple):
    """What one document says."""

    operations: tuple[Operation, ...]
    observations: tuple[Observation, ...]
    events: tuple[Event, ...]
    course: Course
    patient: Patient
    unread: tuple[Unread, ...]


def by_age(derived: Sequence[Derived], age: int, known: Collection[str], source: Source | None = None) -> list[Observation]:
    """Findings that follow from an age in years, but for those known already."""
    return [
        Observation(rule.finding, "present" if age > rule.age_above else "absent", float(age), "years", source=source)
        for rule in derived
        if rule.age_above is not None and rule.finding not in known
    ]


class TextReader:
    """Compiled once per knowledge base; `read` is pure and safe to call from several threads."""

    def __init__(self, knowledge: Knowledge) -> None:
        lexicon = knowledge.lexicon
        self.matcher = Matcher(lexicon, knowledge.version)
        self.rules = RuleBook(lexicon, self.matcher.spaces)
        self.shared = self.matcher.spaces.get("", 0)
        self.names = {p.id: p.name for p in knowledge.procedures}
        self.traits = {p.id: frozenset((*p.traits, p.family)) for p in knowledge.procedures}
        self.own_traits = {p.id: p.traits for p in knowledge.procedures}
        self.manifestation = {f.id: f.manifestation for f in knowledge.findings}
        self.kinds = {f.id: f.kind for f in knowledge.findings}
        self.derived = knowledge.derived

    def read(self, document: Document, known: Sequence[Operation] = ()) -> Reading:
        """Everything the document says. known: operations from other documents of the same record."""
        return _Page(self, document, tuple(known)).reading()


class _Page:
    """Working state for one document."""

    def __init__(self, reader: TextReader, document: Document, known: tuple[Operation, ...]) -> None:
        self.reader, self.document, self.text, self.known = reader, document, document.text, known
        self.tokens = tokenize(self.text)
        self.parts = segments(self.text, self.tokens)
        spans = reader.matcher.spans(self.tokens)
        self.concepts: list[list[Span]] = []
        self.triggers: list[list[Span]] = []
        self._deal(spans)
        self._modalities: dict[tuple[int, int], Modality] = {}
        self._places_of: dict[int, Places] = {}
        self.tags = _tags(self.parts, self.triggers, self.tokens, self.text, document.kind)
        self.lumbar = _regions(self)
        self.times = time_mentions(self.text)
        self._time_starts = [t.start for t in self.times]
        self._now_met: dict[int, list[int]] = {}

    def _deal(self, spans: list[Span]) -> None:
        """Give every span to its segment."""
        at = 0
        for part in self.parts:
            concepts: list[Span] = []
            triggers: list[Span] = []
            while at < len(spans) and spans[at].start < part.start:
                at += 1
            i = at
            while i < len(spans) and spans[i].start < part.end:
                if spans[i].end <= part.end:
                    (triggers if spans[i].concept[0] in "!%" else concepts).append(spans[i])
                i += 1
            at = i
            self.concepts.append(concepts)
            self.triggers.append([t._replace(concept=t.concept.replace("!%", "%")) for t in triggers])

    def modality(self, index: int, bit: int) -> Modality:
        """What the triggers of a segment do, as a chapter sees it: words inside one of its forms, or a shared one, do not trigger."""
        known = self._modalities.get((index, bit))
        if known is None:
            part = self.parts[index]
            live = [t for t in self.triggers[index] if t.concept[0] == "!" and not t.hidden & bit]
            known = self._modalities[index, bit] = modality(self.tokens, part.start, part.end, live)
        return known

    def reading(self) -> Reading:
        found = ops.mentions(
            self.tokens,
            self.parts,
            lambda i: [s for s in self.concepts[i] if not s.hidden & self.reader.shared],
            lambda i: self.modality(i, self.reader.shared),
            self.times,
            self.text,
            self.document.name,
            names=self.reader.names,
            lumbar=self.lumbar,
        )
        operations = ops.merge(found, self.parts)
        self.operations = (*self.known, *operations)
        fixed = [bool(tags & (_MODALITIES | {"examination", "past_history"})) for tags in self.tags]
        self.found = found
        self.before = narrative(self.tokens, self.parts, found, self.text, fixed)
        self.used: list[tuple[int, int]] = []
        onset, spell, review = self._intervals()
        self.elapsed = elapsed(self.operations, review)
        self.early = earliest(self.operations, onset, review)
        patient = _patient(self.text)
        observations = [*self._observations(), *self._derived(operations)]
        observations += self._by_age({o.id for o in observations})
        return Reading(
            operations,
            tuple(observations),
            tuple(_operation_event(o) for o in operations),
            course(observations, self.operations, onset, spell, review, self.reader.manifestation),
            patient,
            tuple(self._unread()),
        )

    # findings ------------------------------------------------------------------------------------------------------------

    def _observations(self) -> list[Observation]:
        found: dict[tuple[str, str, int], Observation] = {}
        conditional: list[tuple[tuple[str, str, int], Observation, tuple[str, ...]]] = []
        for index in range(len(self.parts)):
            if not self.lumbar[index]:
                continue
            for match in self.reader.rules.matches(self._places(index)):
                observation = self._observe(match, index)
                if observation is None:
                    continue
                key: tuple[str, str, int] = (observation.id, observation.status, self.parts[index].sentence)
                if match.compiled.rule.unless:
                    conditional.append((key, observation, match.compiled.rule.unless))
                else:
                    found.setdefault(key, observation)
        for story in self.reader.rules.stories:
            told = self._story(story)
            if told is not None:
                found.setdefault((told.id, told.status, -1), told)
        present = {o.id for o in found.values() if o.status == "present"}
        for key, observation, unless in conditional:
            if present.isdisjoint(unless):
                found.setdefault(key, observation)
        return list(found.values())

    def _derived(self, operations: Sequence[Operation]) -> list[Observation]:
        """Findings that follow from an operation this document tells of."""
        out = []
        for rule in self.reader.derived:
            for operation in operations:
                reached = {v for s in operation.levels for v in s.split("-")}
                if rule.trait in self.reader.own_traits.get(operation.procedure, ()) and rule.reaches in reached:
                    out.append(Observation(rule.finding, "present", source=operation.source))
                    break
        return out

    def _by_age(self, known: set[str]) -> list[Observation]:
        """Findings that follow from the age the text states."""
        stated = _age(self.text)
        if stated is None:
            return []
        age, start, end = stated
        return by_age(self.reader.derived, age, known, Source(self.document.name, start, end, self.text[start:end]))

    def _story(self, compiled: CompiledRule) -> Observation | None:
        """What two clauses tell together: the first after the operation, the second, later, of how it is now."""
        if not self.operations:
            return None
        after = min((m.segment for m in self.found), default=0)
        for index in range(after, len(self.parts)):
            if not self._narrates(index):
                continue
            for match in matches_of(compiled, self._places(index)):
                told = self._observe(match, index)
                if told is not None and told.status == "present" and self._continues(later(compiled), match):
                    return told
        return None

    def _narrates(self, index: int) -> bool:
        return self.lumbar[index] and not self.tags[index] & (_MODALITIES | {"examination", "past_history"})

    def _continues(self, second: CompiledRule, first: Match) -> bool:
        """Whether the second clause of a story is met, of now, after the first."""
        starts = self._now_met.get(second.order)
        if starts is None:
            starts = self._now_met[second.order] = [
                match.start
                for index in range(len(self.parts))
                if self._narrates(index)
                for match in matches_of(second, self._places(index))
                if self._status(match, index) == "present"
            ]
        return max(starts, default=-1) >= first.end

    def _places(self, index: int) -> Places:
        """Concepts of a segment; a segment that starts with a pronoun also sees the one before it."""
        known = self._places_of.get(index)
        if known is not None:
            return known
        places: Places = {}
        self._places_of[index] = places
        part = self.parts[index]
        spans = list(self.concepts[index])
        opening = {t.text.lower() for t in self.tokens[part.start : part.start + 3]}
        if index and opening & _PRONOUN and self.parts[index - 1].sentence >= part.sentence - 1:
            spans = self.concepts[index - 1] + spans
        for span in spans:
            for concept in self.reader.matcher.closure.get(span.concept, (span.concept,)):
                places.setdefault(concept, []).append(span)
        for trigger in self.triggers[index]:
            places.setdefault(trigger.concept, []).append(trigger)
        for i in range(part.start, part.end):
            if self.tokens[i].kind == "level":
                places.setdefault("@level", []).append(Span("@level", i, i + 1))
        for time in self._times_in(part):
            first, last = _token_at(self.tokens, part, time.start), _token_at(self.tokens, part, time.end - 1)
            places.setdefault("@" + time.kind, []).append(Span("@" + time.kind, first, last + 1))
        return places

    def _times_in(self, part: Segment) -> list[TimeMention]:
        low, high = self.tokens[part.start].start, self.tokens[part.end - 1].end
        return self.times[bisect_left(self._time_starts, low) : bisect_left(self._time_starts, high)]

    def _observe(self, match: Match, index: int) -> Observation | None:
        compiled, part = match.compiled, self.parts[index]
        rule = compiled.rule
        if "operation_note" in self.tags[index] and self.reader.kinds.get(compiled.finding) != "history":
            return None  # what was seen and done on the table is not how the patient is now
        if match.end <= part.start or not self._in_setting(rule.setting, rule.not_setting, index) or not self._needed(rule.needs):
            return None
        if rule.elapsed_below is not None and self.elapsed is not None and self.elapsed >= rule.elapsed_below:
            return None
        if rule.onset_below is not None and not (self.early is not None and self.early < rule.onset_below):
            return None
        status = self._status(match, index)
        if status is None:
            return None
        value = None
        if rule.value is not None:
            value = self._value(match, rule.value, rule.unit, part)
            if value is None:
                return None
            inside = (rule.above is None or value > rule.above) and (rule.below is None or value < rule.below)
            status = status if inside else "absent"
        level = self._level(match, index)
        relation = self._relation(index, match, level)
        if rule.relation and (relation or "unknown") not in rule.relation:
            return None
        start, end = self.tokens[match.start].start, self.tokens[match.end - 1].end
        self.used.append((match.start, match.end))
        return Observation(
            compiled.finding,
            status,
            value,
            rule.unit if value is not None else None,
            level,
            lv.side_in(self.tokens, max(part.start, match.start - 8), min(part.end, match.end + 8), match.start),
            self._date(index),
            relation,
            Source(self.document.name, start, end, self.text[start:end]),
        )

    def _status(self, match: Match, index: int) -> Status | None:
        flags = 0
        for span in match.spans:
            owner = index if span.start >= self.parts[index].start else index - 1
            flags |= self.modality(owner, match.compiled.bit).of(span)
            if self.before[span.start]:
                flags |= PREOP
        rule = match.compiled.rule
        if flags & (FAMILY | HYPOTHETICAL | UNSAID) or (flags & PLANNED and self.reader.kinds.get(match.compiled.finding) != "history"):
            return None
        if flags & (PREOP | PAST) and rule.tense == "current":
            return None
        if flags & NEGATED and rule.negatable:
            return "absent" if rule.says != "absent" else None
        if flags & UNCERTAIN and rule.says == "present":
            return "uncertain"
        return rule.says

    def _in_setting(self, setting: tuple[str, ...], outside: tuple[str, ...], index: int) -> bool:
        tags = self.tags[index]
        if outside and tags & set(outside):
            return False
        known = tags & _MODALITIES
        return not setting or bool(tags & set(setting)) or not (known if set(setting) & _MODALITIES else tags)

    def _needed(self, needs: tuple[str, ...]) -> bool:
        if not needs:
            return True
        facts = {"operation"} if self.operations else set()
        for operation in self.operations:
            facts |= self.reader.traits.get(operation.procedure, frozenset())
        return all(n in facts for n in needs)

    def _value(self, match: Match, concept: str, unit: str | None, part: Segment) -> float | None:
        for span in match.spans:
            if concept in self.reader.matcher.closure.get(span.concept, ()):
                value = value_after(self.tokens, span.end, part.end, self.text, unit)
                if value is None:
                    value = value_before(self.tokens, span.start, part.start, self.text, unit)
                if value is not None:
                    return value
        return None

    def _level(self, match: Match, index: int) -> str | None:
        part = self.parts[index]
        stated = [(n, at) for n, at in lv.levels_in(self.tokens, part.start, part.end) if lv.is_lumbar(n)]
        if not stated and index and self.parts[index - 1].sentence == part.sentence:
            previous = self.parts[index - 1]
            stated = [(n, at) for n, at in lv.levels_in(self.tokens, previous.start, previous.end) if lv.is_lumbar(n)]
        if not stated:
            return None
        centre = (match.start + match.end) / 2
        numbers, _ = min(stated, key=lambda s: abs(s[1] - centre))
        return lv.level_name(numbers)

    def _relation(self, index: int, match: Match, level: str | None) -> Relation | None:
        nearest: tuple[int, Relation] | None = None
        for span in self.concepts[index]:
            told = _RELATIONS.get(span.concept)
            if told is not None:
                gap = max(match.start - span.end, span.start - match.end, 0)
                if nearest is None or gap < nearest[0]:
                    nearest = (gap, told)
        return nearest[1] if nearest else lv.relation(level, self.operations)

    def _date(self, index: int) -> str | None:
        dates = [t.date for t in self._times_in(self.parts[index]) if t.kind == "date"]
        return dates[0] if dates else self.document.date

    # course and rest -----------------------------------------------------------------------------------------------------

    def _intervals(self) -> tuple[list[TimeMention], list[TimeMention], list[TimeMention]]:
        """Intervals of the story: from the operation to a complaint, lengths of complaint or relief, and when the patient was seen."""
        onset: list[TimeMention] = []
        spell: list[TimeMention] = []
        review: list[TimeMention] = []
        for index, part in enumerate(self.parts):
            if "past_history" in self.tags[index] or self.tags[index] & _MODALITIES:
                continue
            here = [t for t in self._times_in(part) if not self.before[_token_at(self.tokens, part, t.start)]]
            if not here:
                continue
            names = {c for s in self.concepts[index] for c in self.reader.matcher.closure.get(s.concept, ())}
            begins = bool(names & {"return", "new", "sudden", "complaint"})
            onset += [t for t in here if t.kind == "after" and begins]
            spell += [t for t in here if t.kind == "duration" and names & {"complaint", "good_result", "worse", "progressive"}]
            review += [t for t in here if t.kind == "after" and not begins]
        return onset, spell, review

    def _unread(self) -> list[Unread]:
        """Segments that name a structure and an abnormality although no finding used them."""
        out = []
        for index, part in enumerate(self.parts):
            if not self.lumbar[index] or len(self.concepts[index]) < 2:
                continue
            if any(a < part.end and b > part.start for a, b in self.used):
                continue
            start, end = self.tokens[part.start].start, self.tokens[part.end - 1].end
            out.append(Unread(self.text[start:end], Source(self.document.name, start, end, self.text[start:end])))
        return out


def _token_at(tokens: Sequence[Token], part: Segment, offset: int) -> int:
    for i in range(part.start, part.end):
        if tokens[i].end > offset:
            return i
    return part.end - 1


def _tags(parts: Sequence[Segment], triggers: Sequence[Sequence[Span]], tokens: Sequence[Token], text: str, kind: str) -> list[frozenset[str]]:
    """Section and modality of each segment.

    A heading holds until the next one, a modality to the end of its paragraph or until the next one. "On examination" opens a section until
    somebody tells again ("she reports"); in the middle of a sentence it holds for that sentence.
    """
    section: set[str] = {kind} if kind in _SECTIONS | _MODALITIES else set()
    active: set[str] = set()
    passing: tuple[int, set[str]] = (-1, set())
    out = []
    for index, part in enumerate(parts):
        if index and text[tokens[parts[index - 1].end - 1].end : tokens[part.start].start].count("\n") > 1:
            active = set()
        named = {t.concept[1:] for t in triggers[index] if t.concept[0] == "%"} - {"cervical", "lumbar"}
        if named & _MODALITIES:
            active = named & _MODALITIES
        if named & _SECTIONS and _opens(triggers[index], part, tokens):
            section, active = named & _SECTIONS, named & _MODALITIES
        elif _examines(triggers[index], part):
            section, active = {"examination"}, named & _MODALITIES
        elif "examination" in named:
            passing = (part.sentence, {"examination"})
        elif "imaging" in named and _opens(triggers[index], part, tokens):
            section = set()
        elif "told" in named and section == {"examination"} and kind != "examination":
            section = set()
        out.append(frozenset(section | active | (passing[1] if passing[0] == part.sentence else set())))
    return out


def _examines(triggers: Sequence[Span], part: Segment) -> bool:
    """The clause begins with the examination ("On examination", "Neurological examination showed")."""
    return any(t.concept == "%examination" and t.start <= part.start + 2 for t in triggers)


def _opens(triggers: Sequence[Span], part: Segment, tokens: Sequence[Token]) -> bool:
    """The cue stands at the start of the segment and before a colon, or is the whole line: a heading."""
    for trigger in triggers:
        if trigger.concept[0] == "%" and trigger.start <= part.start + 1:
            following = tokens[trigger.end].text if trigger.end < part.end else ":"
            if following in ":-–" or trigger.end >= part.end:
                return True
    return False


_SACRAL = frozenset({"saddle", "bladder", "bowel", "sphincter", "cauda", "thecal_sac"})


def _regions(page: _Page) -> list[bool]:
    """Whether each segment speaks of the lower spine and legs.

    A report on the neck or shoulder holds until the low back is named; where the document names a lumbar level or operation at all, a word about
    the neck holds for its own sentence only. Bladder, bowel and saddle are never the neck's: an emergency must not hide behind an old neck operation.
    """
    levels = [[n for n, _ in lv.levels_in(page.tokens, p.start, p.end)] for p in page.parts]
    named = [{t.concept for t in triggers} for triggers in page.triggers]
    about_both = any(lv.is_lumbar(n) for found in levels for n in found) or any("%lumbar" in n for n in named)
    lumbar, sentence, out = True, -1, []
    for index, part in enumerate(page.parts):
        if about_both and part.sentence != sentence:
            lumbar = True
        sentence = part.sentence
        low = "%lumbar" in named[index] or any(lv.is_lumbar(n) for n in levels[index])
        high = "%cervical" in named[index] or any(max(n) <= 7 for n in levels[index])
        if low:
            lumbar = True
        elif high:
            lumbar = False
        sacral = any(s.concept in _SACRAL for s in page.concepts[index])
        out.append(lumbar or sacral)
    return out


def _operation_event(operation: Operation) -> Event:
    where = f" {', '.join(operation.levels)}" if operation.levels else ""
    return Event("operation", operation.name + where, operation.date, operation.months_ago, operation.source)


def _age(text: str) -> tuple[int, int, int] | None:
    """Age in years and where it stands: "63-year-old", "aged 63", "in his sixties" (taken as 65)."""
    match = _AGE.search(text)
    if match:
        return int(next(g for g in match.groups() if g)), match.start(), match.end()
    decade = _DECADE.search(text)
    return (_DECADES[decade[1]], decade.start(), decade.end()) if decade else None


def _patient(text: str) -> Patient:
    age = _age(text)
    women, men = len(_FEMALE.findall(text)), len(_MALE.findall(text))
    sex = "female" if women > men else "male" if men > women else None
    return Patient(age=age[0] if age else None, sex=sex)  # type: ignore[arg-type]
