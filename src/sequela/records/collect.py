"""Coded statements of any format, turned into facts with the words they rest on.

FHIR and C-CDA say the same things in two ways; their readers reduce each to a `Coded` statement and hand it to one `Collector`,
so that a resolved condition, a refused operation or a converted unit means the same whichever file it came from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from sequela.case import Document, Event, Observation, Operation, Patient, Problem, Source, Status
from sequela.knowledge.codes import Codes, Meaning
from sequela.knowledge.codes_model import Analyte, Medication
from sequela.records import dates
from sequela.records.gathered import Gathered
from sequela.records.sites import Place, place


class Coding(NamedTuple):
    system: str
    code: str
    display: str = ""


class Coded(msgspec.Struct, frozen=True):
    """One statement of a structured record.

    key: its place in the file, "Condition/123". text: its words. date: ISO, possibly only a year. past: resolved or stopped.
    site: words for the body site. notes: further words to be read with it.
    """

    key: str
    text: str = ""
    patient: str | None = None
    codings: tuple[Coding, ...] = ()
    date: str | None = None
    status: Status = "present"
    past: bool = False
    site: str = ""
    site_codings: tuple[Coding, ...] = ()
    notes: tuple[str, ...] = ()
    implants: tuple[str, ...] = ()


class Value(msgspec.Struct, frozen=True):
    """A measured value. comparator: <, <=, >, >=. flag: high, low, normal, as the laboratory marked it."""

    number: float | None = None
    text: str = ""
    unit: str = ""
    comparator: str = ""
    flag: str = ""


class _Course(NamedTuple):
    """One documented stretch of taking a drug of a group."""

    start: date
    end: date
    current: bool
    date: str | None
    source: Source


class Collector:
    """Gathers the facts of one file. today: the day up to which an unfinished medication counts as taken."""

    def __init__(self, name: str, codes: Codes, today: date) -> None:
        self.name = name
        self.codes = codes
        self.today = today
        self.problems: list[Problem] = []
        self.narrated = False
        """True while the words of coded statements also stand in a narrative that is read: then only the codes are taken."""
        self._patients: list[Patient] = []
        self._identifiers: dict[str, tuple[str, ...]] = {}
        self._documents: dict[str, Document] = {}
        self._owners: dict[str, str] = {}
        self._seen: set[tuple[str | None, str, str | None, str]] = set()
        self._operations: dict[tuple[object, ...], Operation] = {}
        self._observations: list[Observation] = []
        self._events: list[Event] = []
        self._sheets: dict[tuple[str | None, str | None, str], dict[str, None]] = {}
        self._lists: dict[tuple[str | None, str], dict[tuple[str, str], None]] = {}
        self._courses: dict[tuple[str | None, str], list[_Course]] = {}
        self._implants: dict[tuple[str | None, str | None], list[str]] = {}

    def problem(self, what: str, mend: str, part: str = "") -> None:
        """One thing of this file that could not be read."""
        self.problems.append(Problem(f"{self.name}, {part}" if part else self.name, what, mend))

    def patient(self, patient: Patient, identifiers: Sequence[str] = ()) -> None:
        self._patients.append(patient)
        if patient.id is not None and identifiers:
            known = self._identifiers.get(patient.id, ())
            self._identifiers[patient.id] = tuple(dict.fromkeys((*known, *identifiers)))

    def document(
        self, key: str, text: str, kind: str = "text", day: str | None = None, owner: str | None = None
    ) -> Document | None:
        """A document of this file; None when the same words of the same patient and day are already there, or none are."""
        text = text.strip()
        content = (owner, kind, day, text)
        if not text or content in self._seen:
            return None
        self._seen.add(content)
        name = f"{self.name}#{key}" if key else self.name
        number = 2
        while name in self._documents:
            name = f"{self.name}#{key}~{number}"
            number += 1
        document = Document(name, text, kind, day)
        self._documents[name] = document
        if owner is not None:
            self._owners[name] = owner
        return document

    def event(self, kind: str, label: str, day: str | None, document: Document, words: str) -> None:
        self._events.append(Event(kind, label, day, source=source_of(document, words)))

    def begun(self, key: str, start: str | None, end: str | None) -> str | None:
        """The start of something, unless it ends before it starts: then neither date can be relied on."""
        if start and end and dates.after(start, end):
            self.problem(
                f"ends ({end}) before it begins ({start})", "correct the dates; they were not used for time", key
            )
            return None
        return start

    def condition(self, coded: Coded) -> None:
        """A diagnosis, symptom or history: a finding where the code says one, else words to be read."""
        meanings = self._meanings(coded)
        words = self._words(coded, meanings)
        if not meanings and not coded.notes:
            self.listed("problems", coded, _worded(coded, words))
            return
        unproved = any(meaning.kind == "cause" for meaning in meanings)
        known = bool(meanings) and not unproved and self._says_no_more(coded, meanings)
        kind = "coded" if known or self.narrated else "text"
        document = self.document(coded.key, _worded(coded, words), kind, coded.date, coded.patient)
        if document is None or not meanings:
            return
        where = self._place(coded, words)
        source = source_of(document, words)
        for meaning in meanings:
            if meaning.kind == "finding":
                self._finding(coded, meaning, where, source)
            elif meaning.kind == "procedure" and coded.status == "present" and (where.lumbar or not meaning.needs_site):
                self._operation(msgspec.structs.replace(coded, date=None), meaning, where, words, source)
            elif meaning.kind in ("cause", "event") and coded.status != "absent":
                kind = "diagnosis" if meaning.kind == "cause" else meaning.id
                label = meaning.label or words
                self._events.append(
                    Event(kind, f"{label} (resolved)" if coded.past else label, coded.date, source=source)
                )

    def _finding(self, coded: Coded, meaning: Meaning, where: Place, source: Source) -> None:
        if coded.past and not meaning.past_counts:
            return
        status = meaning.status if coded.status == "present" else coded.status
        if coded.status == "absent" and meaning.status == "absent":
            return  # a denied denial says nothing that can be relied on
        level, side = meaning.level or where.level, meaning.side or where.side
        self._observations.append(
            Observation(meaning.id, status, level=level, side=side, date=coded.date, source=source)
        )

    def procedure(self, coded: Coded) -> None:
        """Something that was done: an operation, a test or a treatment where the code says so, else words to be read."""
        meanings = self._meanings(coded)
        words = self._words(coded, meanings)
        if not meanings and not coded.notes:
            self.listed("procedures", coded, _worded(coded, words))
            return
        where = self._place(coded, words) if meanings else Place()
        known = bool(meanings) and self._says_no_more(coded, meanings)
        kind = "coded" if known or self.narrated else "text"
        text = self._dated(_worded(coded, words), coded.date)
        document = self.document(coded.key, text, kind, coded.date, coded.patient)
        if document is None or not meanings:
            return
        source = source_of(document, words)
        operations = [m for m in meanings if m.kind == "procedure"]
        lumbar = [m for m in operations if where.lumbar or not m.needs_site]
        if lumbar:
            self._operation(coded, lumbar[0], where, words, source)
        elif operations:
            self._events.append(Event("operation", words, coded.date, source=source))
        for meaning in meanings:
            if meaning.kind == "implant" and coded.date:
                self._implants.setdefault((coded.patient, coded.date), []).append(meaning.id)
            elif meaning.kind == "event":
                self._events.append(Event(meaning.id, meaning.label or words, coded.date, source=source))

    def unfinished(self, coded: Coded, state: str) -> None:
        """A procedure that was planned, put off or broken off: shown in the story, not read, since its words name an operation."""
        words = self._words(coded, self._meanings(coded))
        day = None if coded.date and dates.after(coded.date, self.today.isoformat()) else coded.date
        said = f"{words} ({', '.join(filter(None, (state, coded.date)))})"
        document = self.document(coded.key, said, "coded", day, coded.patient) if words else None
        if document is not None:
            self._events.append(Event("procedure", said, day, source=source_of(document, said)))

    def _operation(self, coded: Coded, meaning: Meaning, where: Place, words: str, source: Source) -> None:
        levels = where.segments or ((meaning.level,) if meaning.level else ())
        operation = Operation(
            procedure=meaning.id,
            levels=levels,
            side=meaning.side or where.side,
            date=coded.date,
            implants=coded.implants,
            name=words,
            source=source,
        )
        same = (coded.patient, operation.procedure, levels, operation.side, operation.date)
        self._operations.setdefault(same, operation)

    def result(self, coded: Coded, value: Value, kind: str = "laboratory") -> None:
        """A measured or observed value, written out as a line of its day: "CRP 85 mg/L 2024-01-02"."""
        pairs = _pairs(coded.codings)
        name = " ".join((coded.text or next((c.display or c.code for c in coded.codings), "")).split())
        measured = value.number is not None and math.isfinite(value.number)
        analyte = self.codes.analyte(pairs, name) if measured else None
        score = self.codes.score(pairs) if measured else None
        if analyte is not None:
            kind, line = "text" if analyte.bedside else "laboratory", self._measured(coded, analyte, value)
        elif score is not None:
            kind, line = "questionnaire", _line(score.name, _number(value), "", coded.date)
        else:
            written = _written(value)
            line = line_of(name, written) if name and written and not self.narrated else ""
        if line:
            line = f"{line} ({value.flag})" if value.flag else line
            self._sheets.setdefault((coded.patient, coded.date, kind), {})[line] = None

    def _measured(self, coded: Coded, analyte: Analyte, value: Value) -> str:
        """The line of a known quantity in the unit of the knowledge base; empty when it has no unit."""
        said = f"{analyte.name} {_number(value)}"
        if not value.unit:
            self.problem(
                f"{said} has no unit and was not used", f"give its unit, for example {analyte.unit}", coded.key
            )
            return ""
        factor = analyte.factor(value.unit)
        if factor is None:
            self.problem(f"the unit {value.unit} of {said} is not known", f"give it in {analyte.unit}", coded.key)
        if factor is None or analyte.keeps(value.unit):
            return _line(analyte.name, _number(value), value.unit, coded.date)
        converted = msgspec.structs.replace(value, number=(value.number or 0.0) * factor)
        line = _line(analyte.name, _number(converted), analyte.unit, coded.date)
        return line if factor == 1 else f"{line}, converted from {value.unit}"

    def answer(self, coded: Coded, answers: Sequence[Coding]) -> None:
        """A coded answer to a coded question; without a finding of its own it is a line to be read."""
        meaning = self.codes.answer(_pairs(coded.codings), _pairs(answers))
        question = coded.text or next((c.display or c.code for c in coded.codings), "")
        words = next(map(answer_words, answers), "")
        if not words:
            return
        if meaning is None:
            self.result(coded, Value(text=words), "text")
            return
        document = self.document(coded.key, f"{question}: {words}", "coded", coded.date, coded.patient)
        if document is not None:
            self._finding(coded, meaning, Place(), source_of(document, words))

    def medication(self, coded: Coded, start: str | None, end: str | None, *, current: bool) -> None:
        """A drug taken from start to end. A drug that nothing here knows is kept to be read while it is taken."""
        words = " ".join((coded.text or next((c.display for c in coded.codings if c.display), "")).split())
        if not words:
            return
        group = self.codes.medication(_pairs(coded.codings), " ".join((words, *coded.notes)))
        if not current and (group is None or group.finding is None):
            return
        text = words if current else f"Previous {words} (stopped)"
        text = self._dated(text, start, "since ")
        if group is None or group.finding is None:
            self.listed("medications", msgspec.structs.replace(coded, date=None), "; ".join((text, *coded.notes)))
            return
        document = self.document(coded.key, "\n".join((text, *coded.notes)), "coded", coded.date, coded.patient)
        if document is None:
            return
        source = source_of(document, words)
        if group.days is None:
            if current:
                found = Observation(group.finding, coded.status, date=coded.date, source=source)
                self._observations.append(found)
        elif start:
            until = dates.first_day(end) if end else (self.today if current else dates.first_day(start))
            course = _Course(dates.first_day(start), until, current, coded.date, source)
            self._courses.setdefault((coded.patient, group.group), []).append(course)

    def absorb(self, inner: Gathered, owner: str | None) -> None:
        """Take over what a file inside this file says; its patient is the one this file names."""
        self.problems += inner.problems
        taken: set[str] = set()
        for document in inner.documents:
            content = (owner, document.kind, document.date, document.text)
            if content not in self._seen and document.name not in self._documents:
                self._seen.add(content)
                self._documents[document.name] = document
                taken.add(document.name)
                if owner is not None:
                    self._owners[document.name] = owner
        for operation in inner.operations:
            if operation.source and operation.source.document in taken:
                same = (owner, operation.procedure, operation.levels, operation.side, operation.date)
                self._operations.setdefault(same, operation)
        self._observations += [o for o in inner.observations if o.source and o.source.document in taken]
        self._events += [e for e in inner.events if e.source and e.source.document in taken]

    def gathered(self) -> Gathered:
        """Everything, with the day sheets written and the courses of drugs measured."""
        self._write_lists()
        for (_, group), courses in self._courses.items():
            self._long_term(next(m for m in self.codes.file.medications if m.group == group), courses)
        self._courses.clear()
        return Gathered(
            patients=tuple(self._patients),
            documents=tuple(self._documents.values()),
            operations=tuple(self._with_implants(key[0], operation) for key, operation in self._operations.items()),
            observations=tuple(self._observations),
            events=tuple(self._events),
            problems=tuple(self.problems),
            owners=dict(self._owners),
            identifiers=dict(self._identifiers),
        )

    def listed(self, title: str, coded: Coded, text: str) -> None:
        """A statement no code is known for: a line of the patient's list of that kind, to be read like any text."""
        if text.strip() and not self.narrated:
            line = (coded.date or "", self._dated(text, coded.date))
            self._lists.setdefault((coded.patient, title), {})[line] = None

    def _write_lists(self) -> None:
        """The lists and day sheets as documents; the oldest line first."""
        for (owner, title), entries in self._lists.items():
            lines = "\n".join(text for _, text in sorted(entries))
            key = "/".join(part for part in (title, owner) if part)
            self.document(key, f"{title.capitalize()}:\n{lines}", "text", None, owner)
        for (owner, day, kind), sheet in self._sheets.items():
            title = {"laboratory": "results", "text": "observations"}.get(kind, kind)
            key = "/".join(part for part in (title, owner, day) if part)
            self.document(key, "\n".join(sheet), kind, day, owner)

    def _dated(self, text: str, day: str | None, before: str = "") -> str:
        """The first line with its date behind it; a date in the future is left out, since it cannot be right."""
        if not day or dates.after(day, self.today.isoformat()):
            return text
        first, newline, rest = text.partition("\n")
        return f"{first}, {before}{day}{newline}{rest}"

    def _with_implants(self, patient: object, operation: Operation) -> Operation:
        """Instrumentation has codes of its own, so it is joined to the operation of the same day."""
        if not isinstance(patient, str | None):
            return operation
        added = self._implants.get((patient, operation.date), []) if operation.date else []
        implants = tuple(dict.fromkeys((*operation.implants, *added)))
        return msgspec.structs.replace(operation, implants=implants)

    def _long_term(self, group: Medication, courses: list[_Course]) -> None:
        """One finding when stretches that follow each other closely, the last one current, add up to long enough."""
        if group.finding is None or group.days is None:
            return
        stretch: list[_Course] = []
        for course in sorted(courses, key=lambda c: (c.start, c.end)):
            if stretch and course.start > max(c.end for c in stretch) + timedelta(days=group.gap_days):
                stretch = []
            stretch.append(course)
        length = max(c.end for c in stretch) - stretch[0].start
        if length.days >= group.days and any(c.current for c in stretch):
            last = stretch[-1]
            self._observations.append(Observation(group.finding, "present", date=last.date, source=last.source))

    def _meanings(self, coded: Coded) -> list[Meaning]:
        """What the codings say together, each finding, cause or operation once."""
        found: dict[tuple[str, str], Meaning] = {}
        for coding in coded.codings:
            for meaning in self.codes.meanings(coding.system, coding.code):
                found.setdefault((meaning.kind, meaning.id), meaning)
        return list(found.values())

    def _words(self, coded: Coded, meanings: Sequence[Meaning]) -> str:
        """The words a statement is shown by: its own, else those of its codes, else the code itself."""
        display = next((c.display for c in coded.codings if c.display), "")
        label = next((m.label for m in meanings if m.label), "")
        code = next((c.code for c in coded.codings if c.code), "")
        return " ".join((coded.text or display or label or code).split())

    def _says_no_more(self, coded: Coded, meanings: Sequence[Meaning]) -> bool:
        """True when the words add nothing to the codes, so that reading them again would only count twice."""
        plain = {" ".join(c.display.split()).lower() for c in coded.codings} | {m.label.lower() for m in meanings}
        own = " ".join(coded.text.split()).lower()
        return not coded.notes and (not own or own in plain)

    def _place(self, coded: Coded, words: str) -> Place:
        return place(self.codes, _pairs((*coded.site_codings, *coded.codings)), f"{words} {coded.site}")


def source_of(document: Document, words: str) -> Source:
    """Where the words stand in the document."""
    start = max(document.text.find(words), 0)
    text = document.text[start : start + len(words)]
    return Source(document.name, start, start + len(text), text)


def _worded(coded: Coded, words: str) -> str:
    """The statement as a sentence a reader takes rightly: denied, doubted and past ones say so."""
    before = {"absent": "No ", "uncertain": "Possible "}.get(coded.status, "")
    after = ""
    if coded.past and not before:
        before, after = "Previous ", " (resolved)"
    site = f", {coded.site}" if coded.site and coded.site.lower() not in words.lower() else ""
    return "\n".join((f"{before}{words}{site}{after}", *coded.notes))


_ANSWERS = {
    "yes": {"373066001", "LA33-6", "Y", "52101004", "LA9633-4"},
    "no": {"373067005", "LA32-8", "N", "2667000", "LA9634-2"},
    "unknown": {"261665006", "LA12688-0", "UNK", "NASK", "ASKU", "asked-unknown", "not-asked", "unknown"},
}
"""SNOMED CT qualifiers, LOINC answers and HL7 codes for yes or present, no or absent, unknown."""


def answer_words(answer: Coding) -> str:
    """A coded answer in words; the codes that mean yes or no are told as yes and no, however they are displayed."""
    single = len(answer.code) == 1 and bool(answer.display)  # N is "no" to a question, but "normal" of a result
    meant = (word for word, known in _ANSWERS.items() if answer.code in known and not single)
    return next(meant, answer.display or answer.code)


def line_of(question: str, answer: str) -> str:
    """A question and its answer as one line; what is answered with yes or no ends in a question mark, by which it is read so."""
    if not question:
        return answer
    if answer.lower() not in (*_ANSWERS, "true", "false"):
        return f"{question}: {answer}"
    inner = re.sub(r"\s*[?!;\n]+\s*", ", ", question.strip(" ?:!;,\n\t"))
    return f"{inner}?: {answer.lower()}"


def _pairs(codings: Sequence[Coding]) -> list[tuple[str, str]]:
    return [(coding.system, coding.code) for coding in codings]


def _number(value: Value) -> str:
    return f"{value.comparator}{value.number:.6g}" if value.number is not None else value.text


def _written(value: Value) -> str:
    if value.number is not None and math.isfinite(value.number):
        return f"{_number(value)} {value.unit}".strip()
    return " ".join(value.text.split())


def _line(name: str, number: str, unit: str, day: str | None) -> str:
    return " ".join(part for part in (name, number, unit, day) if part)
