"""What the handlers of one FHIR file share: its patients, what resources point to, and small translations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from sequela.case import Patient
from sequela.records import dates
from sequela.records import fhir_model as fhir
from sequela.records.collect import Coding, Collector

_PATIENT = re.compile(r"(?:^|/)Patient/([^/?#]+)")
_OTHER = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[^/]+(?:/_history/[^/]+)?$")
_BINARY = re.compile(r"(?:^|/)(Binary/[^/?#]+)")


class Skip(Exception):
    """This resource is not about a patient, or says that it does not count."""


class FhirFile:
    """One file being read. medications and binaries: by "Type/id" and by the address of their entry."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.medications: dict[str, fhir.Concept | None] = {}
        self.binaries: dict[str, bytes | msgspec.Raw] = {}
        self.superseded: set[str] = set()
        self._patients: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._referenced: dict[str, str | None] = {}
        self._left_out: dict[tuple[str, str], list[str]] = {}

    def patient(self, patient: fhir.Patient, url: str | None) -> None:
        """A Patient resource, by its id, else the address of its entry, its record number or its place in the file."""
        numbers = [i.value for i in patient.identifier or () if i.value]
        own = patient.id or (url.rsplit("/", 1)[-1].removeprefix("urn:uuid:") if url else None)
        own = own or (numbers[0] if numbers else f"{self.collector.name}#Patient/{len(self._patients) + 1}")
        self._patients[own] = own
        if url:
            self._patients[url] = own
        for number in numbers:
            self._numbers.setdefault(number, own)
        sex = patient.gender if patient.gender in ("female", "male") else None
        birth = dates.from_iso(patient.birthDate)
        self.collector.patient(Patient(own, _name(patient.name or ()), sex, birth), numbers)  # type: ignore[arg-type]

    def owner(self, resource: fhir.Resource) -> str | None:
        """The id of the patient a resource is about; None when it names none. Raises Skip when it is about something else."""
        reference = resource.subject or resource.patient
        if reference is None:
            return None
        own = self._resolved(reference)
        if own is not None:
            self._referenced.setdefault(own, reference.display)
        return own

    def _resolved(self, reference: fhir.Reference) -> str | None:
        text = (reference.reference or "").strip()
        if text in self._patients:
            return self._patients[text]
        named = _PATIENT.search(text)
        if named:
            return self._patients.get(named[1], named[1])
        if _OTHER.search(text):
            raise Skip
        if text and not text.startswith("#") and "?" not in text:
            return text.removeprefix("urn:uuid:")
        number = reference.identifier.value if reference.identifier else None
        return self._numbers.get(number, number) if number else None

    def replaces(self, document: fhir.DocumentReference) -> None:
        """Remember which documents a newer one replaces."""
        for relation in document.relatesTo or ():
            if relation.code == "replaces" and relation.target and relation.target.reference:
                self.superseded.add(relation.target.reference)

    def binary(self, url: str) -> bytes | msgspec.Raw | None:
        named = _BINARY.search(url)
        return self.binaries.get(url) or (self.binaries.get(named[1]) if named else None)

    def leave_out(self, what: str, mend: str, key: str) -> None:
        """Something that many resources may share; it is named once for the file, with how many."""
        self._left_out.setdefault((what, mend), []).append(key)

    def finish(self) -> None:
        """Patients that are only referred to, and what was left out."""
        known = set(self._patients.values())
        for own, display in self._referenced.items():
            if own not in known:
                self.collector.patient(Patient(own, display))
        for (what, mend), keys in self._left_out.items():
            part = keys[0] if len(keys) == 1 else f"{keys[0]} and {len(keys) - 1} more"
            self.collector.problem(what, mend, part)


def _name(names: Sequence[fhir.HumanName]) -> str | None:
    if not names:
        return None
    best = next((n for n in names if n.use in ("official", "usual")), names[0])
    parts = [part for part in (*(best.given or ()), best.family) if part]
    return best.text or " ".join(parts) or None


def codings(concepts: Iterable[fhir.Concept | None]) -> tuple[Coding, ...]:
    """All codings of the concepts that have a code or words."""
    return tuple(
        Coding(c.system or "", c.code or "", c.display or "")
        for concept in concepts
        if concept is not None
        for c in concept.coding or ()
        if c.code or c.display
    )


def words(concept: fhir.Concept | None) -> str:
    """The text of a concept, else the display of its first coding that has one."""
    if concept is None:
        return ""
    return concept.text or next((c.display for c in concept.coding or () if c.display), "") or ""


def code(concept: fhir.Concept | str | None) -> str:
    """The first code of a status concept (a plain string in older versions of FHIR)."""
    if isinstance(concept, str):
        return concept
    return next((c.code for c in (concept.coding or ()) if c.code), "") if concept is not None else ""


def day(*candidates: str | fhir.Period | None) -> str | None:
    """The first date that is given; of a period its start."""
    for candidate in candidates:
        text = candidate.start if isinstance(candidate, fhir.Period) else candidate
        found = dates.from_iso(text)
        if found:
            return found
    return None


def notes(annotations: Iterable[fhir.Annotation] | None) -> tuple[str, ...]:
    return tuple(" ".join(a.text.split()) for a in annotations or () if a.text and a.text.strip())
