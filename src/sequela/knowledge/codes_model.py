"""The shapes of `codes.yaml`: one class per kind of entry, exactly as the file says it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from sequela.knowledge.model import Strict

Status = Literal["present", "absent", "uncertain"]
Side = Literal["left", "right", "both"]


def plain_unit(text: str) -> str:
    """A unit without the accidents of writing: case, blanks, the two letters for micro, raised digits."""
    folded = re.sub(r"\s+", "", text).lower().replace("µ", "u").replace("μ", "u")
    return folded.replace("²", "2").replace("³", "3").replace("⁹", "9")


class System(Strict, frozen=True):
    """names: the addresses and object identifiers records use for it. dots: False when E11.9 and E119 are the same code."""

    id: str
    names: tuple[str, ...]
    dots: bool = True


class Code(Strict, frozen=True):
    """One or several codes (exact) or prefixes (`?` stands for any character). verified: checked in the group's sources."""

    system: str
    code: str | tuple[str, ...] = ()
    prefix: str | tuple[str, ...] = ()
    label: str = ""
    verified: bool = True
    role: Literal["exclude"] | None = None
    status: Status = "present"
    level: str | None = None
    side: Side | None = None
    finding: str | None = None


class Group(Strict, frozen=True):
    """Codes that say one thing. needs_site: counts only where the record names the lumbar region. past_counts: resolved still counts."""

    codes: tuple[Code, ...]
    sources: tuple[str, ...]
    finding: str | None = None
    cause: str | None = None
    procedure: str | None = None
    implant: str | None = None
    event: str | None = None
    label: str = ""
    needs_site: bool = False
    past_counts: bool = False


class Question(Strict, frozen=True):
    system: str
    code: str
    label: str = ""


class Answers(Strict, frozen=True):
    """A coded question and what its coded answers say."""

    question: Question
    sources: tuple[str, ...]
    codes: tuple[Code, ...]


class Analyte(Strict, frozen=True):
    """A measured quantity. units: factor to `unit` from a unit as written; also: units kept because no plain factor exists.

    bedside: measured at the patient, not in the laboratory.
    """

    id: str
    name: str
    unit: str
    names: tuple[str, ...]
    loinc: tuple[str, ...]
    sources: tuple[str, ...]
    units: dict[str, float] = msgspec.field(default_factory=dict)
    also: tuple[str, ...] = ()
    loinc_unverified: tuple[str, ...] = ()
    bedside: bool = False

    def factor(self, unit: str) -> float | None:
        """What to multiply by to come to `self.unit`; 1 for a unit that is kept; None when the unit is not known."""
        wanted = plain_unit(unit)
        if wanted in (plain_unit(u) for u in (self.unit, *self.also)):
            return 1.0
        return next((f for name, f in self.units.items() if plain_unit(name) == wanted), None)

    def keeps(self, unit: str) -> bool:
        return plain_unit(unit) in (plain_unit(u) for u in self.also)


class Score(Strict, frozen=True):
    id: str
    name: str
    loinc: tuple[str, ...]


class Medication(Strict, frozen=True):
    """A group of drugs. finding: stated when taken (and, with `days`, documented for that long)."""

    group: str
    names: tuple[str, ...]
    sources: tuple[str, ...]
    finding: str | None = None
    days: int | None = None
    gap_days: int = 0
    atc: tuple[str, ...] = ()
    rxnorm: tuple[str, ...] = ()
    rxnorm_unverified: tuple[str, ...] = ()
    not_routes: tuple[str, ...] = ()


class Level(Strict, frozen=True):
    level: str
    snomed: tuple[str, ...]
    sources: tuple[str, ...]


class SideCodes(Strict, frozen=True):
    """codes: single letters used in tables."""

    side: Side
    words: tuple[str, ...]
    snomed: tuple[str, ...]
    codes: tuple[str, ...]


class Lumbar(Strict, frozen=True):
    words: tuple[str, ...]
    opcs4: tuple[str, ...]
    sources: tuple[str, ...]


class DocumentKind(Strict, frozen=True):
    kind: str
    words: tuple[str, ...]
    loinc: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()


class Section(Strict, frozen=True):
    """before: what every line of such a section is read behind."""

    loinc: tuple[str, ...]
    before: str


class Says(Strict, frozen=True):
    """words: what a verdict column plainly states. whole: counts only as the whole cell. level: the cell names the level."""

    finding: str
    words: tuple[str, ...]
    whole: tuple[str, ...] = ()
    level: bool = False


class NerveTable(Strict, frozen=True):
    """structure to verdict: column names. kinds: words of each kind of test. spontaneous: measures of a muscle at rest.

    none: values that say there is no such activity. paraspinal: muscles that an operation denervates.
    """

    structure: tuple[str, ...]
    side: tuple[str, ...]
    test: tuple[str, ...]
    measure: tuple[str, ...]
    value: tuple[str, ...]
    unit: tuple[str, ...]
    verdict: tuple[str, ...]
    ignore: tuple[str, ...]
    kinds: dict[Literal["needle", "motor", "sensory", "late"], tuple[str, ...]]
    spontaneous: tuple[str, ...]
    none: tuple[str, ...]
    paraspinal: tuple[str, ...]
    says: tuple[Says, ...]
    denied: tuple[str, ...]
    doubted: tuple[str, ...]


class LaboratoryTable(Strict, frozen=True):
    name: tuple[str, ...]
    value: tuple[str, ...]
    unit: tuple[str, ...]
    date: tuple[str, ...]
    flag: tuple[str, ...]


class Tables(Strict, frozen=True):
    patient: tuple[str, ...]
    electrodiagnosis: NerveTable
    laboratory: LaboratoryTable


class CodesFile(Strict, frozen=True):
    """codes.yaml as it stands."""

    systems: tuple[System, ...]
    sources: dict[str, str]
    findings: tuple[Group, ...]
    causes: tuple[Group, ...]
    procedures: tuple[Group, ...]
    implants: tuple[Group, ...]
    events: tuple[Group, ...]
    answers: tuple[Answers, ...]
    analytes: tuple[Analyte, ...]
    scores: tuple[Score, ...]
    medications: tuple[Medication, ...]
    levels: tuple[Level, ...]
    sides: tuple[SideCodes, ...]
    lumbar: Lumbar
    document_kinds: tuple[DocumentKind, ...]
    sections: tuple[Section, ...]
    tables: Tables
