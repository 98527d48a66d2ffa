"""What the record says, settled: one status per finding, and the facts about the operations, the time and the patient.

A finding or fact that the record does not give is missing (None), never false.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from sequela.case import Case, Observation, Operation, Status
from sequela.case.spans import DAYS_PER_MONTH, middle_day
from sequela.knowledge.model import Knowledge, Procedure
from sequela.reasoning.network import Network

Fact = float | bool | None

LONG_FUSION = 3
"""Fused segments from which a fusion counts as long."""

_STRENGTH: dict[Status, int] = {"absent": 0, "uncertain": 1, "present": 2}


class Settled(msgspec.Struct, frozen=True):
    """What the record as a whole says of one finding.

    values: the numbers stated with that status, ascending, in the finding's unit. implied: not stated itself, but it follows
    by definition from a finding that is present.
    """

    status: Status
    values: tuple[float, ...] = ()
    implied: bool = False


def known(case: Case, network: Network) -> dict[str, Settled]:
    """Every finding the record states, implies or excludes, by identifier, in no particular order.

    Implication and exclusion only fill gaps: a finding the record speaks of keeps the status it is given there.
    """
    stated = _stated(case)
    present = {x for x, one in stated.items() if one.status == "present"}
    follows = {y for x in present for y in network.implied.get(x, ())} - stated.keys()
    barred = {y for x in present | follows for y in network.excluded.get(x, ())} - stated.keys() - follows
    return (
        stated
        | {id_: Settled("present", implied=True) for id_ in follows}
        | {id_: Settled("absent", implied=True) for id_ in barred}
    )


def _stated(case: Case) -> dict[str, Settled]:
    dates = {document.name: document.date for document in case.documents}
    groups: dict[str, list[tuple[str | None, Observation]]] = {}
    for observation in case.observations:
        written = dates.get(observation.source.document) if observation.source else None
        groups.setdefault(observation.id, []).append((observation.date or written, observation))
    return {id_: _settle(group) for id_, group in groups.items()}


def _settle(group: list[tuple[str | None, Observation]]) -> Settled:
    """Present beats uncertain beats absent, unless the latest dated statement denies it: then the latest wins.

    A statement without a date cannot be older than anything, so it is never overruled.
    """
    newest = max((when for when, _ in group if when), default=None)
    if newest is not None:
        current = [pair for pair in group if pair[0] is None or not _before(pair[0], newest)]
        if all(observation.status == "absent" for when, observation in current if when):
            group = current
    status = max((observation.status for _, observation in group), key=_STRENGTH.__getitem__)
    values = sorted(o.value for _, o in group if o.status == status and o.value is not None)
    return Settled(status, tuple(values))


def _before(earlier: str, later: str) -> bool:
    """ISO dates compared to the precision both have: "2019" is not before "2019-03"."""
    shared = min(len(earlier), len(later))
    return earlier[:shared] < later[:shared]


def facts_of(case: Case, knowledge: Knowledge) -> dict[str, Fact]:
    """The facts that criteria, needs and risks may name. Times in days, age in years; None = the record does not say."""
    procedures = {procedure.id: procedure for procedure in knowledge.procedures}
    operations = case.operations
    count = len(operations) or None
    fusion = _trait("fusion", operations, procedures)
    fused = [o for o in operations if _has("fusion", o, procedures)]
    segments = {level for operation in fused for level in operation.levels}
    # With a fusion that may exist but whose levels are not given, only what is positively stated counts.
    levels_known = fusion is False or (fusion is True and all(operation.levels for operation in fused))
    return {
        "days_since_operation": _days_since(case),
        "onset_days_after_operation": case.course.interval_days,
        "operations_count": count,
        "age": _age(case),
        "male": None if case.patient.sex is None else case.patient.sex == "male",
        "instrumented": _trait("instrumented", operations, procedures),
        "fusion": fusion,
        "fusion_or_decompression": _either(fusion, _trait("decompression", operations, procedures)),
        "fused_to_sacrum": any(map(_reaches_sacrum, segments)) or (False if levels_known else None),
        "long_fusion": len(segments) >= LONG_FUSION or (False if levels_known else None),
        "several_operations": None if count is None else count >= 2,
        "three_or_more_operations": None if count is None else count >= 3,
    }


def _has(trait: str, operation: Operation, procedures: Mapping[str, Procedure]) -> bool:
    procedure = procedures.get(operation.procedure)
    if trait == "instrumented" and operation.implants:
        return True
    return procedure is not None and trait in procedure.traits


def _trait(trait: str, operations: tuple[Operation, ...], procedures: Mapping[str, Procedure]) -> bool | None:
    """Whether any operation had the trait; None when no operation, or one of unclear kind, is documented."""
    if any(_has(trait, operation, procedures) for operation in operations):
        return True
    hidden = not operations or any(_may_hide(trait, procedures.get(o.procedure)) for o in operations)
    return None if hidden else False


def _may_hide(trait: str, procedure: Procedure | None) -> bool:
    """Whether an operation named so loosely could have had the trait: "lumbar surgery"; a "fusion", with screws or not."""
    if procedure is None or (not procedure.traits and procedure.family in ("any", "fusion")):
        return True
    return trait == "instrumented" and "fusion" in procedure.traits


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False


def _reaches_sacrum(segment: str) -> bool:
    return any(part.strip().upper().startswith("S") for part in segment.split("-"))


def _days_since(case: Case) -> float | None:
    """Days from the latest dated operation to the record."""
    if case.course.elapsed_days is not None:
        return case.course.elapsed_days
    today = _record_date(case)
    ago = [days for operation in case.operations if (days := _days_ago(operation, today)) is not None]
    return min(ago, default=None)


def _days_ago(operation: Operation, today: date | None) -> float | None:
    if operation.months_ago is not None:
        return operation.months_ago * DAYS_PER_MONTH
    done = middle_day(operation.date)
    return None if done is None or today is None or done > today else float((today - done).days)


def _record_date(case: Case) -> date | None:
    days = [day for document in case.documents if (day := middle_day(document.date)) is not None]
    return max(days, default=None)


def _age(case: Case) -> float | None:
    if case.patient.age is not None:
        return float(case.patient.age)
    born, today = middle_day(case.patient.birth_date), _record_date(case)
    if born is None or today is None:
        return None
    return float(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))
