"""The assessment as a FHIR R4 collection bundle: patient, red flags, findings, and the ranked causes as a RiskAssessment."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import msgspec

from sequela.case import Observation
from sequela.reasoning.assessment import Assessment
from sequela.report.view import CAVEAT

_SYSTEM = "urn:sequela"
_NAMESPACE = uuid.UUID("6f0f2c2e-7c3d-5b0e-9a55-2b0a7c0d8e11")
_STATUS = {"present": "POS", "absent": "NEG", "uncertain": "IND"}


def bundle(assessment: Assessment) -> dict[str, Any]:
    """A FHIR R4 Bundle (type collection). The same assessment gives the same bundle, identifiers included."""
    patient = _patient(assessment)
    subject = {"reference": _url(patient["id"])}
    resources = [patient]
    for number, observation in enumerate(assessment.case.observations):
        if observation.source is None and observation.value is None:
            continue
        resources.append(_observation(observation, number, subject))
    for number, flag in enumerate(assessment.red_flags):
        resources.append(
            {
                "resourceType": "Flag",
                "id": _id("flag", flag.id, str(number)),
                "status": "active",
                "code": {
                    "coding": [{"system": f"{_SYSTEM}:red-flag", "code": flag.id, "display": flag.name}],
                    "text": f"{flag.name}. {flag.action}",
                },
                "subject": subject,
            }
        )
    resources.append(_risk(assessment, subject))
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


def _patient(assessment: Assessment) -> dict[str, Any]:
    known = assessment.case.patient
    out: dict[str, Any] = {
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


def _observation(observation: Observation, number: int, subject: dict[str, str]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "resourceType": "Observation",
        "id": _id("observation", observation.id, str(number)),
        "status": "preliminary" if observation.status == "uncertain" else "final",
        "code": {
            "coding": [{"system": f"{_SYSTEM}:finding", "code": observation.id}],
            "text": observation.id.replace("_", " "),
        },
        "subject": subject,
        "interpretation": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                        "code": _STATUS[observation.status],
                    }
                ]
            }
        ],
    }
    if observation.value is not None:
        out["valueQuantity"] = {"value": observation.value, **({"unit": observation.unit} if observation.unit else {})}
    else:
        out["valueString"] = observation.status
    if observation.date:
        out["effectiveDateTime"] = observation.date
    where = " ".join(x for x in (observation.level, observation.side) if x)
    if where:
        out["bodySite"] = {"text": where}
    if observation.source:
        out["note"] = [
            {
                "text": f"“{observation.source.text}” ({observation.source.document}, characters {observation.source.start} to {observation.source.end})"
            }
        ]
    return out


def _risk(assessment: Assessment, subject: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "RiskAssessment",
        "id": _id("risk", assessment.knowledge_version, subject["reference"]),
        "status": "preliminary",
        "subject": subject,
        "method": {"text": f"Sequela, knowledge {assessment.knowledge_version}"},
        "prediction": [
            {
                "outcome": {
                    "coding": [{"system": f"{_SYSTEM}:cause", "code": c.id, "display": c.name}],
                    "text": c.name,
                },
                "probabilityDecimal": round(100 * c.probability, 4),
                "rationale": f"90 % interval {100 * c.interval[0]:.1f} to {100 * c.interval[1]:.1f} %",
            }
            for c in assessment.causes
        ],
        "note": [{"text": CAVEAT}],
    }
