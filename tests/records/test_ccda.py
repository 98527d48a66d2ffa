"""C-CDA: narrative and entries."""

from __future__ import annotations

import pytest
from tests.records.builders import TODAY, ccda, cda_problem, findings, section, sound, text_of

from sequela.case import Patient
from sequela.records import ccda as reader
from sequela.records.gathered import Gathered


def read(data: bytes) -> Gathered:
    return sound(reader.read(data, "ccd.xml", today=TODAY))


def procedure(code: str, display: str, **attributes: str) -> str:
    state = attributes.get("status", "completed")
    return (
        f'<procedure classCode="PROC" moodCode="{attributes.get("mood", "EVN")}" '
        f'negationInd="{attributes.get("negated", "false")}"><templateId root="2.16.840.1.113883.10.20.22.4.14"/>'
        f'<code code="{code}" codeSystem="2.16.840.1.113883.6.96" displayName="{display}"/>'
        f'<statusCode code="{state}"/><effectiveTime value="20190301"/>'
        f'<targetSiteCode code="84020006" codeSystem="2.16.840.1.113883.6.96" displayName="L4/L5 disc"/></procedure>'
    )


def result(code: str, display: str, value: str) -> str:
    return (
        '<organizer classCode="BATTERY" moodCode="EVN"><component><observation classCode="OBS" moodCode="EVN">'
        '<templateId root="2.16.840.1.113883.10.20.22.4.2"/>'
        f'<code code="{code}" codeSystem="2.16.840.1.113883.6.1" displayName="{display}"/><statusCode code="completed"/>'
        f'<effectiveTime value="202401021030-0800"/>{value}</observation></component></organizer>'
    )


def drug(code: str, display: str, state: str = "active", low: str = "20230101") -> str:
    return (
        '<substanceAdministration classCode="SBADM" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.16"/>'
        f'<statusCode code="{state}"/><effectiveTime xsi:type="IVL_TS"><low value="{low}"/><high nullFlavor="UNK"/>'
        "</effectiveTime><consumable><manufacturedProduct><manufacturedMaterial>"
        f'<code code="{code}" codeSystem="2.16.840.1.113883.6.88" displayName="{display}"/>'
        "</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>"
    )


def test_the_patient() -> None:
    gathered = read(ccda())
    assert gathered.patients == (Patient("MRN7", "Jane Doe", "female", "1960-05-01"),)
    assert gathered.identifiers == {"MRN7": ("MRN7",)}


def test_the_narrative_of_each_section_is_a_document_under_its_title() -> None:
    table = (
        "<table><thead><tr><th>Problem</th><th>Since</th></tr></thead>"
        "<tbody><tr><td>Left  leg\n pain</td><td>2020</td></tr></tbody></table><list><item>Wound<br/>dry</item></list>"
    )
    gathered = read(ccda(section("PROBLEMS", table)))
    assert text_of(gathered, "#problems") == "PROBLEMS\nProblem, Since\nLeft leg pain, 2020\n- Wound\ndry"
    assert gathered.documents[0].date == "2024-05-01"
    assert set(gathered.owners.values()) == {"MRN7"}


def test_deleted_words_are_not_read() -> None:
    gathered = read(ccda(section("PLAN", '<content revised="delete">Infection</content>No infection')))
    assert text_of(gathered, "#plan") == "PLAN\nNo infection"


def test_two_sections_of_the_same_title_are_both_kept() -> None:
    gathered = read(ccda(section("NOTE", "One"), section("NOTE", "Two")))
    assert [d.name for d in gathered.documents] == ["ccd.xml#note", "ccd.xml#note~2"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (cda_problem("44054006", "Type 2 diabetes"), {("diabetes", "present")}),
        (cda_problem("44054006", "Type 2 diabetes", high="20210101"), set()),
        (cda_problem("44054006", "Type 2 diabetes", negated="true"), {("diabetes", "absent")}),
        (cda_problem("254837009", "Breast cancer", high="20210101"), {("history_of_cancer", "present")}),
        (cda_problem("1", "Unknown"), set()),
    ],
)
def test_problems(entry: str, expected: set[tuple[str, str]]) -> None:
    assert findings(read(ccda(section("PROBLEMS", "Listed", entry)))) == expected


def test_a_code_in_another_system_is_found_among_the_translations() -> None:
    entry = cda_problem("1", "Local").replace(
        'displayName="Local"/>',
        'displayName="Local"><translation code="E11.9" codeSystem="2.16.840.1.113883.6.90" displayName="T2DM"/></value>',
    )
    assert findings(read(ccda(section("PROBLEMS", "Listed", entry)))) == {("diabetes", "present")}


def test_an_operation_with_its_place_and_date() -> None:
    (found,) = read(ccda(section("PROCEDURES", "Listed", procedure("3418002", "Discectomy of spine")))).operations
    assert (found.procedure, found.levels, found.date) == ("discectomy", ("L4-L5",), "2019-03-01")


@pytest.mark.parametrize(
    "attributes", [{"status": "aborted"}, {"status": "cancelled"}, {"mood": "INT"}, {"negated": "true"}]
)
def test_what_was_not_done_is_no_operation(attributes: dict[str, str]) -> None:
    entry = procedure("3418002", "Discectomy of spine", **attributes)
    assert not read(ccda(section("PROCEDURES", "Listed", entry))).operations


def test_a_result_is_a_line_of_its_day_in_the_known_unit() -> None:
    entry = result("1988-5", "CRP", '<value xsi:type="PQ" value="8.5" unit="mg/dL"/><interpretationCode code="H"/>')
    gathered = read(ccda(section("RESULTS", "Listed", entry, loinc="30954-2")))
    assert text_of(gathered, "results/MRN7/2024-01-02") == "CRP 85 mg/L 2024-01-02, converted from mg/dL (high)"
    assert text_of(gathered, "#results") == "RESULTS\nListed"


def test_a_result_below_a_bound() -> None:
    entry = result("1988-5", "CRP", '<value xsi:type="IVL_PQ"><high value="5" unit="mg/L"/></value>')
    assert "CRP <=5 mg/L 2024-01-02" in [d.text for d in read(ccda(section("RESULTS", "", entry))).documents]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (drug("855332", "warfarin sodium 5 MG Oral Tablet"), {("anticoagulant_use", "present")}),
        (drug("855332", "warfarin sodium 5 MG Oral Tablet", "completed"), set()),
        (drug("7804", "oxycodone"), {("opioid_long_term", "present")}),
        (drug("7804", "oxycodone", low="20240520"), set()),
    ],
)
def test_medications(entry: str, expected: set[tuple[str, str]]) -> None:
    assert findings(read(ccda(section("MEDICATIONS", "Listed", entry)))) == expected


def test_words_without_a_narrative_are_still_read() -> None:
    gathered = read(ccda(section("PROBLEMS", "", cda_problem("1", "Screw loosening"))))
    assert text_of(gathered, "#problems/MRN7") == "Problems:\nScrew loosening, 2020-01-01"


def test_family_history_and_plans_are_words_only() -> None:
    """Every line says so itself, since a clause may be read without its heading."""
    entry = procedure("3418002", "Discectomy of spine", mood="RQO")
    family = section("FAMILY HISTORY", "<list><item>Father</item><item>Diabetes</item></list>", loinc="10157-6")
    gathered = read(ccda(family, section("PLAN", "Fusion", entry, loinc="18776-5")))
    assert text_of(gathered, "#family-history") == "FAMILY HISTORY\nFamily history: Father\nFamily history: Diabetes"
    assert text_of(gathered, "#plan") == "PLAN\nPlanned: Fusion"
    assert not gathered.observations
    assert not gathered.operations
    assert len(gathered.documents) == 2


def test_the_kind_of_the_document_is_that_of_its_sections() -> None:
    gathered = read(ccda(section("FINDINGS", "Dural tear, sutured", loinc="59776-5"), code="11504-8"))
    assert gathered.documents[0].kind == "operation_note"


def test_a_problem_that_ends_before_it_begins_is_named() -> None:
    gathered = read(
        ccda(section("PROBLEMS", "Listed", cda_problem("254837009", "Breast cancer", "20200101", "20100101")))
    )
    assert gathered.observations[0].date is None
    assert "ends (2010-01-01) before it begins (2020-01-01)" in gathered.problems[0].line()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ccda()[:-30], "not complete XML (line 1, column"),
        (b"<html></html>", "no C-CDA document (it is html)"),
        (b'<Bundle xmlns="http://hl7.org/fhir"/>', "FHIR in XML"),
        (b"plain words", "not complete XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "XML entities"),
        (b'<?xml version="1.0" encoding="nonsense"?><x/>', "XML"),
        (b"<a>" * 5000 + b"</a>" * 5000, "no C-CDA"),
    ],
)
def test_what_is_no_c_cda_is_named(data: bytes, said: str) -> None:
    gathered = read(data)
    assert not gathered.documents
    assert said in gathered.problems[0].line()


def test_a_wrapped_pdf_is_named() -> None:
    data = ccda().replace(
        b"<structuredBody></structuredBody>",
        b'<nonXMLBody><text mediaType="application/pdf" representation="B64">JVBERi0=</text></nonXMLBody>',
    )
    assert "wraps application/pdf" in read(data).problems[0].line()
