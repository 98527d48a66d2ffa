"""Frozen records that every other part of the house speaks in.

Nothing here reads, reasons or knows a disease. A fact without a `Source` does not exist: each
observation, operation and event points at the exact characters of the document it came from.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sequela.knowledge.model import SignKind

Status = Literal["present", "absent", "uncertain"]
Side = Literal["left", "right", "both"]
Relation = Literal["operated", "adjacent", "remote"]
"""Where a finding lies relative to the operated levels."""


class Source(msgspec.Struct, frozen=True):
    """The words a fact rests on: `Document.text[start:end] == text` (character offsets)."""

    document: str
    start: int
    end: int
    text: str


class Document(msgspec.Struct, frozen=True):
    """One readable text of the record.

    name: file name, with `#part` for a text embedded in a bundle. kind: letter, operation_note, mri, ct, xray, emg,
    laboratory, discharge or text. date: ISO date the document speaks from, where it says so.
    """

    name: str
    text: str
    kind: str = "text"
    date: str | None = None


class Patient(msgspec.Struct, frozen=True):
    """Who the record is about. age in years at the time of the record."""

    id: str | None = None
    name: str | None = None
    sex: Literal["female", "male"] | None = None
    birth_date: str | None = None
    age: int | None = None


class Operation(msgspec.Struct, frozen=True):
    """One operation on the spine.

    procedure: identifier of a procedure of the knowledge base. levels: segments from above, "L4-L5". date: ISO date, possibly
    only a year or month. months_ago: months before the record, where the text says so instead of a date.
    """

    procedure: str
    levels: tuple[str, ...] = ()
    side: Side | None = None
    date: str | None = None
    months_ago: float | None = None
    implants: tuple[str, ...] = ()
    name: str = ""
    source: Source | None = None


class Unperformed(msgspec.Struct, frozen=True):
    """What the record says of an operation on the low back that was not done there, or not yet.

    why: denied ("never had back surgery"), planned ("listed for a fusion"), or other_region (done, but on the neck or upper back).
    """

    why: Literal["denied", "planned", "other_region"]
    source: Source


class Observation(msgspec.Struct, frozen=True):
    """One finding of the knowledge base, as one place of the record states it.

    value is in `unit`; level is a segment ("L4-L5"), vertebra ("L5") or root ("L5"); relation is relative to the operations.
    """

    id: str
    status: Status
    value: float | None = None
    unit: str | None = None
    level: str | None = None
    side: Side | None = None
    date: str | None = None
    relation: Relation | None = None
    source: Source | None = None


NerveTestKind = Literal["needle", "motor", "sensory", "late"]
"""Needle electromyography, motor or sensory conduction, or a late response (H-reflex, F-wave)."""


class NerveTest(msgspec.Struct, frozen=True):
    """One measurement of a nerve study, as its table states it.

    structure: the muscle or nerve. value: as written, "2+", "1.1" or "reduced". kind: None where the table does not say. row: as a
    spreadsheet counts it.
    """

    structure: str
    side: Side | None = None
    kind: NerveTestKind | None = None
    measure: str = ""
    value: str = ""
    unit: str = ""
    comment: str = ""
    source: Source | None = None
    row: int | None = None


Activity = Literal["active", "chronic", "active on chronic"]


class NerveSign(msgspec.Struct, frozen=True):
    """One sign for or against a lesion of a nerve.

    kind: needle, motor, sensory, late, power, reflex, tension, sensation, pain, stated or imaging. structure: of localisation.yaml; empty
    where the sign names roots itself, with a weight each. status: present means abnormal. activity: of a needle finding.
    """

    kind: SignKind
    structure: str
    side: Side | None
    status: Status
    roots: tuple[tuple[str, float], ...] = ()
    activity: Activity | None = None
    source: Source | None = None


class Event(msgspec.Struct, frozen=True):
    """A point of the patient's story, in order: operation, onset, imaging, injection, document."""

    kind: str
    label: str
    date: str | None = None
    months_ago: float | None = None
    source: Source | None = None


class Course(msgspec.Struct, frozen=True):
    """How the complaint behaved relative to the latest operation.

    pattern: never_relieved, returned, new, or None when the record does not say.
    interval_days: from the operation to the onset of the present complaint. elapsed_days: from the operation to the record.
    """

    pattern: Literal["never_relieved", "returned", "new"] | None = None
    interval_days: float | None = None
    elapsed_days: float | None = None
    source: Source | None = None


class Conflict(msgspec.Struct, frozen=True):
    """Two places of the record that contradict each other; both are kept and shown."""

    about: str
    message: str
    sources: tuple[Source, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """One line for the user: what could not be read, where, and what to do about it.

    about: "operation" where the record holds none, which a report says in its own place; otherwise empty.
    """

    where: str
    what: str
    mend: str
    fatal: bool = False
    about: str = ""

    def line(self) -> str:
        return f"{self.where}: {self.what}; {self.mend}"


class Unread(msgspec.Struct, frozen=True):
    """Words next to a recognised structure that no finding used."""

    text: str
    source: Source


class Case(msgspec.Struct, frozen=True):
    """Everything the record says, ready to reason on."""

    patient: Patient = Patient()
    documents: tuple[Document, ...] = ()
    operations: tuple[Operation, ...] = ()
    observations: tuple[Observation, ...] = ()
    timeline: tuple[Event, ...] = ()
    course: Course = Course()
    conflicts: tuple[Conflict, ...] = ()
    problems: tuple[Problem, ...] = ()
    unread: tuple[Unread, ...] = ()
    unperformed: tuple[Unperformed, ...] = ()
    nerve_tests: tuple[NerveTest, ...] = ()
    nerve_signs: tuple[NerveSign, ...] = ()
