"""How the complaint behaved relative to the latest operation: never relieved, returned, new; and when."""

from __future__ import annotations

from collections.abc import Sequence

from sequela.case import Course, Observation, Operation
from sequela.records.text.time import TimeMention

_PATTERN = {"course_never_relieved": "never_relieved", "course_relapse": "returned", "course_new_pain": "new"}
_DAYS_PER_MONTH = 30.44


def course(
    observations: Sequence[Observation],
    operations: Sequence[Operation],
    onset: Sequence[TimeMention],
    spell: Sequence[TimeMention],
    review: Sequence[TimeMention],
    manifestation: dict[str, str],
) -> Course:
    """onset: intervals "after" the operation next to a complaint or its return; spell: durations of the complaint or of relief;
    review: when the patient was seen after the operation. manifestation: of each finding id."""
    pattern, source = None, None
    for observation in observations:
        kind = _PATTERN.get(manifestation.get(observation.id, ""))
        if kind and observation.status == "present":
            pattern, source = (kind, observation.source) if pattern is None or kind == "returned" else (pattern, source)
    since = elapsed(operations, review)
    return Course(pattern, _interval(pattern, since, onset, spell), since, source)  # type: ignore[arg-type]


def elapsed(operations: Sequence[Operation], review: Sequence[TimeMention]) -> float | None:
    """Days from the latest operation to the record, where the text says it."""
    dated = [o.months_ago * _DAYS_PER_MONTH for o in operations if o.months_ago is not None]
    if dated:
        return min(dated)
    after = [t.days for t in review if t.days is not None]
    return max(after) if after else None


def _interval(
    pattern: str | None, elapsed: float | None, onset: Sequence[TimeMention], spell: Sequence[TimeMention]
) -> float | None:
    stated = [t.days for t in onset if t.kind == "after" and t.days is not None]
    if stated:
        return min(stated) if pattern != "returned" else max(stated)
    if pattern == "never_relieved":
        return 0.0
    lengths = [t.days for t in spell if t.days is not None]
    if elapsed is not None and lengths and max(lengths) < elapsed:
        return elapsed - max(lengths)
    if elapsed is not None and elapsed <= 30:
        return elapsed
    return None
