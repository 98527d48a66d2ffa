"""Read one text: operations first, then findings relative to them, each with its exact words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sequela.case import (
    Course,
    Document,
    Event,
    NerveSign,
    Observation,
    Operation,
    Patient,
    Relation,
    Source,
    Status,
    Unperformed,
    Unread,
)
from sequela.knowledge.model import Derived, Knowledge, Rule
from sequela.records.text import levels as lv
from sequela.records.text.context import FAMILY, HYPOTHETICAL, NEGATED, PAST, PLANNED, PREOP, UNCERTAIN, UNSAID
from sequela.records.text.course import course
from sequela.records.text.lexicon import Matcher
from sequela.records.text.measure import Measured, value_after, value_before
from sequela.records.text.page import PRONOUNS, Page
from sequela.records.text.person import patient, stated_age
from sequela.records.text.rules import CompiledRule, Match, RuleBook, later
from sequela.records.text.rules import match as matches_of
from sequela.records.text.sections import MODALITIES
from sequela.records.text.signs import signs
from sequela.records.text.story import Story, began_within, narrates, story
from sequela.records.text.tokens import Segment
from sequela.records.text.unperformed import unperformed

_RELATIONS: dict[str, Relation] = {"rel_adjacent": "adjacent", "rel_operated": "operated", "rel_remote": "remote"}


_NOT_NOW = frozenset({"operation_note", "past_history"})
_TOLD = frozenset({"history", "symptom", "questionnaire", "examination"})
"""Kinds of findings that are as old as the document that tells them."""
_LASTING = frozenset({"history", "questionnaire", "laboratory", "block"})


class Reading(NamedTuple):
    """What one document says."""

    operations: tuple[Operation, ...]
    observations: tuple[Observation, ...]
    events: tuple[Event, ...]
    course: Course
    patient: Patient
    unread: tuple[Unread, ...]
    unperformed: tuple[Unperformed, ...] = ()
    nerve_signs: tuple[NerveSign, ...] = ()


def by_age(
    derived: Sequence[Derived], age: int, known: Collection[str], source: Source | None = None
) -> list[Observation]:
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
        self.named = {p.id: p.named for p in knowledge.procedures}
        self.traits = {p.id: frozenset((*p.traits, p.family)) for p in knowledge.procedures}
        self.own_traits = {p.id: p.traits for p in knowledge.procedures}
        self.manifestation = {f.id: f.manifestation for f in knowledge.findings}
        self.kinds = {f.id: f.kind for f in knowledge.findings}
        known = knowledge.localisation.structures if knowledge.localisation else ()
        self.structures = {s.id: s for s in known}
        self.nerves = self.matcher.spaces.get("localisation", 0)
        self.derived = knowledge.derived
        self.of_the_person = {d.finding for d in knowledge.derived if d.age_above is not None or d.trait is not None}

    def read(self, document: Document, known: Sequence[Operation] = ()) -> Reading:
        """Everything the document says. known: operations from other documents of the same record."""
        page = Page(self.matcher, document.text, document.kind)
        told = story(page, document, tuple(known), self.names, self.named, self.shared)
        search = _Search(self, document, page, told)
        observations = [*search.observations(), *self._derived(told.told)]
        observations += self._by_age(document, {o.id for o in observations})
        observations += self._together(observations)
        return Reading(
            told.told,
            tuple(observations),
            tuple(_operation_event(o) for o in told.told),
            course(
                observations,
                told.operations,
                told.onset,
                told.spell,
                told.relief,
                told.review,
                told.elapsed,
                self.manifestation,
            ),
            patient(document.text),
            tuple(search.unread()),
            unperformed(page, document.name, self.names, self.shared),
            signs(page, told, self.structures, document.name, self.nerves),
        )

    def _derived(self, operations: Sequence[Operation]) -> list[Observation]:
        """Findings that follow from an operation this document tells of."""
        out = []
        for rule in self.derived:
            for operation in operations:
                reached = {v for s in operation.levels for v in s.split("-")}
                if rule.trait in self.own_traits.get(operation.procedure, ()) and rule.reaches in reached:
                    out.append(Observation(rule.finding, "present", source=operation.source))
                    break
        return out

    def _together(self, observations: Sequence[Observation]) -> list[Observation]:
        """Findings that follow from several others, each in a sentence of its own ("Power is full. Sensation is normal.")."""
        stated = {(o.id, o.status): o for o in reversed(observations)}
        out = []
        for rule in self.derived:
            needed: list[tuple[str, Status]] = [(id_, "present") for id_ in rule.present]
            needed += [(id_, "absent") for id_ in rule.absent]
            known = any(id_ == rule.finding for id_, _ in stated)
            if needed and not known and all(pair in stated for pair in needed):
                out.append(Observation(rule.finding, "present", source=stated[needed[0]].source))
        return out

    def _by_age(self, document: Document, known: set[str]) -> list[Observation]:
        """Findings that follow from the age the text states."""
        stated = stated_age(document.text)
        if stated is None:
            return []
        age, start, end = stated
        return by_age(self.derived, age, known, Source(document.name, start, end, document.text[start:end]))


Key = tuple[str, str, int]
"""(finding, status, sentence): said twice in one sentence counts once."""


class _Search:
    """The search for findings in one page. It remembers only which words were used."""

    def __init__(self, reader: TextReader, document: Document, page: Page, told: Story) -> None:
        self.reader, self.document, self.page, self.told = reader, document, page, told
        self.used = bytearray(len(page.tokens))  # 1 where a finding rests on the word
        self.blocks = lv.blocks(told.operations)
        self._now_met: dict[int, list[int]] = {}
        self._facts = {"operation"} if told.operations else set()
        for operation in told.operations:
            self._facts |= reader.traits.get(operation.procedure, frozenset())

    def observations(self) -> list[Observation]:
        found: dict[Key, Observation] = {}
        conditional: list[tuple[Key, Observation, tuple[str, ...]]] = []

        def keep(observation: Observation | None, rule: Rule, sentence: int) -> None:
            if observation is None:
                return
            key = (observation.id, observation.status, sentence)
            if rule.unless:
                conditional.append((key, observation, rule.unless))
            else:
                found.setdefault(key, observation)

        for index, part in enumerate(self.page.parts):
            if self.page.lumbar[index]:
                for match in self.reader.rules.matches(self.page.places(index)):
                    keep(self._observe(match, index), match.compiled.rule, part.sentence)
        for compiled in self.reader.rules.stories:
            keep(self._story(compiled), compiled.rule, -1)
        present = {o.id for o in found.values() if o.status == "present"}
        for key, observation, unless in conditional:
            if present.isdisjoint(unless):
                found.setdefault(key, observation)
        return _settled(found)

    def unread(self) -> list[Unread]:
        """Clauses that name a structure and an abnormality although no finding used them."""
        out = []
        for index, part in enumerate(self.page.parts):
            if not self.page.lumbar[index] or len(self.page.concepts[index]) < 2:
                continue
            if 1 in self.used[part.start : part.end]:
                continue
            start, end, words = self.page.words(part.start, part.end)
            out.append(Unread(words, Source(self.document.name, start, end, words)))
        return out

    def _story(self, compiled: CompiledRule) -> Observation | None:
        """What two clauses tell together: the first after the operation, the second, later, of how it is now."""
        if not self.told.operations:
            return None
        for index in range(self.told.last, len(self.page.parts)):
            if not narrates(self.page, index):
                continue
            for match in matches_of(compiled, self.page.places(index)):
                told = self._observe(match, index)
                if told is not None and told.status == "present" and self._continues(later(compiled), match):
                    return told
        return None

    def _continues(self, second: CompiledRule, first: Match) -> bool:
        """Whether the second clause of a story is met, of now, after the first."""
        starts = self._now_met.get(second.order)
        if starts is None:
            starts = self._now_met[second.order] = [
                match.start
                for index in range(len(self.page.parts))
                if narrates(self.page, index)
                for match in matches_of(second, self.page.places(index))
                if self._status(match, index) == "present"
            ]
        return max(starts, default=-1) >= first.end

    def _observe(self, match: Match, index: int) -> Observation | None:
        compiled, part = match.compiled, self.page.parts[index]
        rule = compiled.rule
        if self.page.tags[index] & _NOT_NOW and self.reader.kinds.get(compiled.finding) not in _LASTING:
            return (
                None  # what was seen on the table, or is listed among earlier diseases, is not how the patient is now
            )
        if match.end <= part.start or not self._applies(rule, index):
            return None
        status = self._status(match, index)
        if status is None:
            return None
        measured = None
        if rule.value is not None:
            measured = self._value(match, rule.value, rule.unit, part)
            if measured is None:
                return None
            if not _inside(measured.value, rule):
                if rule.outside == "nothing":
                    return None
                status = "absent"
        of_the_person = compiled.finding in self.reader.of_the_person
        level = None if of_the_person else self._level(match, index)
        relation = self._relation(index, match, level)
        if rule.relation and (relation or "unknown") not in rule.relation:
            return None
        first, last = match.start, match.end
        if last - first == 1 and self.page.tokens[first].text.lower() in PRONOUNS:
            first, last = part.start, part.end  # "It" alone says nothing: the clause does
        if measured is not None:  # the words quoted hold the number
            first, last = min(first, measured.at), max(last, measured.at + 1)
        start, end, words = self.page.words(first, last)
        self.used[match.start : match.end] = b"\1" * (match.end - match.start)
        low, high = max(part.start, match.start - 8), min(part.end, match.end + 8)
        return Observation(
            compiled.finding,
            status,
            measured.value if measured is not None else None,
            measured.unit if measured is not None else None,
            level,
            None if of_the_person else lv.side_in(self.page.tokens, low, high, match.start),
            None if of_the_person else self._date(index, compiled.finding),
            None if of_the_person else relation,
            Source(self.document.name, start, end, words),
        )

    def _applies(self, rule: Rule, index: int) -> bool:
        """Whether section, operations and time allow the rule in this clause."""
        if not self._in_setting(rule.setting, rule.not_setting, index) or not self._facts.issuperset(rule.needs):
            return False
        passed = self.told.elapsed
        if rule.elapsed_below is not None and passed is not None and passed >= rule.elapsed_below:
            return False
        return rule.onset_below is None or began_within(self.told, rule.onset_below, self.page.parts[index].sentence)

    def _in_setting(self, setting: tuple[str, ...], outside: tuple[str, ...], index: int) -> bool:
        tags = self.page.tags[index]
        if outside and tags & set(outside):
            return False
        known = tags & MODALITIES
        return not setting or bool(tags & set(setting)) or not (known if set(setting) & MODALITIES else tags)

    def _status(self, match: Match, index: int) -> Status | None:
        flags = 0
        for span in match.spans:
            owner = index if span.start >= self.page.parts[index].start else index - 1
            flags |= self.page.modality(owner, match.compiled.bit).of(span)
            if self.told.before[span.start]:
                flags |= PREOP
        rule = match.compiled.rule
        if flags & (FAMILY | HYPOTHETICAL | UNSAID) or (
            flags & PLANNED and self.reader.kinds.get(match.compiled.finding) != "history"
        ):
            return None
        if flags & (PREOP | PAST) and rule.tense == "current":
            return None
        if (
            flags & NEGATED and rule.negatable and rule.value is None
        ):  # a number is what it is, whatever was denied before it
            if match.compiled.finding in self.reader.of_the_person:
                return None  # "fused to S1, no lucency": the denial is of something else
            return "absent" if rule.says != "absent" else None
        if flags & UNCERTAIN and rule.says == "present":
            return "uncertain"
        return rule.says

    def _value(self, match: Match, concept: str, unit: str | None, part: Segment) -> Measured | None:
        tokens, text = self.page.tokens, self.page.text
        for span in match.spans:
            if concept in self.page.broader(span):
                measured = value_after(tokens, span.end, part.end, text, unit)
                if measured is None:
                    measured = value_before(tokens, span.start, part.start, text, unit)
                if measured is not None:
                    return measured
        return None

    def _level(self, match: Match, index: int) -> str | None:
        tokens, part = self.page.tokens, self.page.parts[index]
        stated = [(n, at) for n, at in lv.levels_in(tokens, part.start, part.end) if lv.is_lumbar(n)]
        if not stated and index and self.page.parts[index - 1].sentence == part.sentence:
            previous = self.page.parts[index - 1]
            stated = [(n, at) for n, at in lv.levels_in(tokens, previous.start, previous.end) if lv.is_lumbar(n)]
        if not stated:
            return None
        centre = (match.start + match.end) / 2
        numbers, _ = min(stated, key=lambda s: abs(s[1] - centre))
        return lv.level_name(numbers)

    def _relation(self, index: int, match: Match, level: str | None) -> Relation | None:
        nearest: tuple[int, Relation] | None = None
        for span in self.page.concepts[index]:
            told = _RELATIONS.get(span.concept)
            if told is not None:
                gap = max(match.start - span.end, span.start - match.end, 0)
                if nearest is None or gap < nearest[0]:
                    nearest = (gap, told)
        return nearest[1] if nearest else lv.relation(level, self.blocks)

    def _date(self, index: int, finding: str) -> str | None:
        """A test is of the day its clause gives. What is told or examined is of the day of the document: "leg pain since 2019" is now."""
        if self.reader.kinds.get(finding) not in _TOLD or self.document.date is None:
            dates = [t.date for t in self.page.times_in(self.page.parts[index]) if t.kind == "date"]
            return dates[0] if dates else self.document.date
        return self.document.date


def _inside(value: float, rule: Rule) -> bool:
    return (rule.above is None or value > rule.above) and (rule.below is None or value < rule.below)


def _settled(found: dict[Key, Observation]) -> list[Observation]:
    """Without the denials made of words that state the finding: "the ankle jerk is absent" denies no finding, its last word is the finding."""
    stated = [(key[0], key[2], o.source) for key, o in found.items() if o.status == "present" and o.source is not None]
    places: dict[tuple[str, int], Source] = {(name, sentence): source for name, sentence, source in stated}
    return [o for key, o in found.items() if o.status != "absent" or not _same_words(o, places.get((key[0], key[2])))]


def _same_words(observation: Observation, place: Source | None) -> bool:
    own = observation.source
    return own is not None and place is not None and own.start < place.end and place.start < own.end


def _operation_event(operation: Operation) -> Event:
    where = f" {', '.join(operation.levels)}" if operation.levels else ""
    return Event("operation", operation.name + where, operation.date, operation.months_ago, operation.source)
