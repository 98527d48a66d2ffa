"""Findings that follow from when after the operation a value was measured ("CRP 200 on day 10")."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sequela.case import Course, Document, Observation, Operation
from sequela.knowledge.model import Derived

_WHOLE_DATE = len("2024-03-01")


def by_day(
    derived: Sequence[Derived],
    observations: Sequence[Observation],
    operations: Sequence[Operation],
    documents: Sequence[Document],
    course: Course,
) -> list[Observation]:
    """Per rule the first measurement that meets it, as the finding that follows; nothing where the record states that finding itself."""
    written = {document.name: document.date for document in documents}
    stated = {o.id for o in observations}
    out = []
    for rule in derived:
        if rule.value_of is None or rule.finding in stated:
            continue
        first, last = rule.days_after
        for o in observations:
            if o.id != rule.value_of or o.status != "present" or o.value is None or o.value <= rule.value_above:
                continue
            days = _days(o, operations, written, course)
            if days is not None and first <= days <= last:
                out.append(Observation(rule.finding, "present", o.value, o.unit, date=o.date, source=o.source))
                break
    return out


def _days(
    observation: Observation, operations: Sequence[Operation], written: Mapping[str, str | None], course: Course
) -> float | None:
    """Days from the latest operation before the measurement. Without a date it was measured when the record was written."""
    when = observation.date or (written.get(observation.source.document) if observation.source else None)
    if when is None:
        return course.elapsed_days
    if len(when) != _WHOLE_DATE:
        return None
    dated = [o.date for o in operations if o.date is not None]
    if not dated and observation.source and when == written.get(observation.source.document):
        return course.elapsed_days  # measured when the record was written, and that says how long ago the operation was
    return _since(when, dated)


def _since(when: str, dates: Collection[str]) -> float | None:
    """None when no operation of known day came before, or one came perhaps later than the last of them."""
    before = [d for d in dates if d[: len(when)] <= when]
    if not before:
        return None
    latest = max(before)
    if len(latest) != _WHOLE_DATE:
        return None
    return float((date.fromisoformat(when) - date.fromisoformat(latest)).days)
