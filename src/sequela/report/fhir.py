"""The assessment as a FHIR R4 collection bundle.

Patient, documents, operations, findings, red flags, the ranked causes as a RiskAssessment, the next
tests as ServiceRequest proposals, and what could not be read or contradicts itself.
Findings, flags and causes are coded in systems of our own (`urn:sequela:…`), with the words of the record beside them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from sequela.case import Case, Document, Observation, Operation, Source
from sequela.case.spans import DAYS_PER_MONTH
from sequela.knowledge import load
from sequela.reasoning.assessment import Assessment, RaisedFlag, RankedCause
from sequela.report.spans import in_words
from sequela.report.view import CAVEAT, NOTICE, URGENCY, proposed

Resource = dict[str, Any]

_SYSTEM = "urn:sequela"
_NAMESPACE = uuid.UUID("6f0f2c2e-7c3d-5b0e-9a55-2b0a7c0d8e11")
_STATUS = {"present": "POS", "absent": "NEG", "uncertain": "IND"}
_PRIORITY = {"emergency": "stat", "same_day": "asap", "within_72h": "urgent", "within_2_weeks": "urgent"}
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_FLAG_DETAIL = "http://hl7.org/fhir/StructureDefinition/flag-detail"
"""HL7's extension for "the record entry that triggered the flag"."""


def bundle(assessment: Assessment) -> Resource:
    """A FHIR R4 Bundle (type collection). The same assessment gives the same bundle, identifiers included."""
    patient = _patient(assessment)
    subject = {"reference": _url(patient["id"])}
    names = {finding.id: finding.name for finding in load().findings}
    observations = _observations(assessment.case, names, subject)
    resources = [
        patient,
        *(_document(one, subject) for one in assessment.case.documents),
        *(_procedure(one, number, subject) for number, one in enumerate(assessment.case.operations)),
        *(resource for _, resource in observations),
        *(_flag(one, observations, subject) for one in assessment.red_flags),
        _risk(assessment, observations, subject),
        *_requests(assessment, subject),
        *_issues(assessment.case, patient["id"]),
    ]
    return {
        "resourceType": "Bundle",
        "id": _id("bundle", assessment.knowledge_version, patient["id"]),
        "type": "collection",
        "entry": [{"fullUrl": _url(r["id"]), "resource": r} for r in resources],
    }


def write_fhir(assessment: Assessment, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(bundle(assessment)), indent=1) + b"\n")


def _id(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "|".join(parts)))


def _url(identifier: str) -> str:
    return f"urn:uuid:{identifier}"


def _coded(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": f"{_SYSTEM}:{system}", "code": code, "display": display}], "text": display}


def _quote(source: Source) -> Resource:
    return {"text": f"“{source.text}” ({source.document}, characters {source.start} to {source.end})"}


def _patient(assessment: Assessment) -> Resource:
    known = assessment.case.patient
    out: Resource = {
        "resourceType": "Patient",
        "id": _id("patient", known.id or "", *(d.name for d in assessment.case.documents)),
    }
    if known.id:
        out["identifier"] = [{"system": f"{_SYSTEM}:record", "value": known.id}]
    if known.name:
        out["name"] = [{"text": known.name}]
    if known.sex:
        out["gender"] = known.sex
    if known.birth_date:
        out["birthDate"] = known.birth_date
    return out


def _document(document: Document, subject: Resource) -> Resource:
    """Which document was read; its text stays where it was."""
    out: Resource = {
        "resourceType": "DocumentReference",
        "id": _id("document", document.name, subject["reference"]),
        "status": "current",
        "type": {"text": document.kind.replace("_", " ")},
        "subject": subject,
        "content": [{"attachment": {"contentType": "text/plain", "title": document.name}}],
    }
    if document.date:
        out["context"] = {"period": {"start": document.date}}
    return out


def _procedure(operation: Operation, number: int, subject: Resource) -> Resource:
    out: Resource = {
        "resourceType": "Procedure",
        "id": _id("procedure", operation.procedure, str(number), subject["reference"]),
        "status": "completed",
        "code": _coded("procedure", operation.procedure, operation.name or operation.procedure.replace("_", " ")),
        "subject": subject,
    }
    if operation.date:
        out["performedDateTime"] = operation.date
    elif operation.months_ago is not None:
        out["performedString"] = f"{in_words(operation.months_ago * DAYS_PER_MONTH)} before the record"
    where = ", ".join([*operation.levels, *([operation.side] if operation.side else [])])
    if where:
        out["bodySite"] = [{"text": where}]
    if operation.source:
        out["note"] = [_quote(operation.source)]
    return out


Found = tuple[Observation, Resource]


def _observations(case: Case, names: dict[str, str], subject: Resource) -> list[Found]:
    """One resource per finding, place and time, however often the record repeats it: every repetition is a note."""
    kept: dict[tuple[object, ...], Found] = {}
    for one in case.observations:
        if one.source is None and one.value is None:
            continue
        key = (one.id, one.status, one.value, one.unit, one.level, one.side, one.date)
        if key not in kept:
            kept[key] = (one, _observation(one, key, names.get(one.id, one.id), subject))
        if one.source:
            notes = kept[key][1].setdefault("note", [])
            if (note := _quote(one.source)) not in notes:
                notes.append(note)
    return list(kept.values())


def _observation(one: Observation, key: Iterable[object], name: str, subject: Resource) -> Resource:
    out: Resource = {
        "resourceType": "Observation",
        "id": _id("observation", *map(str, key), subject["reference"]),
        "status": "preliminary" if one.status == "uncertain" else "final",
        "code": _coded("finding", one.id, name),
        "subject": subject,
        "interpretation": [{"coding": [{"system": _INTERPRETATION, "code": _STATUS[one.status]}]}],
    }
    if one.value is not None:
        out["valueQuantity"] = {"value": one.value, **({"unit": one.unit} if one.unit else {})}
    else:
        out["valueString"] = one.status
    if one.date:
        out["effectiveDateTime"] = one.date
    where = " ".join(x for x in (one.level, one.side) if x)
    if where:
        out["bodySite"] = {"text": where}
    return out


def _references(findings: Iterable[str], observations: list[Found]) -> list[Resource]:
    wanted = set(findings)
    return [{"reference": _url(resource["id"])} for one, resource in observations if one.id in wanted]


def _flag(flag: RaisedFlag, observations: list[Found], subject: Resource) -> Resource:
    """category: the urgency. Extensions: the time limit, and each observation that raised the flag."""
    basis = [{"url": _FLAG_DETAIL, "valueReference": r} for r in _references(flag.basis, observations)]
    return {
        "resourceType": "Flag",
        "id": _id("flag", flag.id, subject["reference"]),
        "extension": [{"url": f"{_SYSTEM}:time-limit", "valueString": flag.time_limit}, *basis],
        "status": "active",
        "category": [_coded("urgency", flag.urgency, URGENCY.get(flag.urgency, flag.urgency))],
        "code": {**_coded("red-flag", flag.id, flag.name), "text": f"{flag.name}. {flag.action}"},
        "subject": subject,
    }


def _risk(assessment: Assessment, observations: list[Found], subject: Resource) -> Resource:
    """The ranking. Where it does not apply a note says so, and where nothing was operated on yet there are no predictions."""
    applies = assessment.applicability
    reasons = {w.finding for c in assessment.causes for w in (*c.evidence_for, *c.evidence_against)}
    basis = _references(reasons, observations)
    notes = [NOTICE[applies.reason]] if applies.reason else []
    return {
        "resourceType": "RiskAssessment",
        "id": _id("risk", assessment.knowledge_version, subject["reference"]),
        "status": "preliminary",
        "subject": subject,
        "method": {"text": f"Sequela, knowledge {assessment.knowledge_version}"},
        **({"basis": basis} if basis else {}),
        **({} if applies.withheld else {"prediction": [_prediction(c) for c in assessment.causes]}),
        "note": [{"text": text} for text in (*notes, CAVEAT)],
    }


def _prediction(cause: RankedCause) -> Resource:
    """R4 wants probabilityDecimal in per cent (0 to 100); the rationale says so, since elsewhere probabilities run from 0 to 1."""
    low, high = cause.interval
    return {
        "outcome": _coded("cause", cause.id, cause.name),
        "probabilityDecimal": round(100 * cause.probability, 4),
        "rationale": f"In per cent, as FHIR asks. 90% interval {100 * low:.1f} to {100 * high:.1f} per cent",
    }


def _requests(assessment: Assessment, subject: Resource) -> list[Resource]:
    """The first tests as proposals, which a clinician turns into orders; none where the ranking is withheld."""
    if assessment.applicability.withheld:
        return []
    tests = {test.id: test for test in load().tests}
    urgency = {flag.id: flag.urgency for flag in assessment.red_flags}
    requests = []
    for given in proposed(assessment):
        notes = [given["why"], *(bar["why"] for bar in given["blocked_by"]), *given["cautions"]]
        notes += [f"Ask first: {one['question']}" for one in given["ask_first"]]
        requests.append(
            {
                "resourceType": "ServiceRequest",
                "id": _id("request", given["id"], subject["reference"]),
                "status": "draft",
                "intent": "proposal",
                "priority": _PRIORITY.get(urgency.get(given["ordered_by"] or "", ""), "routine"),
                "code": _coded("test", given["id"], tests[given["id"]].name),
                "subject": subject,
                "note": [{"text": text} for text in notes],
            }
        )
    return requests


def _issues(case: Case, patient: str) -> list[Resource]:
    """What contradicts itself and what could not be read, as one OperationOutcome; none when there is nothing to say."""
    issues = [
        {"severity": "warning", "code": "conflict", "diagnostics": f"{c.about}: {c.message}"} for c in case.conflicts
    ]
    issues += [{"severity": "warning", "code": "incomplete", "diagnostics": p.line()} for p in case.problems]
    return [{"resourceType": "OperationOutcome", "id": _id("issues", patient), "issue": issues}] if issues else []
