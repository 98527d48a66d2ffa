"""The vocabulary of a patient's story: documents, operations, observations, time."""

from sequela.case.model import (
    Case,
    Conflict,
    Course,
    Document,
    Event,
    Observation,
    Operation,
    Patient,
    Problem,
    Relation,
    Side,
    Source,
    Status,
    Unread,
)

__all__ = [
    "Case",
    "Conflict",
    "Course",
    "Document",
    "Event",
    "Observation",
    "Operation",
    "Patient",
    "Problem",
    "Relation",
    "Side",
    "Source",
    "Status",
    "Unread",
]
