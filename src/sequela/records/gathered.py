"""What the readers hand on: documents to read, facts already stated by codes, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sequela.case import Document, Event, NerveTest, Observation, Operation, Patient, Problem, Source


class Gathered(msgspec.Struct, frozen=True):
    """The records of one reader, or of all.

    owners: the patient id of each document that names its patient; a document that is not there belongs to all.
    identifiers: the record numbers of each patient id, by which two files recognise the same person.
    Every operation, observation, event and nerve test has a source in one of the documents: `document.text[start:end] == source.text`.
    A document of kind "coded" holds nothing but words whose codes are already among the facts.
    """

    patients: tuple[Patient, ...] = ()
    documents: tuple[Document, ...] = ()
    operations: tuple[Operation, ...] = ()
    observations: tuple[Observation, ...] = ()
    events: tuple[Event, ...] = ()
    nerve_tests: tuple[NerveTest, ...] = ()
    problems: tuple[Problem, ...] = ()
    owners: dict[str, str] = msgspec.field(default_factory=dict)
    identifiers: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    @property
    def fatal(self) -> bool:
        """True when the user has to do something before anything can be said."""
        return any(problem.fatal for problem in self.problems)


def refused(where: str, what: str, mend: str) -> Gathered:
    """A file that could not be read at all."""
    return Gathered(problems=(Problem(where, what, mend),))


def together(parts: Iterable[Gathered]) -> Gathered:
    """All parts as one, in their order; the same text of the same patient is kept once, with the facts that rest on it."""
    parts = tuple(parts)
    owners = {name: owner for part in parts for name, owner in part.owners.items()}
    seen: set[tuple[str | None, str, str | None, str]] = set()
    kept: dict[str, Document] = {}
    for document in (document for part in parts for document in part.documents):
        content = (owners.get(document.name), document.kind, document.date, document.text)
        if content not in seen and document.name not in kept:
            seen.add(content)
            kept[document.name] = document
    return Gathered(
        patients=_patients(patient for part in parts for patient in part.patients),
        documents=tuple(kept.values()),
        operations=tuple(o for part in parts for o in part.operations if _rests_on(o.source, kept)),
        observations=tuple(o for part in parts for o in part.observations if _rests_on(o.source, kept)),
        events=tuple(e for part in parts for e in part.events if _rests_on(e.source, kept)),
        nerve_tests=tuple(t for part in parts for t in part.nerve_tests if _rests_on(t.source, kept)),
        problems=tuple(problem for part in parts for problem in part.problems),
        owners={name: owner for name, owner in owners.items() if name in kept},
        identifiers=_identifiers(parts),
    )


def _rests_on(source: Source | None, documents: dict[str, Document]) -> bool:
    return source is None or source.document in documents


def _patients(patients: Iterable[Patient]) -> tuple[Patient, ...]:
    """One entry per id; what one file leaves open another may fill. Patients without an id stay apart."""
    known: dict[str, Patient] = {}
    nameless: list[Patient] = []
    for patient in patients:
        if patient.id is None:
            if patient not in nameless:
                nameless.append(patient)
        elif patient.id in known:
            known[patient.id] = filled(known[patient.id], patient)
        else:
            known[patient.id] = patient
    return (*known.values(), *nameless)


def filled(patient: Patient, other: Patient) -> Patient:
    """The patient, with what only the other says."""
    return Patient(
        id=patient.id,
        name=patient.name or other.name,
        sex=patient.sex or other.sex,
        birth_date=patient.birth_date or other.birth_date,
        age=patient.age if patient.age is not None else other.age,
    )


def _identifiers(parts: Iterable[Gathered]) -> dict[str, tuple[str, ...]]:
    merged: dict[str, tuple[str, ...]] = {}
    for part in parts:
        for patient, numbers in part.identifiers.items():
            merged[patient] = tuple(dict.fromkeys((*merged.get(patient, ()), *numbers)))
    return merged
