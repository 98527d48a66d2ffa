"""The assessment: what the reasoning concluded, and on what. `document()` is the JSON of the contract."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from sequela.case import Case, Source
from sequela.reasoning.localisation import Located

SCHEMA = "sequela.assessment/1"

Inapplicable = Literal[
    "operation_denied", "operation_planned", "operation_on_other_region", "no_operation_found", "child"
]


class Applicability(msgspec.Struct, frozen=True):
    """Whether the ranking may be used: applicable is None when the record does not tell. reason: why not, or why that is unknown.

    sources: the words it rests on.
    """

    applicable: bool | None = None
    reason: Inapplicable | None = None
    sources: tuple[Source, ...] = ()

    @property
    def withheld(self) -> bool:
        """Nothing was operated on yet: whoever reads must not be shown why it failed."""
        return self.reason in ("operation_denied", "operation_planned")


class RaisedFlag(msgspec.Struct, frozen=True):
    """A red flag that the record raises. basis: finding ids present or suspected; action and sources from the knowledge base.

    expert_estimate: whether rule or time limit are an estimate; with no sources they are nothing else.
    """

    id: str
    name: str
    urgency: str
    suspects: tuple[str, ...]
    action: str
    time_limit: str
    basis: tuple[str, ...]
    sources: tuple[str, ...]
    expert_estimate: bool = False


class Weight(msgspec.Struct, frozen=True):
    """weight: natural-log likelihood ratio that the finding contributes to the cause."""

    finding: str
    weight: float
    status: str = "present"


class RankedCause(msgspec.Struct, frozen=True):
    """probability: posterior that the cause contributes, up to three together; interval: 90 % from the spread of the numbers."""

    id: str
    name: str
    probability: float
    interval: tuple[float, float]
    evidence_for: tuple[Weight, ...]
    evidence_against: tuple[Weight, ...]
    would_settle: tuple[str, ...]


class Question(msgspec.Struct, frozen=True):
    finding: str
    question: str


class Assessment(msgspec.Struct, frozen=True):
    """One record, assessed. none_of_these: posterior of the empty set of causes.

    any_from [rank]: posterior that the cause of this rank or any below it contributes.
    """

    knowledge_version: str
    case: Case
    red_flags: tuple[RaisedFlag, ...]
    causes: tuple[RankedCause, ...]
    none_of_these: float
    mechanisms: dict[str, float]
    located: Located = Located()
    next_tests: tuple[dict[str, Any], ...] = ()
    test_sequence: tuple[dict[str, Any], ...] = ()
    plan: dict[str, Any] = {}
    missing: tuple[Question, ...] = ()
    applicability: Applicability = Applicability()
    any_from: tuple[float, ...] = ()

    def document(self) -> dict[str, Any]:
        """The assessment document of the contract, as plain Python values ready for JSON."""
        case = self.case
        return {
            "schema": SCHEMA,
            "knowledge_version": self.knowledge_version,
            "applicable": self.applicability.applicable,
            "applicable_reason": self.applicability.reason,
            "applicable_sources": [msgspec.to_builtins(s) for s in self.applicability.sources],
            "case": {
                "patient": msgspec.to_builtins(case.patient),
                "operations": [msgspec.to_builtins(o) for o in case.operations],
                "findings": [msgspec.to_builtins(o) for o in case.observations],
                "timeline": [msgspec.to_builtins(e) for e in case.timeline],
                "course": msgspec.to_builtins(case.course),
                "conflicts": [msgspec.to_builtins(c) for c in case.conflicts],
                "problems": [p.line() for p in case.problems],
            },
            "red_flags": [msgspec.to_builtins(f) for f in self.red_flags],
            "causes": [_cause(c) for c in self.causes],
            "none_of_these": self.none_of_these,
            "mechanisms": dict(self.mechanisms),
            "roots": [msgspec.to_builtins(r) for r in self.located.roots],
            "localisation": msgspec.to_builtins(self.located),
            "next_tests": list(self.next_tests),
            "test_sequence": list(self.test_sequence),
            "plan": dict(self.plan),
            "missing": [msgspec.to_builtins(q) for q in self.missing],
            "caveat": "Model estimate, not validated prospectively. It supports clinicians and does not replace them.",
        }


def _cause(cause: RankedCause) -> dict[str, Any]:
    return {
        "id": cause.id,
        "name": cause.name,
        "probability": cause.probability,
        "interval": list(cause.interval),
        "for": [msgspec.to_builtins(w) for w in cause.evidence_for],
        "against": [msgspec.to_builtins(w) for w in cause.evidence_against],
        "would_settle": list(cause.would_settle),
    }
