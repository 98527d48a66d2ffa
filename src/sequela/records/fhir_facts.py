"""FHIR resources that state facts: Condition, Procedure, Observation, Medication*, Device, ImagingStudy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from sequela.case import Status
from sequela.case.spans import DAYS_PER_MONTH, DAYS_PER_YEAR
from sequela.records import dates
from sequela.records import fhir_model as fhir
from sequela.records.collect import Coded, Coding, Value
from sequela.records.fhir_file import FhirFile, Skip, code, codings, day, notes, words

_WITHDRAWN = frozenset(("entered-in-error", "cancelled", "not-done"))
_NO_LONGER = frozenset(("resolved", "inactive", "remission"))
_DOUBTED = frozenset(("unconfirmed", "provisional", "differential"))
_DRUG_IGNORED = _WITHDRAWN | {"draft", "not-taken", "declined", "intended", "preparation"}
_DRUG_PAST = frozenset(("completed", "stopped", "on-hold", "ended"))
_NOT_ORDERED = frozenset(("proposal", "plan", "option"))
_FLAGS = {"H": "high", "HH": "high", "HU": "high", "L": "low", "LL": "low", "LU": "low", "N": "normal", "A": "abnormal"}
_FLAGS |= {"AA": "abnormal", "POS": "positive", "NEG": "negative"}
_DAYS = {
    "d": 1.0,
    "day": 1.0,
    "days": 1.0,
    "wk": 7.0,
    "week": 7.0,
    "weeks": 7.0,
    "mo": DAYS_PER_MONTH,
    "a": DAYS_PER_YEAR,
    "h": 1 / 24,
}
_LONG_TEXT = 120
_NOT_DONE_YET = {"preparation": "planned", "on-hold": "suspended", "stopped": "not completed"}
"""Procedures in which nothing, or not all, was done: points of the story, never operations."""

_medication = msgspec.json.Decoder(fhir.Medication, strict=False)


def condition(file: FhirFile, key: str, it: fhir.Condition) -> None:
    verification = code(it.verificationStatus)
    if verification in _WITHDRAWN or it.code is None:
        raise Skip
    status: Status = "absent" if verification == "refuted" else "uncertain" if verification in _DOUBTED else "present"
    begin = day(it.onsetDateTime, it.onsetPeriod, it.recordedDate)
    end = dates.from_iso(it.abatementDateTime or (it.abatementPeriod.end if it.abatementPeriod else None))
    ended = bool(it.abatementDateTime or it.abatementPeriod or it.abatementBoolean)
    file.collector.condition(
        Coded(
            key=key,
            text=it.code.text or "",
            patient=file.owner(it),
            codings=codings((it.code,)),
            date=file.collector.begun(key, begin, end),
            status=status,
            past=ended or code(it.clinicalStatus) in _NO_LONGER,
            site=", ".join(filter(None, map(words, it.bodySite or ()))),
            site_codings=codings(it.bodySite or ()),
            notes=notes(it.note),
        )
    )


def procedure(file: FhirFile, key: str, it: fhir.Procedure) -> None:
    if it.status in _WITHDRAWN or it.code is None:
        raise Skip
    devices = [*map(words, it.usedCode or ())]
    devices += [d.manipulated.display or "" for d in it.focalDevice or () if d.manipulated]
    complications = tuple(f"Complication: {words(c)}" for c in it.complication or () if words(c))
    end = dates.from_iso(it.performedPeriod.end) if it.performedPeriod else None
    coded = Coded(
        key=key,
        text=it.code.text or "",
        patient=file.owner(it),
        codings=codings((it.code,)),
        date=file.collector.begun(key, day(it.performedDateTime, it.performedPeriod, it.performedString), end),
        site=", ".join(filter(None, map(words, it.bodySite or ()))),
        site_codings=codings(it.bodySite or ()),
        notes=(*complications, *notes(it.note)),
        implants=tuple(filter(None, devices)),
    )
    if it.status in _NOT_DONE_YET:
        file.collector.unfinished(coded, _NOT_DONE_YET[it.status])
    else:
        file.collector.procedure(coded)


def observation(file: FhirFile, key: str, it: fhir.Observation) -> None:
    if it.status in _WITHDRAWN or it.code is None:
        raise Skip
    categories = {c.code for concept in it.category or () for c in concept.coding or ()}
    kind = "laboratory" if "laboratory" in categories else "questionnaire" if "survey" in categories else "text"
    coded = Coded(
        key=key,
        text=words(it.code),
        patient=file.owner(it),
        codings=codings((it.code,)),
        date=day(it.effectiveDateTime, it.effectivePeriod, it.effectiveInstant, it.issued),
    )
    site = words(it.bodySite)
    if site and site.lower() not in coded.text.lower():
        coded = msgspec.structs.replace(coded, text=f"{coded.text}, {site}")
    _value(file, coded, it, kind)
    for component in it.component or ():
        part = msgspec.structs.replace(coded, text=words(component.code), codings=codings((component.code,)))
        _value(file, part, component, kind)
    for note in notes(it.note):
        file.collector.document(key, f"{coded.text}: {note}", kind, coded.date, coded.patient)


def _value(file: FhirFile, coded: Coded, it: fhir.Observation | fhir.Component, kind: str) -> None:
    """One value of an Observation: a coded answer, a long text, or a line of the day."""
    if it.valueCodeableConcept is not None:
        answers = codings((it.valueCodeableConcept,))
        text = words(it.valueCodeableConcept)
        file.collector.answer(coded, answers or ((Coding("", "", text),) if text else ()))
    elif it.valueString is not None and (len(it.valueString) > _LONG_TEXT or "\n" in it.valueString):
        said = file.collector.codes.document_kind([(c.system, c.code) for c in coded.codings], coded.text)
        text = f"{coded.text}\n{it.valueString}"
        file.collector.document(coded.key, text, said or kind, coded.date, coded.patient)
    else:
        file.collector.result(coded, _measured(file, coded, it), kind)


def _measured(file: FhirFile, coded: Coded, it: fhir.Observation | fhir.Component) -> Value:
    interpretation = it.interpretation if isinstance(it.interpretation, tuple) else (it.interpretation,)
    flag = next((_FLAGS[c.code] for c in codings(interpretation) if c.code in _FLAGS), "")
    quantity = it.valueQuantity
    if quantity is not None and quantity.value is not None:
        return Value(quantity.value, "", _unit(file, coded, quantity), quantity.comparator or "", flag)
    if it.valueInteger is not None:
        return Value(float(it.valueInteger), flag=flag)
    if it.valueRange is not None:
        ends = [f"{q.value:g}" for q in (it.valueRange.low, it.valueRange.high) if q and q.value is not None]
        unit = next((q.unit for q in (it.valueRange.low, it.valueRange.high) if q and q.unit), "")
        return Value(text=f"{'-'.join(ends)} {unit}".strip(), flag=flag)
    if it.valueBoolean is not None:
        return Value(text="yes" if it.valueBoolean else "no", flag=flag)
    return Value(text=it.valueString or it.valueDateTime or "", flag=flag)


def _unit(file: FhirFile, coded: Coded, quantity: fhir.Quantity) -> str:
    """The unit as written, or its UCUM code where only that one is known for the quantity."""
    written = quantity.unit or quantity.code or ""
    analyte = file.collector.codes.analyte([(c.system, c.code) for c in coded.codings], coded.text)
    if analyte and quantity.code and analyte.factor(written) is None and analyte.factor(quantity.code) is not None:
        return quantity.code
    return written


def medication(file: FhirFile, key: str, it: fhir.MedicationUse) -> None:
    if it.status in _DRUG_IGNORED or it.intent in _NOT_ORDERED or it.doNotPerform:
        raise Skip
    drug = it.medicationCodeableConcept or _referenced_drug(file, it)
    reference = it.medicationReference
    text = words(drug) or (reference.display if reference else "") or ""
    if not text and drug is None:
        file.leave_out("names a medication that is not in the file", "export it with its Medication", key)
        raise Skip
    dosages = (it.dosage,) if isinstance(it.dosage, fhir.Dosage) else it.dosage or ()
    dosages = (*(it.dosageInstruction or ()), *dosages)
    start, end = _taken(key, it, dosages)
    start = file.collector.begun(key, start, end)
    known = it.status in _DRUG_PAST or it.status in ("active", "in-progress")
    dispensed = key.startswith(("MedicationDispense/", "MedicationAdministration/")) and it.status == "completed"
    recent = dispensed and end is not None and not dates.after(file.collector.today.isoformat(), end)
    coded = Coded(
        key=key,
        text=text,
        patient=file.owner(it),
        codings=codings((drug,)),
        date=start,
        status="present" if known else "uncertain",
        notes=(*(d.text for d in dosages if d.text), *filter(None, (words(d.route) for d in dosages)), *notes(it.note)),
    )
    file.collector.medication(coded, start, end, current=recent or it.status not in _DRUG_PAST)


def _referenced_drug(file: FhirFile, it: fhir.MedicationUse) -> fhir.Concept | None:
    target = (it.medicationReference.reference if it.medicationReference else None) or ""
    if not target.startswith("#"):
        return file.medications.get(target) or file.medications.get("/".join(target.split("/")[-2:]))
    for raw in it.contained or ():
        try:
            inner = _medication.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue
        if inner.id == target[1:]:
            return inner.code
    return None


def _taken(key: str, it: fhir.MedicationUse, dosages: tuple[fhir.Dosage, ...]) -> tuple[str | None, str | None]:
    """First and last day as documented. An order without an end documents one day; an open statement is still taken (None)."""
    bounds = [d.timing.repeat for d in dosages if d.timing and d.timing.repeat]
    periods = [it.effectivePeriod, *(b.boundsPeriod for b in bounds)]
    supply = it.dispenseRequest
    start = day(
        *periods, it.effectiveDateTime, it.whenHandedOver, it.authoredOn, supply.validityPeriod if supply else None
    )
    if start is None:
        return None, None
    end = next((d for p in periods if p and (d := dates.from_iso(p.end))), None)
    repeats = 1 + ((supply.numberOfRepeatsAllowed or 0) if supply else 0)
    lengths = [_days(b.boundsDuration) for b in bounds] + [_days(it.daysSupply)]
    lengths += [_days(supply.expectedSupplyDuration) * repeats if supply else 0.0]
    if end is None and max(lengths) > 0:
        end = _later(start, max(lengths))
    if end is None and supply and supply.validityPeriod:
        end = dates.from_iso(supply.validityPeriod.end)
    if end is None and not key.startswith("MedicationStatement/"):
        return start, start
    return start, end


def _later(start: str, days: float) -> str | None:
    try:
        return (dates.first_day(start) + timedelta(days=days)).isoformat()
    except OverflowError:
        return None


def _days(duration: fhir.Quantity | None) -> float:
    if duration is None or duration.value is None:
        return 0.0
    per_unit = _DAYS.get(duration.code or "") or _DAYS.get((duration.unit or "").lower(), 0.0)
    return duration.value * per_unit if 0 < duration.value < 36525 else 0.0


def device(file: FhirFile, key: str, it: fhir.Device) -> None:
    """A device that belongs to a patient, as words to be read; which implants matter is not known by code."""
    if it.status in ("entered-in-error", "inactive") or (it.patient is None and it.subject is None):
        raise Skip
    named = next((n.name for n in it.deviceName or () if n.name), "")
    text = ", ".join(dict.fromkeys(filter(None, (words(it.type), named, it.manufacturer, it.modelNumber))))
    coded = Coded(key=key, patient=file.owner(it))
    file.collector.listed("devices", coded, "; ".join((text, *notes(it.note))))


def imaging(file: FhirFile, key: str, it: fhir.ImagingStudy) -> None:
    if it.status in _WITHDRAWN:
        raise Skip
    modalities = [m.code for m in it.modality or () if m.code]
    modalities += [s.modality.code for s in it.series or () if s.modality and s.modality.code]
    sites = [s.bodySite.display for s in it.series or () if s.bodySite and s.bodySite.display]
    said = it.description or next((w for c in it.procedureCode or () if (w := words(c))), "")
    label = " ".join(
        " ".join(filter(None, (said or " ".join(dict.fromkeys(modalities)), *dict.fromkeys(sites)))).split()
    )
    described = [s.description for s in it.series or () if s.description]
    kinds = (file.collector.codes.modality_kind(m) for m in modalities)
    started = day(it.started)
    document = file.collector.document(
        key,
        "\n".join((label, *dict.fromkeys(described), *notes(it.note))),
        next((k for k in kinds if k), "text"),
        started,
        file.owner(it),
    )
    if document is not None:
        file.collector.event("imaging", label, started, document, label)


FACT_HANDLERS: dict[str, tuple[type[Any], Callable[[FhirFile, str, Any], None]]] = {
    "Condition": (fhir.Condition, condition),
    "Procedure": (fhir.Procedure, procedure),
    "Observation": (fhir.Observation, observation),
    "MedicationRequest": (fhir.MedicationUse, medication),
    "MedicationStatement": (fhir.MedicationUse, medication),
    "MedicationAdministration": (fhir.MedicationUse, medication),
    "MedicationDispense": (fhir.MedicationUse, medication),
    "Device": (fhir.Device, device),
    "ImagingStudy": (fhir.ImagingStudy, imaging),
}
