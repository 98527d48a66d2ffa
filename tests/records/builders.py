"""One-line builders of the records that the reader tests need, and what has to hold of everything that was read."""

from __future__ import annotations

import base64
import json
from datetime import date
from io import BytesIO
from typing import Any

from sequela.records import fhir
from sequela.records.gathered import Gathered

TODAY = date(2024, 6, 1)
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
CPT = "http://www.ama-assn.org/go/cpt"
OPCS = "https://fhir.hl7.org.uk/Id/opcs-4"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"

Json = dict[str, Any]


def concept(system: str, code: str, display: str = "", text: str = "") -> Json:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]} | ({"text": text} if text else {})


def words(text: str) -> Json:
    return {"text": text}


def status(code: str) -> Json:
    return {"coding": [{"code": code}]}


def resource(kind: str, id: str = "1", **fields: Any) -> Json:
    return {"resourceType": kind, "id": id, **fields}


def about(patient: str) -> Json:
    return {"reference": f"Patient/{patient}"}


def patient(id: str = "p1", name: str = "Jane Doe", birth: str = "1960-05-01", **fields: Any) -> Json:
    return resource("Patient", id, name=[{"text": name}], birthDate=birth, gender="female", **fields)


def bundle(*resources: Json) -> bytes:
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    ).encode()


def ndjson(*resources: Json) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in resources)


def attachment(data: bytes | str, content_type: str = "text/plain", **fields: Any) -> Json:
    raw = data.encode() if isinstance(data, str) else data
    return {"contentType": content_type, "data": base64.b64encode(raw).decode(), **fields}


def observation_of(text: str, id: str = "o1", **fields: Any) -> Json:
    return resource("Observation", id, status="final", code=words(text), effectiveDateTime="2024-01-02", **fields)


def note(text: bytes | str, content_type: str = "text/plain", id: str = "n1", **fields: Any) -> Json:
    return resource(
        "DocumentReference", id, status="current", content=[{"attachment": attachment(text, content_type)}], **fields
    )


def read(*resources: Json, name: str = "bundle.json") -> Gathered:
    """The resources read as one bundle, with all its sources checked."""
    return sound(fhir.read(bundle(*resources), name, today=TODAY))


def sound(gathered: Gathered) -> Gathered:
    """The invariant of everything that is read: each fact points at exactly its words, each problem is one line."""
    texts = {document.name: document.text for document in gathered.documents}
    assert len(texts) == len(gathered.documents), "document names are unique"
    for fact in (*gathered.operations, *gathered.observations, *gathered.events):
        assert fact.source is not None
        assert texts[fact.source.document][fact.source.start : fact.source.end] == fact.source.text
        assert fact.source.text
    for problem in gathered.problems:
        assert problem.where
        assert problem.what
        assert problem.mend
        assert "\n" not in problem.line()
        assert "Traceback" not in problem.line()
    assert set(gathered.owners) <= set(texts)
    return gathered


def text_of(gathered: Gathered, part: str) -> str:
    """The text of the one document whose name ends so."""
    (found,) = [d.text for d in gathered.documents if d.name.endswith(part)]
    return found


def findings(gathered: Gathered) -> set[tuple[str, str]]:
    return {(o.id, o.status) for o in gathered.observations}


def pdf(*pages: str) -> bytes:
    """A PDF with a text layer, written by hand; an empty page has no text, like a scan."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, text in enumerate(pages):
        lines = "".join(f"({line}) Tj 0 -14 Td " for line in text.split("\n") if line)
        stream = f"BT /F1 12 Tf 72 720 Td {lines}ET" if lines else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * i} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out = BytesIO(b"")
    out.write(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode())
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{offset:010d} 00000 n \n" for offset in offsets).encode())
    out.write(f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def ccda(*sections: str, person: str = "", code: str = "34133-9") -> bytes:
    """A C-CDA document around the sections."""
    person = person or (
        '<recordTarget><patientRole><id root="1.2.3" extension="MRN7"/><patient><name><given>Jane</given>'
        '<family>Doe</family></name><administrativeGenderCode code="F"/><birthTime value="19600501"/></patient>'
        "</patientRole></recordTarget>"
    )
    body = "".join(f"<component>{section}</component>" for section in sections)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<code code="{code}" codeSystem="2.16.840.1.113883.6.1"/><title>Summary</title><effectiveTime value="20240501"/>'
        f"{person}<component><structuredBody>{body}</structuredBody></component></ClinicalDocument>"
    ).encode()


def section(title: str, narrative: str, *entries: str, loinc: str = "11450-4") -> str:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return (
        f'<section><code code="{loinc}" codeSystem="2.16.840.1.113883.6.1"/><title>{title}</title>'
        f"<text>{narrative}</text>{inside}</section>"
    )


def cda_problem(
    code: str, display: str, low: str = "20200101", high: str = "", extra: str = "", negated: str = "false"
) -> str:
    end = f'<high value="{high}"/>' if high else ""
    return (
        '<act classCode="ACT" moodCode="EVN"><entryRelationship typeCode="SUBJ">'
        f'<observation classCode="OBS" moodCode="EVN" negationInd="{negated}">'
        '<templateId root="2.16.840.1.113883.10.20.22.4.4"/>'
        f'<effectiveTime><low value="{low}"/>{end}</effectiveTime>'
        f'<value xsi:type="CD" code="{code}" codeSystem="2.16.840.1.113883.6.96" displayName="{display}"/>{extra}'
        "</observation></entryRelationship></act>"
    )
