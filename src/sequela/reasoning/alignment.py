"""What measures of alignment and implants say: derived measures, contradictions, findings, grades, targets, scores.

Pure functions over `knowledge/alignment.yaml`. A measure that contradicts another, or cannot be, says nothing: it is neither normal nor abnormal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from sequela.case import Observation, Status
from sequela.knowledge.alignment_model import Alignment, Cut, Measure, Scale

AGE = "age"


class Reading(msgspec.Struct, frozen=True):
    """One value of one measure of alignment.yaml, in its unit.

    level: the segment, where the measure has one. fused: whether that segment is fused, None where it is not known.
    magnified: the length may be smaller in the patient. origin: landmarks, entered, or derived from other readings.
    """

    measure: str
    value: float
    level: str | None = None
    fused: bool | None = None
    origin: Literal["landmarks", "entered", "derived"] = "entered"
    magnified: bool = False


class EnteredGrade(msgspec.Struct, frozen=True):
    """A grade somebody read, by the identifier of its scale."""

    scale: str
    grade: str
    level: str | None = None


class UnknownGrade(ValueError):
    """A scale or grade that alignment.yaml does not have; the text says which there are."""


class Grading(msgspec.Struct, frozen=True):
    """A value, or an entered grade, by the name of its scale."""

    scale: str
    grade: str
    means: str
    level: str | None = None
    points: int = 0


class Aim(msgspec.Struct, frozen=True):
    """What is aimed at for this patient. difference: value less target."""

    target: str
    measure: str
    value: float
    difference: float
    estimate: bool


class Total(msgspec.Struct, frozen=True):
    score: str
    points: int
    grade: str


class Contradiction(msgspec.Struct, frozen=True):
    """Why measures cannot be relied on. measures: those that say nothing because of it."""

    what: str
    mend: str
    measures: tuple[str, ...]

    def line(self) -> str:
        return f"{self.what}; {self.mend}"


class Judged(msgspec.Struct, frozen=True):
    """readings: given and derived. findings: one observation for each value that says something."""

    readings: tuple[Reading, ...] = ()
    findings: tuple[Observation, ...] = ()
    gradings: tuple[Grading, ...] = ()
    aims: tuple[Aim, ...] = ()
    totals: tuple[Total, ...] = ()
    problems: tuple[Contradiction, ...] = ()
    age: float | None = None


def judge(
    readings: Iterable[Reading], known: Alignment, *, age: float | None = None, grades: Iterable[EnteredGrade] = ()
) -> Judged:
    """What the readings, the age in years and the entered grades say together.

    Raises UnknownGrade, and KeyError for a measure that alignment.yaml does not have.
    """
    given = tuple(readings)
    complete = (*given, *derive(given, known))
    problems = (*_implausible(complete, known), *_sum_off(given, known), *_mismatch_off(given, known))
    doubted = _resting_on({name for problem in problems for name in problem.measures}, given, known)
    trusted = [r for r in complete if r.measure not in doubted]
    entered = tuple(_entered(known, grade) for grade in grades)
    values = {r.measure: r.value for r in trusted if r.level is None} | ({} if age is None else {AGE: age})
    gradings = _gradings(trusted, values, known)
    return Judged(
        readings=complete,
        findings=(*_findings(trusted, known), *(o for scale, grade in entered for o in _said(scale, grade))),
        gradings=(*(g for g in gradings if g.scale not in _parts(known)), *(grade for _, grade in entered)),
        aims=tuple(_aims(values, known)),
        totals=tuple(_totals(gradings, known)),
        problems=problems,
        age=age,
    )


# Derived measures -----------------------------------------------------------------------------------------------------

PI, PT, SS, LL = "pelvic_incidence", "pelvic_tilt", "sacral_slope", "lumbar_lordosis"
MISMATCH, LOWER, DISTRIBUTION = "pi_ll_mismatch", "lower_lordosis", "lordosis_distribution_index"


def derive(given: Sequence[Reading], known: Alignment) -> tuple[Reading, ...]:
    """The measures that follow from others and are not given: the third of incidence, tilt and slope; PI-LL; LDI; what GAP compares."""
    values = {r.measure: r.value for r in given if r.level is None}
    before = set(values)
    _fill(values, PI, [PT, SS], lambda tilt, slope: tilt + slope)
    _fill(values, PT, [PI, SS], lambda incidence, slope: incidence - slope)
    _fill(values, SS, [PI, PT], lambda incidence, tilt: incidence - tilt)
    _fill(values, MISMATCH, [PI, LL], lambda incidence, lordosis: incidence - lordosis)
    if values.get(LL, 0.0) > 0:  # a share of no lordosis, or of a kyphosis, says nothing
        _fill(values, DISTRIBUTION, [LOWER, LL], lambda lower, lordosis: 100 * lower / lordosis)
    for relative in known.relatives:
        ideal = relative.ideal.value(values)
        if ideal is not None:
            _fill(values, relative.id, [relative.of], lambda value, ideal=ideal: value - ideal)
    return tuple(Reading(name, value, origin="derived") for name, value in values.items() if name not in before)


def _fill(values: dict[str, float], name: str, parts: Sequence[str], formula: Callable[..., float]) -> None:
    if name not in values and all(part in values for part in parts):
        values[name] = formula(*(values[part] for part in parts))


def _resting_on(doubted: set[str], given: Sequence[Reading], known: Alignment) -> set[str]:
    """The doubted measures, and the derived ones that need one of them."""
    kept = [r for r in given if r.measure not in doubted]
    derivable = {r.measure for r in (*kept, *derive(kept, known))}
    return doubted | ({r.measure for r in derive(given, known)} - derivable)


# Contradictions -------------------------------------------------------------------------------------------------------


def _implausible(readings: Sequence[Reading], known: Alignment) -> Iterator[Contradiction]:
    """Values that cannot be."""
    for reading in readings:
        measure = known.measure(reading.measure)
        least, greatest = measure.plausible
        if not least <= reading.value <= greatest:
            what = f"{_named(measure, reading.level)} is {reading.value:.1f} {measure.unit}, outside of {least:g} to {greatest:g}"
            yield Contradiction(what, "check the landmarks, the sign and the unit", (measure.id,))


def _sum_off(given: Sequence[Reading], known: Alignment) -> Iterator[Contradiction]:
    """Incidence is tilt plus slope."""
    three = {r.measure: r for r in given if r.measure in (PI, PT, SS)}
    if len(three) < 3:
        return
    computed = all(r.origin == "landmarks" for r in three.values())
    tolerance = known.sum_check.computed if computed else known.sum_check.entered
    off = three[PI].value - three[PT].value - three[SS].value
    if abs(off) > tolerance:
        what = f"PI {three[PI].value:.1f} is not PT {three[PT].value:.1f} + SS {three[SS].value:.1f}: {abs(off):.1f} deg apart, {tolerance:g} are allowed"
        yield Contradiction(what, "measure them again on one film", (PI, PT, SS))


def _mismatch_off(given: Sequence[Reading], known: Alignment) -> Iterator[Contradiction]:
    """A stated PI-LL is the difference of the stated incidence and lordosis."""
    values = {r.measure: r.value for r in given}
    if not {PI, LL, MISMATCH} <= values.keys():
        return
    off = abs(values[PI] - values[LL] - values[MISMATCH])
    if off > known.sum_check.entered:
        what = f"PI-LL {values[MISMATCH]:.1f} is not PI {values[PI]:.1f} - LL {values[LL]:.1f}: {off:.1f} deg apart, {known.sum_check.entered:g} are allowed"
        yield Contradiction(what, "measure them again on one film", (PI, LL, MISMATCH))


def _named(measure: Measure, level: str | None) -> str:
    return measure.name + (f" at {level}" if level else "")


# Findings -------------------------------------------------------------------------------------------------------------


def _findings(readings: Sequence[Reading], known: Alignment) -> Iterator[Observation]:
    for reading in readings:
        measure = known.measure(reading.measure)
        applying = [cut for cut in measure.cuts if cut.applies(reading.level, reading.fused)]
        for finding, cuts in groupby(applying, key=lambda cut: cut.finding):
            status = _status(reading, measure, list(cuts))
            if status is None:
                continue
            yield Observation(finding, status, round(reading.value, 1), measure.unit, reading.level)


def _status(reading: Reading, measure: Measure, cuts: Sequence[Cut]) -> Status | None:
    """That of the first cut met, else absent, or None where the measure denies nothing. A length on a magnified film may be shorter in truth, so that it cannot prove anything."""
    value = abs(reading.value) if measure.either_way else reading.value
    otherwise: Status | None = "absent" if measure.denies else None
    status = next((cut.status for cut in cuts if cut.met(value)), otherwise)
    return "uncertain" if status == "present" and reading.magnified else status


def _entered(known: Alignment, entered: EnteredGrade) -> tuple[Scale, Grading]:
    scale = next((s for s in known.scales if s.id == entered.scale), None)
    if scale is None:
        raise UnknownGrade(f"no scale is called {entered.scale}; use one of alignment.yaml")
    band = next((b for b in scale.bands if b.grade.lower() == entered.grade.strip().lower()), None)
    if band is None:
        has = ", ".join(b.grade for b in scale.bands)
        raise UnknownGrade(f"{scale.name} has no grade {entered.grade or 'without a name'}; write one of {has}")
    return scale, Grading(scale.id, band.grade, band.means, entered.level, band.points)


def _said(scale: Scale, grading: Grading) -> Iterator[Observation]:
    band = next(b for b in scale.bands if b.grade == grading.grade)
    for finding, status in band.findings.items():
        yield Observation(finding, status, level=grading.level)


# Grades, targets, scores ----------------------------------------------------------------------------------------------


def _parts(known: Alignment) -> set[str]:
    """Scales that only count in a score."""
    return {part for score in known.scores for part in score.parts}


def _gradings(readings: Sequence[Reading], values: Mapping[str, float], known: Alignment) -> tuple[Grading, ...]:
    found = []
    for scale in known.scales:
        if scale.of == AGE and AGE in values:
            found.append(_graded(scale, values[AGE], None))
        for reading in readings:
            if reading.measure == scale.of:
                size = abs(reading.value) if known.measure(reading.measure).either_way else reading.value
                found.append(_graded(scale, size, reading.level))
    return tuple(found)


def _graded(scale: Scale, value: float, level: str | None) -> Grading:
    band = scale.band(value)
    return Grading(scale.id, band.grade, band.means, level, band.points)


def _aims(values: dict[str, float], known: Alignment) -> Iterator[Aim]:
    for target in known.targets:
        ideal = target.ideal.value(values)
        if ideal is not None and target.of in values:
            yield Aim(target.id, target.of, ideal, values[target.of] - ideal, target.basis.expert_estimate)


def _totals(gradings: Sequence[Grading], known: Alignment) -> Iterator[Total]:
    """A score only where every part of it is known."""
    points = {grading.scale: grading.points for grading in gradings}
    for score in known.scores:
        if all(part in points for part in score.parts):
            total = sum(points[part] for part in score.parts)
            yield Total(score.id, total, [b for b in score.bands if b.reached(total)][-1].grade)
