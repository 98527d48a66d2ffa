"""From what was gathered to one Case: every text read, operations and observations of all documents joined, contradictions named."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

import msgspec

from sequela.case import Case, Conflict, Course, Document, Event, Observation, Operation, Patient, Problem, Source
from sequela.case.spans import DAYS_PER_MONTH, middle_day
from sequela.knowledge.model import Knowledge
from sequela.records import questions
from sequela.records.gathered import Gathered
from sequela.records.interval import by_day
from sequela.records.nerve_signs import nerve_signs, unusable
from sequela.records.text.operations import join_operations
from sequela.records.text.reader import Reading, TextReader, by_age
from sequela.records.text.time import heading_date

_FIRST = {"operation_note": 0, "discharge": 1}


def assemble(gathered: Gathered, knowledge: Knowledge, reader: TextReader | None = None) -> Case:
    """Read every document and join the results. Order of the documents does not matter for the facts."""
    reader = reader or TextReader(knowledge)
    read = [d for d in gathered.documents if d.kind != "coded"]  # coded facts are already facts
    documents = sorted(map(_dated, read), key=lambda d: (_FIRST.get(d.kind, 5), d.date or "9999", d.name))
    readings = _read_all(reader, documents, gathered.operations)
    operations = join_operations([gathered.operations, *(r.operations for r in readings)], reader.named)
    observations = _unique(
        [*gathered.observations, *_stated(documents, readings, gathered, reader)], reader.of_the_person
    )
    patient = _patient(gathered.patients, readings)
    if patient.age is not None:
        observations += by_age(knowledge.derived, patient.age, {o.id for o in observations})
    passed = _course(readings)
    kinds = {f.id: f.kind for f in knowledge.findings}
    observations += by_day(knowledge.derived, observations, operations, documents, passed)
    return Case(
        patient=patient,
        documents=(*documents, *(d for d in gathered.documents if d.kind == "coded")),
        operations=operations,
        observations=tuple(observations),
        timeline=_timeline(
            operations,
            [*gathered.events, *_tests(observations, documents, kinds), *_onset(passed, operations)],
            documents,
        ),
        course=passed,
        conflicts=tuple(_conflicts(observations, operations, kinds)),
        problems=(
            *gathered.problems,
            *unusable(gathered.nerve_tests, knowledge.localisation),
            *_scope(patient, operations, readings),
        ),
        unread=tuple(u for r in readings for u in r.unread),
        unperformed=tuple(u for r in readings for u in r.unperformed),
        nerve_tests=gathered.nerve_tests,
        nerve_signs=nerve_signs(
            [sign for r in readings for sign in r.nerve_signs],
            gathered.nerve_tests,
            observations,
            knowledge.localisation,
        ),
    )


def _read_all(reader: TextReader, documents: Sequence[Document], coded: Sequence[Operation]) -> list[Reading]:
    """Every document is read knowing the operations of all the others, since every sentence is read relative to them."""
    readings = [questions.read(reader, d, coded) for d in documents]
    if len(documents) == 1:
        return readings
    out = []
    for index, document in enumerate(documents):
        others = [r.operations for i, r in enumerate(readings) if i != index]
        known = join_operations([coded, *others], reader.named)
        out.append(questions.read(reader, document, known) if known != tuple(coded) else readings[index])
    return out


def _dated(document: Document) -> Document:
    """The document with the day its heading gives, where nothing else dates it."""
    if document.date is not None:
        return document
    return msgspec.structs.replace(document, date=heading_date(document.text, document.kind))


def _stated(
    documents: Sequence[Document], readings: Sequence[Reading], gathered: Gathered, reader: TextReader
) -> list[Observation]:
    """What the texts say; the words of a nerve study table tell of that study alone: "peroneal, 1.1 mV, reduced" is no weakness."""
    tables = {test.source.document for test in gathered.nerve_tests if test.source}
    return [
        observation
        for document, reading in zip(documents, readings, strict=True)
        for observation in reading.observations
        if document.name not in tables or reader.kinds.get(observation.id) == "electrodiagnosis"
    ]


def _unique(observations: Iterable[Observation], of_the_person: Collection[str]) -> list[Observation]:
    """One per place: the same finding, status and words of the same document count once.

    of_the_person: findings such as the age, which hold of the patient and not of a place: once in all.
    """
    seen: dict[tuple[object, ...], Observation] = {}
    for o in observations:
        where = (o.source.document, o.source.start) if o.source and o.id not in of_the_person else (None, None)
        seen.setdefault((o.id, o.status, *where), o)
    return sorted(
        seen.values(), key=lambda o: (o.source.document if o.source else "", o.source.start if o.source else 0, o.id)
    )


def _patient(stated: Sequence[Patient], readings: Sequence[Reading]) -> Patient:
    """The structured patient; age and sex from the text where the structure does not say."""
    patient = stated[0] if stated else Patient()
    age = (
        patient.age
        if patient.age is not None
        else next((r.patient.age for r in readings if r.patient.age is not None), None)
    )
    sex = patient.sex or next((r.patient.sex for r in readings if r.patient.sex), None)
    return msgspec.structs.replace(patient, age=age, sex=sex)


_CHILD = 18
_YEARS_APART = 12


def _scope(patient: Patient, operations: Sequence[Operation], readings: Sequence[Reading]) -> list[Problem]:
    """What the reader must know before believing the ranking: no operation, a child, or perhaps two people."""
    out = []
    if not operations:
        out.append(
            Problem(
                "record",
                "no operation on the low back was found",
                "the ranking presumes one; add the operation note or say what was done",
                about="operation",
            )
        )
    if patient.age is not None and patient.age < _CHILD:
        out.append(
            Problem(
                "record",
                f"the patient is {patient.age} years old",
                "this is made for adults; do not use the ranking for a child",
            )
        )
    ages = [r.patient.age for r in readings if r.patient.age is not None]
    if ages and max(ages) - min(ages) > _YEARS_APART:
        out.append(
            Problem(
                "record",
                f"ages from {min(ages)} to {max(ages)} years are stated",
                "check that all documents are of one patient",
            )
        )
    if {"female", "male"} <= {r.patient.sex for r in readings}:
        out.append(
            Problem(
                "record",
                "some documents speak of a woman and others of a man",
                "check that all documents are of one patient",
            )
        )
    return out


def _timeline(
    operations: Sequence[Operation], events: Sequence[Event], documents: Sequence[Document]
) -> tuple[Event, ...]:
    """Operations and dated events, oldest first; what has no date stands where its "months ago" puts it."""
    told = [
        Event("operation", " ".join([o.name, *o.levels]).strip(), o.date, o.months_ago, o.source) for o in operations
    ]
    dated = [Event("document", d.name, d.date) for d in documents if d.date and "#" not in d.name]
    every = [*told, *(e for e in events if e.kind != "operation"), *dated]
    return tuple(sorted(every, key=_when))


_TESTS = {
    "mri": ("imaging", "MRI"),
    "ct": ("imaging", "CT"),
    "xray": ("imaging", "X-ray"),
    "nuclear": ("imaging", "nuclear imaging"),
    "block": ("injection", "diagnostic block"),
}
"""Event and label, by the kind of a document or a finding."""
_COURSE = {"returned": "pain returned", "new": "new pain"}


def _tests(observations: Sequence[Observation], documents: Sequence[Document], kinds: Mapping[str, str]) -> list[Event]:
    """Imaging and injections: reports on their day, and what a letter dates otherwise than itself; one event a day."""
    found: dict[tuple[str, str], Event] = {}
    reports = {d.name: d.date for d in documents if d.kind in _TESTS}
    for d in documents:
        if d.kind in _TESTS and d.date:
            event, label = _TESTS[d.kind]
            found[event + label, d.date] = Event(event, label, d.date)
    written = {d.name: d.date for d in documents}
    told: dict[tuple[str, str], Event] = {}
    for o in observations:
        own = _TESTS.get(kinds.get(o.id, ""))
        if own is None or o.date is None or o.source is None or o.source.document in reports:
            continue
        if o.date != written.get(o.source.document):
            told.setdefault((own[0], o.date), Event(*own, o.date, source=o.source))
    return [*found.values(), *(e for key, e in told.items() if key not in {(f.kind, f.date) for f in found.values()})]


def _onset(course: Course, operations: Sequence[Operation]) -> list[Event]:
    """The beginning of the present complaint, where the record says how long after the latest operation that was."""
    latest = max(operations, key=lambda o: (o.date or "", -(o.months_ago or 0)), default=None)
    if latest is None or course.pattern not in _COURSE or course.interval_days is None:
        return []
    done = middle_day(latest.date)
    date = (done + timedelta(days=course.interval_days)).isoformat()[: len("2024-03")] if done else None
    ago = round(latest.months_ago - course.interval_days / DAYS_PER_MONTH, 2) if latest.months_ago is not None else None
    onset = Event("onset", _COURSE[course.pattern], date, ago, course.source)
    return [onset] if date or ago is not None else []


def _when(event: Event) -> tuple[int, float | str, str]:
    if event.date:
        return (1, event.date, event.label)
    if event.months_ago is not None:
        return (
            0,
            f"{-event.months_ago:020.3f}" if event.months_ago < 0 else f"{1e6 - event.months_ago:020.3f}",
            event.label,
        )
    return (2, "", event.label)


def _course(readings: Sequence[Reading]) -> Course:
    """The first document that states a pattern decides it; intervals come from wherever they are stated."""
    courses = [r.course for r in readings]
    chosen = next((c for c in courses if c.pattern), courses[0] if courses else Course())
    interval = (
        chosen.interval_days
        if chosen.interval_days is not None
        else next((c.interval_days for c in courses if c.interval_days is not None), None)
    )
    elapsed = (
        chosen.elapsed_days
        if chosen.elapsed_days is not None
        else next((c.elapsed_days for c in courses if c.elapsed_days is not None), None)
    )
    return msgspec.structs.replace(chosen, interval_days=interval, elapsed_days=elapsed)


def _conflicts(
    observations: Sequence[Observation], operations: Sequence[Operation], kinds: Mapping[str, str]
) -> list[Conflict]:
    """Places that cannot both be right: left against right, present against absent."""
    found = []
    by_id: dict[str, list[Observation]] = {}
    for o in observations:
        if o.source:
            by_id.setdefault(o.id, []).append(o)
    for name, group in by_id.items():
        found += _contradiction(name, group)
    found += _opposite_sides(operations)
    found += _sides_apart(observations, operations, kinds)
    return found


_COMPLAINED = frozenset({"symptom", "examination"})
_PICTURED = frozenset({"mri", "ct"})


def _sides_apart(
    observations: Sequence[Observation], operations: Sequence[Operation], kinds: Mapping[str, str]
) -> list[Conflict]:
    """Complaints on one side only, and everything imaged, or every operation, on the other only."""
    ill = _sided(o for o in observations if kinds.get(o.id) in _COMPLAINED)
    imaged = _sided(o for o in observations if kinds.get(o.id) in _PICTURED)
    operated = _sided(operations)
    found = []
    for name, other in (("imaging", imaged), ("operation", operated)):
        if ill and other and ill[0] != other[0]:
            message = f"symptoms on the {ill[0]}, {name} on the {other[0]}: which side is right?"
            found.append(Conflict("side", message, (ill[1], other[1])))
    return found


def _sided(facts: Iterable[Observation | Operation]) -> tuple[str, Source] | None:
    """The one side that all of them name, with the first place that does; None where they name both or none."""
    named = [
        (f.side, f.source) for f in facts if f.side and f.source and (isinstance(f, Operation) or f.status == "present")
    ]
    return (
        (named[0][0], named[0][1])
        if named and len({side for side, _ in named}) == 1 and named[0][0] != "both"
        else None
    )


def _opposite_sides(operations: Sequence[Operation]) -> list[Conflict]:
    """The same kind of operation at the same levels, told once as left and once as right, with no two dates to tell them apart."""
    found = []
    for one, other in combinations([o for o in operations if o.levels], 2):
        dated = one.date and other.date and one.date != other.date
        timed = one.months_ago is not None and other.months_ago is not None
        if {one.side, other.side} != {"left", "right"} or one.levels != other.levels or dated or timed:
            continue
        where = f"{one.name} {', '.join(one.levels)}"
        found.append(
            Conflict(
                "operation",
                f"{where}: {one.side} in one place, {other.side} in another: one operation or two?",
                tuple(o.source for o in (one, other) if o.source),
            )
        )
    return found


def _contradiction(name: str, group: Sequence[Observation]) -> list[Conflict]:
    """The first two places of different documents that contradict each other. What one document repeats is compared once."""
    first: dict[tuple[object, ...], Observation] = {}
    for o in group:
        first.setdefault((o.source and o.source.document, o.status, o.side, o.level, o.date), o)
    group = list(first.values())
    out = []
    for i, one in enumerate(group):
        for other in group[i + 1 :]:
            if (
                not one.source
                or not other.source
                or one.source.document == other.source.document
                or (one.level and other.level and one.level != other.level)
            ):
                continue
            places = (one.source, other.source)
            if one.status == other.status == "present" and {one.side, other.side} == {"left", "right"}:
                out.append(
                    Conflict(
                        name, f"{one.side} in {one.source.document}, {other.side} in {other.source.document}", places
                    )
                )
            elif {one.status, other.status} == {"present", "absent"} and one.date == other.date:
                out.append(
                    Conflict(
                        name,
                        f"{one.status} in {one.source.document}, {other.status} in {other.source.document}",
                        places,
                    )
                )
    return out[:1]
