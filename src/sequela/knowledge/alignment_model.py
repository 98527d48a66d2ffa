"""The shapes of `alignment.yaml`: one class per kind of entry, exactly as the file says it."""

from __future__ import annotations

from typing import Literal

import msgspec

from sequela.knowledge.model import Basis, Strict

Unit = Literal["deg", "mm", "%"]
Status = Literal["present", "absent", "uncertain"]


def _limit_in_words(above: float | None, at_least: float | None, below: float | None = None) -> str:
    limits = (("above", above), ("at least", at_least), ("below", below))
    return " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)


class Cut(Strict, frozen=True):
    """From where a value gives a finding its status. One of above, at_least and below.

    levels: only at these segments. fused: True only at a segment known to be fused, False not at such a one.
    """

    finding: str
    basis: Basis
    status: Status = "present"
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    levels: tuple[str, ...] = ()
    fused: bool | None = None

    def met(self, value: float) -> bool:
        return (
            (self.above is not None and value > self.above)
            or (self.at_least is not None and value >= self.at_least)
            or (self.below is not None and value < self.below)
        )

    def words(self) -> str:
        """The limit as a reader says it: "above 10"."""
        return _limit_in_words(self.above, self.at_least, self.below)

    def applies(self, level: str | None, fused: bool | None) -> bool:
        if self.levels and level not in self.levels:
            return False
        return self.fused is None or (fused is True) == self.fused


class Measure(Strict, frozen=True):
    """plausible: least and greatest value that is no error. either_way: the size counts, whatever the sign.

    denies: whether a value that meets no cut denies the finding, or leaves it open because the finding is wider than the measure.
    """

    id: str
    short: str
    name: str
    unit: Unit
    plausible: tuple[float, float]
    basis: Basis
    either_way: bool = False
    denies: bool = True
    cuts: tuple[Cut, ...] = ()


class Band(Strict, frozen=True):
    """One grade of a scale, and from where it begins. findings: what an entered grade says."""

    grade: str
    means: str = ""
    above: float | None = None
    at_least: float | None = None
    points: int = 0
    findings: dict[str, Status] = msgspec.field(default_factory=dict)

    def reached(self, value: float) -> bool:
        """The lowest band has no beginning."""
        if self.above is not None:
            return value > self.above
        return self.at_least is None or value >= self.at_least

    def words(self) -> str:
        """Where it begins; empty for the lowest."""
        return _limit_in_words(self.above, self.at_least)


class Scale(Strict, frozen=True):
    """of: the measure, or age, that is graded; None where the grade itself is entered. bands: from the lowest."""

    id: str
    name: str
    bands: tuple[Band, ...]
    basis: Basis
    of: str | None = None

    def band(self, value: float) -> Band:
        return [band for band in self.bands if band.reached(value)][-1]


class Term(Strict, frozen=True):
    """times x (variable - minus). of: a measure, or age in years."""

    of: str
    times: float
    minus: float = 0.0


class Ideal(Strict, frozen=True):
    """A linear formula of age and measures."""

    constant: float
    terms: tuple[Term, ...]

    def value(self, known: dict[str, float]) -> float | None:
        """None where one of its variables is not known."""
        if any(term.of not in known for term in self.terms):
            return None
        return self.constant + sum(term.times * (known[term.of] - term.minus) for term in self.terms)


class Relative(Strict, frozen=True):
    """The measure `id` is the measure `of` less its ideal."""

    id: str
    of: str
    ideal: Ideal
    basis: Basis


class Target(Strict, frozen=True):
    id: str
    name: str
    of: str
    ideal: Ideal
    basis: Basis


class Score(Strict, frozen=True):
    """The sum of the points of its parts, which are scales."""

    id: str
    name: str
    parts: tuple[str, ...]
    bands: tuple[Band, ...]
    basis: Basis


class SumCheck(Strict, frozen=True):
    """Degrees by which incidence may miss tilt plus slope: computed from landmarks, entered by hand."""

    computed: float
    entered: float
    basis: Basis


class Alignment(Strict, frozen=True):
    """Everything known about measures of alignment and implants; see `alignment.yaml`."""

    sum_check: SumCheck
    measures: tuple[Measure, ...]
    scales: tuple[Scale, ...]
    relatives: tuple[Relative, ...]
    targets: tuple[Target, ...]
    scores: tuple[Score, ...]

    def measure(self, id_: str) -> Measure:
        """Raises KeyError for an unknown one."""
        for measure in self.measures:
            if measure.id == id_:
                return measure
        raise KeyError(id_)

    def named(self, name: str) -> Measure | Scale | None:
        """A measure by id or abbreviation, or a scale whose grade can be entered, however it is capitalised."""
        wanted = name.strip().lower()
        for measure in self.measures:
            if wanted in (measure.id, measure.short.lower()):
                return measure
        enterable = (s for s in self.scales if any(band.findings for band in s.bands))
        return next((s for s in enterable if s.id == wanted), None)
