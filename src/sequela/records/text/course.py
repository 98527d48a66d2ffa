"""How the complaint behaved relative to the latest operation: never relieved, returned, new; and when."""

from __future__ import annotations

from collections.abc import Sequence

from sequela.case import Course, Observation, Operation
from sequela.case.spans import DAYS_PER_MONTH, whole_days
from sequela.records.text.time import TimeMention

_PATTERN = {"course_never_relieved": "never_relieved", "course_relapse": "returned", "course_new_pain": "new"}


def course(
    observations: Sequence[Observation],
    operations: Sequence[Operation],
    onset: Sequence[TimeMention],
    spell: Sequence[TimeMention],
    relief: Sequence[TimeMention],
    review: Sequence[TimeMention],
    since: float | None,
    manifestation: dict[str, str],
) -> Course:
    """onset, spell, relief, review, since: as the `Story` has them. manifestation: of each finding id."""
    pattern, source = None, None
    for observation in observations:
        kind = _PATTERN.get(manifestation.get(observation.id, ""))
        if kind and observation.status == "present":
            pattern, source = (kind, observation.source) if pattern is None or kind == "returned" else (pattern, source)
    passed, interval = elapsed(operations, review), _interval(pattern, since, onset, spell, relief)
    return Course(
        pattern,  # type: ignore[arg-type]
        None if interval is None else whole_days(interval),
        None if passed is None else whole_days(passed),
        source,
    )


def elapsed(operations: Sequence[Operation], review: Sequence[TimeMention]) -> float | None:
    """Days from the latest operation to the record, where the text says it."""
    dated = [o.months_ago * DAYS_PER_MONTH for o in operations if o.months_ago is not None]
    if dated:
        return min(dated)
    after = [t.days for t in review if t.days is not None]
    return max(after) if after else None


def _interval(
    pattern: str | None,
    since: float | None,
    onset: Sequence[TimeMention],
    spell: Sequence[TimeMention],
    relief: Sequence[TimeMention],
) -> float | None:
    """Days from the operation to the onset: as stated, as long as it was well, or what the time since then leaves."""
    stated = [t.days for t in onset if t.kind == "after" and t.days is not None]
    if stated:
        return min(stated) if pattern != "returned" else max(stated)
    if pattern == "never_relieved":
        return 0.0
    began = [t.days for t in onset if t.kind == "ago" and t.days is not None]
    if since is not None and began and max(began) < since:
        return since - max(began)
    well = [t.days for t in relief if t.days is not None]
    if pattern == "returned" and well and (since is None or max(well) <= since):
        return max(well)
    lengths = [t.days for t in spell if t.days is not None]
    if since is not None and lengths and max(lengths) < since:
        return since - max(lengths)
    if since is not None and since <= 30:
        return since
    return None
