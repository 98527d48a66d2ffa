"""Whether the question "why did the operation fail?" can be asked of this record at all."""

from __future__ import annotations

from sequela.case import Case
from sequela.reasoning.assessment import Applicability, Inapplicable

ADULT = 18
"""Years of age; all that is known here was learnt on adults."""


_REASONS: dict[str, Inapplicable] = {
    "planned": "operation_planned",
    "denied": "operation_denied",
    "other_region": "operation_on_other_region",
}
"""In the order in which they count."""


def applicability(case: Case) -> Applicability:
    """An operation that is recorded decides for it; without one, what the text expressly says decides against it; silence decides nothing.

    A plan beats a denial, since who is listed for a first operation is also said to have had none.
    """
    if case.patient.age is not None and case.patient.age < ADULT:
        return Applicability(applicable=False, reason="child")
    if case.operations:
        return Applicability(applicable=True)
    if case.course.pattern is not None:
        return Applicability(
            reason="no_operation_found"
        )  # "back after the operation": one was done, whatever else is denied
    for why, reason in _REASONS.items():
        sources = tuple(one.source for one in case.unperformed if one.why == why)
        if sources:
            return Applicability(applicable=False, reason=reason, sources=sources)
    return Applicability(reason="no_operation_found")
