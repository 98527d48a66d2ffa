"""FHIR R4: what each resource says, and what it must not be taken to say."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from tests.records.builders import (
    ATC,
    CPT,
    ICD10,
    LOINC,
    OPCS,
    PCS,
    RXNORM,
    SNOMED,
    TODAY,
    Json,
    about,
    attachment,
    bundle,
    ccda,
    concept,
    findings,
    ndjson,
    note,
    patient,
    pdf,
    read,
    resource,
    section,
    sound,
    status,
    text_of,
    words,
)

from sequela.case import Patient
from sequela.records import fhir

DIABETES = concept(SNOMED, "44054006", "Diabetes mellitus type 2 (disorder)")


def condition(code: Json = DIABETES, **fields: object) -> Json:
    return resource("Condition", "c1", **{"code": code, "subject": about("p1"), **fields})


def procedure(code: Json, **fields: object) -> Json:
    return resource("Procedure", "x1", **{"status": "completed", "code": code, "subject": about("p1"), **fields})


def observation(code: Json, **fields: object) -> Json:
    fields = {"status": "final", "code": code, "subject": about("p1"), "effectiveDateTime": "2024-01-02", **fields}
    return resource("Observation", "o1", **fields)


def crp(value: float, unit: str, **fields: object) -> Json:
    return observation(concept(LOINC, "1988-5", "CRP"), valueQuantity={"value": value, "unit": unit}, **fields)


# Patient ---------------------------------------------------------------------------------------------------------


def test_a_patient() -> None:
    gathered = read(patient(identifier=[{"value": "MRN7"}]))
    assert gathered.patients == (Patient("p1", "Jane Doe", "female", "1960-05-01"),)
    assert gathered.identifiers == {"p1": ("MRN7",)}


def test_the_official_name_is_put_together_from_its_parts() -> None:
    names = [{"use": "nickname", "text": "J"}, {"use": "official", "family": "Doe", "given": ["Jane", None, "Ann"]}]
    (found,) = read(resource("Patient", "p1", name=names, gender="other")).patients
    assert (found.name, found.sex) == ("Jane Ann Doe", None)


def test_patients_without_any_number_are_kept_apart() -> None:
    one, two = ({"resourceType": "Patient", "gender": "male"}, {"resourceType": "Patient", "gender": "female"})
    assert [p.id for p in read(one, two).patients] == ["bundle.json#Patient/1", "bundle.json#Patient/2"]


def test_references_by_address_belong_to_the_patient_of_that_entry() -> None:
    entries = [
        {"fullUrl": "urn:uuid:aa", "resource": patient("p9")},
        {"fullUrl": "urn:uuid:bb", "resource": condition() | {"subject": {"reference": "urn:uuid:aa"}}},
        {"resource": condition() | {"id": "c2", "subject": {"reference": "http://x/fhir/Patient/p9/_history/3"}}},
    ]
    data = json.dumps({"resourceType": "Bundle", "entry": entries}).encode()
    gathered = sound(fhir.read(data, "b.json", today=TODAY))
    assert set(gathered.owners.values()) == {"p9"}
    assert [p.id for p in gathered.patients] == ["p9"]


def test_a_patient_who_is_only_referred_to_is_still_a_patient() -> None:
    gathered = read(condition(subject={"reference": "Patient/p7", "display": "John"}))
    assert gathered.patients == (Patient("p7", "John"),)


def test_a_record_number_stands_for_its_patient() -> None:
    gathered = read(patient(identifier=[{"value": "MRN7"}]), condition(subject={"identifier": {"value": "MRN7"}}))
    assert set(gathered.owners.values()) == {"p1"}


def test_what_is_about_a_group_or_a_place_is_left_out() -> None:
    assert not read(condition(subject={"reference": "Group/g1"})).documents


# Condition -------------------------------------------------------------------------------------------------------


def test_a_condition_whose_code_says_a_finding_becomes_it_with_its_words() -> None:
    gathered = read(condition(onsetDateTime="2015-03-01T10:00:00Z"))
    (found,) = gathered.observations
    assert (found.id, found.status, found.date) == ("diabetes", "present", "2015-03-01")
    assert found.source is not None
    assert found.source.document == "bundle.json#Condition/c1"
    assert found.source.text == "Diabetes mellitus type 2 (disorder)"
    assert gathered.documents[0].kind == "coded"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"clinicalStatus": status("resolved")}, set()),
        ({"clinicalStatus": status("inactive")}, set()),
        ({"abatementDateTime": "2020"}, set()),
        ({"clinicalStatus": status("active")}, {("diabetes", "present")}),
        ({"clinicalStatus": "resolved"}, set()),
        ({"verificationStatus": status("entered-in-error")}, set()),
        ({"verificationStatus": status("refuted")}, {("diabetes", "absent")}),
        ({"verificationStatus": status("provisional")}, {("diabetes", "uncertain")}),
    ],
)
def test_the_status_of_a_condition_is_respected(fields: Json, expected: set[tuple[str, str]]) -> None:
    assert findings(read(condition(**fields))) == expected


def test_a_past_cancer_counts_although_it_is_resolved() -> None:
    cancer = concept(ICD10, "C50.9", "Breast cancer")
    assert findings(read(condition(cancer, clinicalStatus=status("resolved")))) == {("history_of_cancer", "present")}


def test_a_coded_cause_is_shown_and_read_but_is_no_proof() -> None:
    gathered = read(condition(concept(ICD10, "M96.0", "Pseudarthrosis after fusion"), onsetDateTime="2022-01"))
    assert not gathered.observations
    assert [(e.kind, e.date) for e in gathered.events] == [("diagnosis", "2022-01")]
    assert gathered.documents[0].kind == "text"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "Screw loosening L5"),
        ({"clinicalStatus": status("resolved")}, "Previous Screw loosening L5 (resolved)"),
        ({"verificationStatus": status("refuted")}, "No Screw loosening L5"),
        ({"verificationStatus": status("unconfirmed")}, "Possible Screw loosening L5"),
    ],
)
def test_a_condition_without_a_known_code_is_a_line_to_be_read_that_says_its_status(fields: Json, line: str) -> None:
    gathered = read(condition(words("Screw loosening L5"), onsetDateTime="2023-05-01", **fields))
    assert text_of(gathered, "#problems/p1") == f"Problems:\n{line}, 2023-05-01"


def test_words_that_say_more_than_the_code_are_read_too() -> None:
    code = concept(ICD10, "M54.41", "Lumbago with sciatica, right side", "Sciatica since the second operation")
    gathered = read(condition(code))
    assert gathered.documents[0].kind == "text"
    (found,) = gathered.observations
    assert (found.id, found.side) == ("radicular_leg_pain", "right")


def test_side_and_level_come_from_the_body_site() -> None:
    site = [concept(SNOMED, "84020006", "L4/L5 disc"), concept(SNOMED, "7771000", "Left")]
    (found,) = read(condition(concept(SNOMED, "23056005", "Sciatica"), bodySite=site)).observations
    assert (found.level, found.side) == ("L4-L5", "left")


# Procedure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (concept(CPT, "63030"), ("discectomy", (), None)),
        (concept(PCS, "0SG30AJ", "Fusion lumbosacral"), ("interbody_fusion", ("L5-S1",), None)),
        (concept(OPCS, "V33.1", "Excision", "Left L4/5 microdiscectomy"), ("discectomy", ("L4-L5",), "left")),
        (concept(SNOMED, "50172003", "Lumbar spinal fusion", "Fusion L3-L5"), ("fusion", ("L3-L4", "L4-L5"), None)),
        (concept(SNOMED, "387731002", "Laminectomy", "Laminectomy L4-5"), ("laminectomy", ("L4-L5",), None)),
    ],
)
def test_an_operation_with_its_levels_and_side(code: Json, expected: tuple[str, tuple[str, ...], str | None]) -> None:
    (found,) = read(procedure(code, performedDateTime="2019-03-01")).operations
    assert (found.procedure, found.levels, found.side) == expected
    assert found.date == "2019-03-01"


def test_a_code_without_a_place_is_an_operation_only_where_the_record_says_lumbar() -> None:
    laminectomy = concept(SNOMED, "387731002", "Laminectomy")
    assert not read(procedure(laminectomy)).operations
    assert [e.kind for e in read(procedure(laminectomy)).events] == ["operation"]
    assert read(procedure(laminectomy, bodySite=[words("Lumbar spine")])).operations
    assert not read(procedure(concept(SNOMED, "387731002", "Laminectomy", "Laminectomy C4-C6"))).operations
    disc = concept(OPCS, "V35.1", "Excision of disc")
    disc["coding"].append({"system": OPCS, "code": "Z07.3"})
    assert read(procedure(disc)).operations


@pytest.mark.parametrize("state", ["not-done", "entered-in-error", "preparation", "stopped", "on-hold"])
def test_what_was_not_done_is_no_operation(state: str) -> None:
    assert not read(procedure(concept(CPT, "63030"), status=state)).operations


def test_a_planned_operation_says_so() -> None:
    gathered = read(procedure(words("L4-5 fusion"), status="preparation"))
    assert [(e.kind, e.label) for e in gathered.events] == [("procedure", "L4-5 fusion (planned)")]
    assert not [d for d in gathered.documents if d.kind != "coded"], "its words name an operation and must not be read"


def test_instrumentation_of_the_same_day_belongs_to_the_operation() -> None:
    gathered = read(
        procedure(concept(CPT, "22612"), performedDateTime="2019-03-01"),
        procedure(concept(CPT, "22842"), performedDateTime="2019-03-01") | {"id": "x2"},
    )
    (found,) = gathered.operations
    assert found.implants == ("instrumentation",)


def test_an_operation_coded_twice_in_one_resource_is_one() -> None:
    code = concept(CPT, "63030")
    code["coding"].append({"system": OPCS, "code": "V33.1"})
    assert len(read(procedure(code)).operations) == 1


def test_complications_and_notes_are_read() -> None:
    gathered = read(procedure(concept(CPT, "63030"), complication=[words("Dural tear")], note=[{"text": "Re-do."}]))
    assert gathered.documents[0].kind == "text"
    assert "Complication: Dural tear" in gathered.documents[0].text


def test_an_injection_is_a_point_of_the_story() -> None:
    gathered = read(procedure(concept(CPT, "64483"), performedPeriod={"start": "2021-02-03"}))
    assert [(e.kind, e.label, e.date) for e in gathered.events] == [
        ("injection", "epidural or root injection", "2021-02-03")
    ]


# Observation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "line"),
    [
        (85, "mg/L", "CRP 85 mg/L 2024-01-02"),
        (8.5, "mg/dL", "CRP 85 mg/L 2024-01-02, converted from mg/dL"),
        (85, "MG/L", "CRP 85 mg/L 2024-01-02"),
    ],
)
def test_a_laboratory_value_is_written_in_one_unit(value: float, unit: str, line: str) -> None:
    gathered = read(crp(value, unit))
    assert gathered.documents[0].kind == "laboratory"
    assert gathered.documents[0].date == "2024-01-02"
    assert gathered.documents[0].text == line


def test_comparator_and_flag_are_kept() -> None:
    quantity = {"value": 5, "unit": "mg/L", "comparator": "<"}
    low = observation(concept(LOINC, "1988-5"), valueQuantity=quantity, interpretation=[status("N")])
    assert read(low).documents[0].text == "CRP <5 mg/L 2024-01-02 (normal)"


def test_a_value_without_or_with_an_unknown_unit_is_named_not_guessed() -> None:
    without = read(observation(concept(LOINC, "1988-5"), valueQuantity={"value": 85}))
    assert not without.documents
    assert "CRP 85 has no unit" in without.problems[0].line()
    unknown = read(crp(85, "pmol/L"))
    assert "pmol/L" in unknown.problems[0].line()
    assert unknown.documents[0].text.startswith("CRP 85 pmol/L")


def test_the_temperature_is_no_laboratory_value() -> None:
    it = observation(concept(LOINC, "8310-5", "Body temperature"), valueQuantity={"value": 38.9, "unit": "Cel"})
    (document,) = read(it).documents
    assert (document.kind, document.text) == ("text", "Temperature 38.9 °C 2024-01-02")


def test_the_other_results_of_a_day_are_one_sheet() -> None:
    sodium = observation(words("Sodium"), valueQuantity={"value": 140, "unit": "mmol/L"})
    slr = observation(words("Straight leg raise left"), valueString="positive at 40 degrees") | {"id": "o2"}
    saddle = observation(words("Saddle numbness"), valueBoolean=False) | {"id": "o3"}
    gathered = read(sodium, slr, saddle)
    assert text_of(gathered, "observations/p1/2024-01-02").split("\n") == [
        "Sodium: 140 mmol/L",
        "Straight leg raise left: positive at 40 degrees",
        "Saddle numbness?: no",
    ]


def test_a_value_that_is_withdrawn_or_cancelled_is_not_read() -> None:
    assert not read(crp(85, "mg/L", status="entered-in-error")).documents
    assert not read(crp(85, "mg/L", status="cancelled")).documents


@pytest.mark.parametrize(
    ("code", "expected"),
    [("449868002", "present"), ("266919005", "absent"), ("8517006", "absent"), ("77176002", "uncertain")],
)
def test_the_smoking_status(code: str, expected: str) -> None:
    it = observation(concept(LOINC, "72166-2", "Smoking status"), valueCodeableConcept=concept(SNOMED, code, "Words"))
    assert findings(read(it)) == {("smoking_current", expected)}


def test_an_answer_to_another_question_is_not_a_finding() -> None:
    it = observation(words("Father's diagnosis"), valueCodeableConcept=DIABETES)
    gathered = read(it)
    assert not gathered.observations
    assert "Father's diagnosis: Diabetes" in gathered.documents[0].text


def test_the_parts_of_a_panel_are_read() -> None:
    part = {"code": words("Systolic"), "valueQuantity": {"value": 80, "unit": "mm[Hg]"}}
    assert "Systolic: 80 mm[Hg]" in read(observation(words("Blood pressure"), component=[part])).documents[0].text


def test_a_long_finding_is_a_text_of_its_kind() -> None:
    text = "Recurrent disc herniation at L4-5 on the left, displacing the L5 root. " * 3
    gathered = read(observation(words("MRI lumbar spine"), valueString=text))
    assert gathered.documents[0].kind == "mri"


def test_a_score_by_its_loinc_number() -> None:
    gathered = read(observation(concept(LOINC, "44261-6", "PHQ-9 total"), valueInteger=14))
    assert gathered.documents[0].text == "PHQ-9 14 2024-01-02"
    assert gathered.documents[0].kind == "questionnaire"


# Reports and documents -------------------------------------------------------------------------------------------


def test_a_report_with_its_conclusion() -> None:
    it = resource("DiagnosticReport", "r1", status="final", code=words("MRI lumbar spine"), subject=about("p1"),
                  effectiveDateTime="2023-02-03", conclusion="Scar around the left S1 root.")  # fmt: skip
    gathered = read(it)
    (document,) = gathered.documents
    assert (document.kind, document.date) == ("mri", "2023-02-03")
    assert document.text == "MRI lumbar spine\nScar around the left S1 root."
    assert [(e.kind, e.label) for e in gathered.events] == [("imaging", "MRI lumbar spine")]


def test_the_attached_form_of_a_report_is_read_instead_of_repeating_its_conclusion() -> None:
    form = attachment("FINDINGS: Halo around both S1 screws.\nIMPRESSION: Loosening.")
    it = resource(
        "DiagnosticReport", "r1", code=words("CT lumbar spine"), conclusion="Loosening.", presentedForm=[form]
    )
    (document,) = read(it).documents
    assert document.kind == "ct"
    assert document.text.startswith("FINDINGS")


def test_the_narrative_is_read_only_where_there_is_nothing_else() -> None:
    it = resource("DiagnosticReport", "r1", code=words("EMG"), text={"div": "<div><p>Chronic L5 denervation</p></div>"})
    (document,) = read(it).documents
    assert (document.kind, document.text) == ("emg", "EMG\nChronic L5 denervation")


@pytest.mark.parametrize("state", ["entered-in-error", "cancelled"])
def test_a_withdrawn_report_is_not_read(state: str) -> None:
    assert not read(resource("DiagnosticReport", "r1", status=state, conclusion="Abscess")).documents


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ("Schmerzen im linken Bein, Spätfolge".encode(), "text/plain; charset=utf-8"),
        ("Schmerzen im linken Bein, Spätfolge".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        ("Schmerzen im linken Bein, Spätfolge".encode("utf-16"), "text/plain"),
        (b"<html><body><p>Schmerzen im linken Bein, Sp&auml;tfolge</p><script>x()</script></body></html>", "text/html"),
        ("<p>Schmerzen im linken Bein, Spätfolge</p>".encode(), "text/plain"),
    ],
)
def test_documents_in_their_encodings(data: bytes, content_type: str) -> None:
    (document,) = read(note(data, content_type)).documents
    assert document.name == "bundle.json#DocumentReference/n1"
    assert document.text == "Schmerzen im linken Bein, Spätfolge"


def test_a_pdf_inside_a_document() -> None:
    gathered = read(
        note(pdf("Operation note: left L5-S1 microdiscectomy"), "application/pdf", type=words("Operative note"))
    )
    (document,) = gathered.documents
    assert "microdiscectomy" in document.text
    assert document.kind == "operation_note"


def test_a_c_cda_inside_a_document_belongs_to_the_patient_of_the_document() -> None:
    inner = ccda(section("PROBLEMS", "<paragraph>Wound drains pus</paragraph>"))
    gathered = read(patient(), note(inner, "text/xml", subject=about("p1")))
    assert [p.id for p in gathered.patients] == ["p1"]
    assert set(gathered.owners.values()) == {"p1"}
    assert "Wound drains pus" in gathered.documents[0].text


def test_the_formats_of_one_document_are_read_once_and_the_best_first() -> None:
    contents = [
        {"attachment": attachment(pdf("The PDF form"), "application/pdf")},
        {"attachment": attachment("The text")},
    ]
    (document,) = read(resource("DocumentReference", "n1", content=contents)).documents
    assert document.text == "The text"


def test_an_unreadable_format_is_named_only_when_no_other_can_be_read() -> None:
    rtf = {"attachment": attachment(b"{\\rtf1 hello}", "application/rtf")}
    both = read(resource("DocumentReference", "n1", content=[rtf, {"attachment": attachment("The text")}]))
    assert not both.problems
    only = read(resource("DocumentReference", "n1", content=[rtf]))
    assert "RTF" in only.problems[0].line()


def test_a_document_kept_as_a_binary_of_the_same_file() -> None:
    binary = resource("Binary", "b1", contentType="text/plain", data=base64.b64encode(b"Kept apart").decode())
    it = resource(
        "DocumentReference", "n1", content=[{"attachment": {"contentType": "text/plain", "url": "Binary/b1"}}]
    )
    assert read(it, binary).documents[0].text == "Kept apart"


def test_documents_that_are_only_linked_are_named_once() -> None:
    linked = [
        resource("DocumentReference", f"n{i}", content=[{"attachment": {"url": "https://elsewhere/1"}}])
        for i in range(3)
    ]
    (problem,) = read(*linked).problems
    assert problem.line().startswith("bundle.json, DocumentReference/n0 and 2 more: is only a link")


def test_replaced_and_withdrawn_documents_are_not_read_but_superseded_alone_is() -> None:
    new = note("Corrected report: right side", id="n2", relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/n1"}}])  # fmt: skip
    assert [d.text for d in read(note("Report: left side"), new).documents] == ["Corrected report: right side"]
    assert not read(note("Draft") | {"status": "entered-in-error"}).documents
    assert read(note("Only copy") | {"status": "superseded"}).documents


def test_broken_base64_is_named() -> None:
    it = resource("DocumentReference", "n1", content=[{"attachment": {"contentType": "text/plain", "data": "%%%"}}])
    assert "base64" in read(it).problems[0].line()


def test_the_sections_of_a_composition() -> None:
    inner = {"title": "History", "text": {"div": "<div>Pain returned</div>"}}
    it = resource("Composition", "k1", title="Clinic letter", date="2024-01-01", section=[{"section": [inner]}])
    (document,) = read(it).documents
    assert (document.text, document.kind) == ("History\nPain returned", "letter")


def test_questionnaire_answers_and_scores() -> None:
    items = [
        {"linkId": "1", "text": "Where does it hurt?", "answer": [{"valueString": "Left calf"}]},
        {"linkId": "2", "text": "Numb saddle?", "answer": [{"valueBoolean": True, "item": [
            {"linkId": "2a", "text": "Since", "answer": [{"valueDate": "2024-01-01"}]}]}]},
        {"linkId": "/44261-6", "text": "PHQ-9", "answer": [{"valueInteger": 12}]},
    ]  # fmt: skip
    gathered = read(resource("QuestionnaireResponse", "q1", authored="2024-02-02", subject=about("p1"), item=items))
    assert (
        text_of(gathered, "QuestionnaireResponse/q1")
        == "Where does it hurt?: Left calf\nNumb saddle?: yes\nSince: 2024-01-01"
    )
    assert "PHQ-9 12 2024-02-02" in {d.text for d in gathered.documents}


def test_an_imaging_study_is_a_point_of_the_story() -> None:
    it = resource("ImagingStudy", "i1", status="available", started="2023-01-01T08:00:00Z", subject=about("p1"),
                  description="MR lumbar spine with contrast", series=[{"modality": {"code": "MR"}}])  # fmt: skip
    gathered = read(it)
    assert [(e.kind, e.label, e.date) for e in gathered.events] == [
        ("imaging", "MR lumbar spine with contrast", "2023-01-01")
    ]
    assert gathered.documents[0].kind == "mri"


def test_a_device_of_a_patient_is_read() -> None:
    gathered = read(resource("Device", "d1", type=words("Pedicle screw system"), patient=about("p1")))
    assert "Pedicle screw system" in text_of(gathered, "#devices/p1")
    assert not read(resource("Device", "d1", type=words("Scanner"))).documents


# Medication ------------------------------------------------------------------------------------------------------


def drug(kind: str, code: Json, id: str = "m1", **fields: object) -> Json:
    return resource(
        kind, id, **{"status": "active", "medicationCodeableConcept": code, "subject": about("p1"), **fields}
    )


OXYCODONE = concept(RXNORM, "7804", "oxycodone")


def test_an_anticoagulant_that_is_taken() -> None:
    warfarin = concept(RXNORM, "855332", "warfarin sodium 5 MG Oral Tablet")
    assert findings(read(drug("MedicationRequest", warfarin))) == {("anticoagulant_use", "present")}
    assert not findings(read(drug("MedicationRequest", warfarin, status="stopped")))
    assert not findings(read(drug("MedicationRequest", warfarin, intent="plan")))
    assert not findings(read(drug("MedicationRequest", warfarin, doNotPerform=True)))
    assert not findings(read(drug("MedicationStatement", warfarin, status="not-taken")))


@pytest.mark.parametrize(
    ("kind", "fields", "long"),
    [
        ("MedicationStatement", {"effectivePeriod": {"start": "2023-01-01"}}, True),
        ("MedicationStatement", {"effectivePeriod": {"start": "2024-05-01"}}, False),
        ("MedicationStatement", {"effectivePeriod": {"start": "2023-01-01"}, "status": "stopped"}, False),
        ("MedicationStatement", {}, False),
        ("MedicationRequest", {"authoredOn": "2020-01-01"}, False),
        (
            "MedicationRequest",
            {
                "authoredOn": "2024-01-01",
                "dispenseRequest": {
                    "numberOfRepeatsAllowed": 3,
                    "expectedSupplyDuration": {"value": 30, "unit": "days", "code": "d"},
                },
            },
            True,
        ),
    ],
)
def test_opioids_are_long_term_only_when_documented_so(kind: str, fields: Json, long: bool) -> None:
    expected = {("opioid_long_term", "present")} if long else set()
    assert findings(read(drug(kind, OXYCODONE, **fields))) == expected


def test_prescriptions_that_follow_each_other_are_one_course() -> None:
    supply = {"expectedSupplyDuration": {"value": 30, "code": "d"}}

    def monthly(months: tuple[int, ...]) -> set[tuple[str, str]]:
        orders = [
            drug("MedicationRequest", OXYCODONE, f"m{m}", authoredOn=f"2024-{m:02d}-01", dispenseRequest=supply)
            for m in months
        ]
        return findings(read(*orders))

    assert monthly((1, 2, 3, 4)) == {("opioid_long_term", "present")}
    assert monthly((1, 5)) == set()


def test_a_steroid_that_does_not_reach_the_blood_says_nothing() -> None:
    long = {"effectivePeriod": {"start": "2020-01-01"}}
    tablets = concept(ATC, "H02AB06", "prednisolone 5 mg tablet")
    drops = concept(ATC, "H02AB06", "prednisolone eye drops")
    assert findings(read(drug("MedicationStatement", tablets, **long))) == {("prolonged_steroid_use", "present")}
    assert not findings(read(drug("MedicationStatement", drops, **long)))


def test_medications_by_reference_contained_or_beside() -> None:
    inner = {"resourceType": "Medication", "id": "w", "code": words("Warfarin 5 mg")}
    contained = resource(
        "MedicationRequest", "m1", status="active", contained=[inner], medicationReference={"reference": "#w"}
    )
    beside = resource("MedicationRequest", "m1", status="active", medicationReference={"reference": "Medication/w"})
    assert findings(read(contained)) == {("anticoagulant_use", "present")}
    assert findings(read(beside, inner)) == {("anticoagulant_use", "present")}
    assert "names a medication that is not in the file" in read(beside).problems[0].line()


def test_other_drugs_that_are_taken_are_a_list() -> None:
    gathered = read(drug("MedicationStatement", words("Gabapentin 300 mg"), effectivePeriod={"start": "2024-01-05"}))
    assert text_of(gathered, "#medications/p1") == "Medications:\nGabapentin 300 mg, since 2024-01-05"


# Files -----------------------------------------------------------------------------------------------------------


def test_the_same_resource_twice_counts_once() -> None:
    assert len(read(condition(), condition()).observations) == 1


def test_of_two_versions_of_a_resource_the_newer_counts() -> None:
    old = condition(meta={"lastUpdated": "2020-01-01T00:00:00Z"})
    new = condition(meta={"lastUpdated": "2021-01-01T00:00:00Z"}, verificationStatus=status("entered-in-error"))
    assert not read(old, new).observations
    assert not read(new, old).observations


@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.ndjson.gz"])
def test_ndjson_under_any_name(name: str) -> None:
    data = ndjson(patient(), condition())
    gathered = sound(fhir.read(gzip.compress(data, mtime=0) if name.endswith("gz") else data, name, today=TODAY))
    assert findings(gathered) == {("diabetes", "present")}


def test_a_single_resource_a_list_and_a_bundle_in_a_bundle() -> None:
    single = json.dumps(condition()).encode()
    listed = json.dumps([patient(), condition()]).encode()
    nested = json.dumps({"resourceType": "Bundle", "entry": [{"resource": json.loads(bundle(condition()))}]}).encode()
    for data in (single, listed, nested):
        assert findings(sound(fhir.read(data, "x.json", today=TODAY))) == {("diabetes", "present")}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_json_in_other_encodings(encoding: str) -> None:
    data = json.dumps(condition(words("Spätfolge")), ensure_ascii=False).encode(encoding)
    if encoding == "utf-16-le":
        data = b"\xff\xfe" + data
    assert "Spätfolge" in text_of(sound(fhir.read(data, "x.json", today=TODAY)), "#problems/p1")


def test_json_in_windows_encoding_is_read_and_named() -> None:
    data = json.dumps(condition(words("Spätfolge")), ensure_ascii=False).encode("cp1252")
    gathered = sound(fhir.read(data, "x.json", today=TODAY))
    assert "Spätfolge" in text_of(gathered, "#problems/p1")
    assert "Windows-1252" in gathered.problems[0].line()


def test_a_truncated_bundle_names_the_byte_and_gives_nothing() -> None:
    data = bundle(patient(), condition())[:-20]
    gathered = sound(fhir.read(data, "export.json", today=TODAY))
    assert gathered.problems[0].line() == (
        f"export.json: is truncated JSON: it ends at byte {len(data)} in the middle of a value; export or copy it again"
    )
    assert not gathered.documents


def test_damage_in_the_middle_names_the_byte() -> None:
    data = bundle(patient(), condition())
    at = data.index(b'"resource"', 60)
    gathered = sound(fhir.read(data[:at] + b"\x01" + data[at:], "export.json", today=TODAY))
    assert f"is not valid JSON at byte {at}" in gathered.problems[0].line()


def test_a_broken_line_of_ndjson_costs_only_itself() -> None:
    data = (
        ndjson(patient(), condition())
        + b'{"resourceType":"Condition","id":"c9","code":\n'
        + ndjson(condition() | {"id": "c3"})
    )
    gathered = sound(fhir.read(data, "c.ndjson", today=TODAY))
    assert [p.where for p in gathered.problems] == ["c.ndjson, line 3"]
    assert findings(gathered) == {("diabetes", "present")}


def test_an_odd_resource_costs_only_itself_and_is_named() -> None:
    gathered = read(condition(), resource("Condition", "bad", code=["no", "concept"]))
    assert findings(gathered) == {("diabetes", "present")}
    (problem,) = gathered.problems
    assert problem.where == "bundle.json, Condition/bad"
    assert "$.code" in problem.what


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"a": 1}', "no FHIR resource"),
        (b"[1, 2]", "no FHIR resource"),
        (b'"text"', "no FHIR resource"),
        (b"null", "no FHIR resource"),
        (b'{"resourceType": "Bundle"}', "holds no resources"),
        (b'{"resourceType": "Bundle", "entry": {}}', "entries cannot be opened"),
        (b"\x1f\x8b\x08 broken", "gzip"),
        (gzip.compress(b'{"resourceType": "Patient"}', mtime=0)[:-10], "gzip"),
        (b"[" * 100_000, "truncated|nested"),
    ],
)
def test_what_is_no_fhir_is_named(data: bytes, said: str) -> None:
    gathered = sound(fhir.read(data, "x.json", today=TODAY))
    assert not gathered.documents
    assert any(word in gathered.problems[0].line() for word in said.split("|"))


def test_a_condition_that_ends_before_it_begins_has_no_date() -> None:
    cancer = concept(ICD10, "C50.9", "Breast cancer")
    gathered = read(condition(cancer, onsetDateTime="2020-01-01", abatementDateTime="2010-01-01"))
    assert gathered.observations[0].date is None
    assert "ends (2010-01-01) before it begins (2020-01-01)" in gathered.problems[0].line()
