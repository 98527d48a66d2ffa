"""No bytes whatever make a reader raise: everything is read or named in one line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.records.builders import (
    CPT,
    SNOMED,
    TODAY,
    about,
    attachment,
    bundle,
    ccda,
    cda_problem,
    concept,
    ndjson,
    patient,
    resource,
    section,
    sound,
)
from tests.records.builders import pdf as make_pdf

from sequela.records import ccda as ccda_reader
from sequela.records import fhir, gather, pdf, plain, tables
from sequela.records.gathered import Gathered

READERS: dict[str, Callable[[bytes], Gathered]] = {
    "fhir": lambda data: fhir.read(data, "x.json", today=TODAY),
    "ndjson": lambda data: fhir.read(data, "x.ndjson", today=TODAY),
    "ccda": lambda data: ccda_reader.read(data, "x.xml", today=TODAY),
    "plain": lambda data: plain.read(data, "x.txt"),
    "pdf": lambda data: pdf.read(data, "x.pdf"),
    "tables": lambda data: tables.read(data, "x.csv"),
    "gather": lambda data: gather.read_bytes(data, "x", today=TODAY),
}
KINDS = [*sorted(fhir._HANDLERS), "Patient", "Medication", "Binary", "Bundle"]
SAMPLES = (
    bundle(patient(), resource("Condition", "c1", code=concept(SNOMED, "44054006", "Diabetes"), subject=about("p1"))),
    ndjson(patient(), resource("Procedure", "x1", code=concept(CPT, "63030"), performedDateTime="2020")),
    bundle(
        resource(
            "DocumentReference",
            "n1",
            content=[
                {"attachment": attachment(make_pdf("Some words of a letter that is long enough"), "application/pdf")}
            ],
        )
    ),
    gzip.compress(ndjson(patient()), mtime=0),
    ccda(section("PROBLEMS", "<paragraph>Pain</paragraph>", cda_problem("44054006", "Diabetes"))),
    make_pdf("A page of text that is long enough to be read."),
    b"Muscle,Side,Interpretation\nTA,left,L5 radiculopathy\n",
    b"Test;Value;Unit;Date\nCRP;8,5;mg/dL;02.01.2024\n",
    "Rückenschmerz".encode("utf-16"),
    b"<html><body><p>Pain</p></body></html>",
)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_words = st.sampled_from(
    ["active", "final", "2020-01-01", "2020", "Patient/p1", "#1", "urn:uuid:1", "L4-5", SNOMED, "63030"]
)
_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _words
_names = st.sampled_from(
    """id status code coding system display text subject reference patient bodySite onsetDateTime performedDateTime
    valueQuantity value unit valueString valueCodeableConcept component interpretation category effectiveDateTime
    conclusion presentedForm content attachment data contentType url relatesTo target item answer linkId valueInteger
    medicationCodeableConcept medicationReference contained dosage dosageInstruction timing repeat boundsDuration
    effectivePeriod start end dispenseRequest expectedSupplyDuration entry resource fullUrl resourceType section div
    series modality started birthDate name given identifier note complication meta lastUpdated""".split()
)
_json = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4), max_leaves=20
)
_resources = st.builds(
    lambda kind, fields: {**fields, "resourceType": kind},
    st.sampled_from(KINDS),
    st.dictionaries(_names, _json, max_size=8),
)


@pytest.mark.parametrize("reader", READERS)
@given(data=st.binary(max_size=300))
@quick
def test_arbitrary_bytes(reader: str, data: bytes) -> None:
    sound(READERS[reader](data))


@pytest.mark.parametrize("reader", READERS)
@given(sample=st.sampled_from(SAMPLES), data=st.data())
@quick
def test_damaged_records(reader: str, sample: bytes, data: st.DataObject) -> None:
    """A real file with a piece cut out, and something else in its place."""
    start = data.draw(st.integers(0, len(sample)))
    end = data.draw(st.integers(start, len(sample)))
    sound(READERS[reader](sample[:start] + data.draw(st.binary(max_size=6)) + sample[end:]))


@given(resources=st.lists(_resources, min_size=1, max_size=4))
@settings(quick, max_examples=200)
def test_resources_of_any_shape(resources: list[dict[str, Any]]) -> None:
    sound(fhir.read(bundle(*resources), "x.json", today=TODAY))


@given(text=st.text(max_size=400))
@quick
def test_any_text(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    for reader in ("plain", "tables", "gather"):
        sound(READERS[reader](data))
    plain.strip_html(text)


@given(
    rows=st.lists(
        st.lists(
            st.sampled_from(["TA", "left", "", "8,5", "1,234", "CRP", "mg/L", "3/4/2024", "normal", '"']), max_size=6
        ),
        max_size=6,
    )
)
@quick
def test_any_table(rows: list[list[str]]) -> None:
    for header in ("Muscle,Side,Fib,Conclusion", "Test,Value,Unit,Date", "Nerve;Side;Latency"):
        mark = ";" if ";" in header else ","
        sound(tables.read("\n".join([header, *(mark.join(row) for row in rows)]).encode(), "x.csv"))


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
def test_deep_nesting(depth: int) -> None:
    item = '{"item":[' * depth + "]}" * depth
    questionnaire = f'{{"resourceType":"QuestionnaireResponse","id":"q","item":[{item}]}}'
    bundles = '{"resourceType":"Bundle","entry":[{"resource":' * depth + "null" + "}]}" * depth
    for text in (questionnaire, bundles, "[" * depth + "]" * depth):
        sound(fhir.read(text.encode(), "x.json", today=TODAY))
    sound(
        ccda_reader.read(
            ccda(section("A", "<content>" * min(depth, 20_000) + "x" + "</content>" * min(depth, 20_000))), "x.xml"
        )
    )


@pytest.mark.parametrize("sample", range(len(SAMPLES)))
def test_the_undamaged_samples_are_read(sample: int) -> None:
    """Otherwise the damaged ones would test nothing."""
    name = {6: "x.csv", 7: "x.csv"}.get(sample, "x")
    gathered = gather.read_bytes(SAMPLES[sample], name, today=TODAY)
    assert gathered.documents or gathered.patients
    assert not gathered.problems
