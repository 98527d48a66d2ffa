"""codes.yaml: every code leads to something the knowledge base knows, and none says more than it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.records.builders import ATC, CPT, ICD10, LOINC, OPCS, PCS, RXNORM, SNOMED

from sequela.knowledge import codes as module
from sequela.knowledge.codes import CodesError, load

FOLDER = Path(module.__file__).parent


def ids(pattern: str, key: str | None = None) -> set[str]:
    found: set[str] = set()
    for path in FOLDER.glob(pattern):
        data: Any = yaml.safe_load(path.read_text())
        found |= {entry["id"] for entry in (data[key] if key else data)}
    return found


def said(system: str, code: str) -> set[tuple[str, str]]:
    return {(meaning.kind, meaning.id) for meaning in load().meanings(system, code)}


def test_every_code_leads_to_a_known_finding_procedure_or_cause() -> None:
    file = load().file
    findings, procedures = ids("findings/*.yaml", "findings"), ids("procedures.yaml")
    assert {g.finding for g in file.findings} <= findings
    assert {m.finding for m in file.medications if m.finding} <= findings
    assert {c.finding for a in file.answers for c in a.codes if c.finding} <= findings
    assert {s.finding for s in file.tables.electrodiagnosis.says} <= findings
    assert {g.procedure for g in file.procedures} <= procedures
    assert {g.cause for g in file.causes} - ids("causes.yaml") == {"persistent_pain_after_surgery"}


def test_every_group_names_known_sources_and_systems() -> None:
    file = load().file
    systems = {system.id for system in file.systems}
    groups = (*file.findings, *file.causes, *file.procedures, *file.implants, *file.events, *file.answers)
    for group in groups:
        assert group.sources
        assert set(group.sources) <= set(file.sources)
        assert {code.system for code in group.codes} <= systems
    for entry in (*file.analytes, *file.medications, *file.levels, file.lumbar):
        assert set(entry.sources) <= set(file.sources)


def test_cpt_numbers_come_without_descriptors_and_unverified_unless_checked() -> None:
    """The descriptors are copyright of the AMA; only these numbers were seen in a public list."""
    checked = {"63650", "63655", "63685", "63047", "62287"}
    file = load().file
    for group in (*file.procedures, *file.implants, *file.events):
        for code in group.codes:
            if code.system == "cpt":
                assert not code.label
                numbers = {code.code} if isinstance(code.code, str) else set(code.code)
                assert numbers <= checked if code.verified else not numbers & checked


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (ICD10, "E11.9", {("finding", "diabetes")}),
        (ICD10, "E119", {("finding", "diabetes")}),
        ("urn:oid:2.16.840.1.113883.6.90", "E11.42", {("finding", "diabetes"), ("cause", "polyneuropathy")}),
        (ICD10, "M81.0", {("finding", "osteoporosis")}),
        (ICD10, "M80.08XA", {("finding", "osteoporosis"), ("cause", "vertebral_fracture")}),
        (ICD10, "F33.1", {("finding", "depression_or_anxiety")}),
        (ICD10, "F33.42", set()),
        (ICD10, "M79.7", {("finding", "fibromyalgia")}),
        (ICD10, "Z79.52", {("finding", "prolonged_steroid_use")}),
        (ICD10, "Z79.51", set()),
        (ICD10, "Z85.3", {("finding", "history_of_cancer")}),
        (ICD10, "Z85.828", set()),
        (ICD10, "C79.51", {("finding", "history_of_cancer"), ("cause", "tumour")}),
        (ICD10, "F17.210", {("finding", "smoking_current")}),
        (ICD10, "F17.211", set()),
        (ICD10, "Z87.891", set()),
        (ICD10, "M96.1", {("cause", "persistent_pain_after_surgery")}),
        (ICD10, "M96.0", {("cause", "pseudarthrosis")}),
        (ICD10, "G89.22", set()),
        (PCS, "0SB20ZZ", {("procedure", "discectomy")}),
        (PCS, "0SB20ZX", set()),
        (PCS, "0SG0071", {("procedure", "posterolateral_fusion")}),
        (PCS, "0SG30AJ", {("procedure", "interbody_fusion")}),
        (PCS, "0SG10A0", {("procedure", "alif")}),
        (PCS, "0SP000Z", set()),
        (PCS, "0SP004Z", {("procedure", "implant_removal")}),
        (PCS, "009U3ZX", set()),
        (CPT, "63047", {("procedure", "decompression")}),
        (CPT, "22842", {("implant", "instrumentation")}),
        (CPT, "64483", {("event", "injection")}),
        (OPCS, "V25.4", {("procedure", "decompression")}),
        (OPCS, "V254", {("procedure", "decompression")}),
        (SNOMED, "429164009", {("procedure", "laminectomy")}),
        (SNOMED, "00", set()),
        ("http://unknown", "E11.9", set()),
    ],
)
def test_what_a_code_says(system: str, code: str, expected: set[tuple[str, str]]) -> None:
    assert said(system, code) == expected


def test_a_lumbosacral_joint_is_a_level_and_a_sacroiliac_joint_a_side() -> None:
    (lumbosacral,) = load().meanings(PCS, "0SG3071")
    (sacroiliac,) = load().meanings(PCS, "0SG704Z")
    assert lumbosacral.level == "L5-S1"
    assert sacroiliac.side == "right"


@pytest.mark.parametrize(
    ("codings", "text", "group"),
    [
        ([(RXNORM, "7804")], "", "opioid"),
        ([(ATC, "N02AX02")], "", "opioid"),
        ([(RXNORM, "861467")], "Meperidine Hydrochloride 50 MG Oral Tablet", "opioid"),
        ([(ATC, "B01AF02")], "apixaban", "anticoagulant"),
        ([], "Prednisolone 5 mg tablets", "systemic_steroid"),
        ([(ATC, "H02AB06")], "prednisolone eye drops", None),
        ([], "naloxone", None),
    ],
)
def test_groups_of_drugs(codings: list[tuple[str, str]], text: str, group: str | None) -> None:
    found = load().medication(codings, text)
    assert (found.group if found else None) == group


@pytest.mark.parametrize(
    ("unit", "factor"), [("mg/L", 1), ("MG/L", 1), ("mg/dL", 10), ("mg / dl", 10), ("nmol/L", None), ("", None)]
)
def test_units_of_crp(unit: str, factor: float | None) -> None:
    crp = load().analyte([(LOINC, "1988-5")])
    assert crp is not None
    assert crp.factor(unit) == factor


def test_an_analyte_is_known_by_name_where_it_has_no_code() -> None:
    found = load().analyte((), "C-Reactive Protein (mg/L)")
    assert found is not None
    assert found.id == "crp"
    assert load().analyte((), "CRP ratio") is None


@pytest.mark.parametrize(
    ("title", "kind"),
    [("MRI lumbar spine", "mri"), ("CT L-spine", "ct"), ("X-ray", "xray"), ("Operative note", "operation_note"),
     ("Discharge summary", "discharge"), ("Doctor", None), ("Impact", None)],
)  # fmt: skip
def test_document_kinds_by_whole_words(title: str, kind: str | None) -> None:
    assert load().document_kind((), title) == kind


def test_a_wrong_file_is_named_with_line_key_and_mend(tmp_path: Path) -> None:
    text = module.FILE.read_text().replace("  - finding: diabetes\n", "  - finding: diabetes\n    colour: blue\n", 1)
    path = tmp_path / "codes.yaml"
    path.write_text(text)
    line = text[: text.index("  - finding: diabetes")].count("\n") + 1
    with pytest.raises(CodesError, match=rf"codes.yaml:{line}: findings\[0\].*colour.*; "):
        module.read(path)


def test_a_file_that_is_no_yaml_or_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "codes.yaml"
    with pytest.raises(CodesError, match="cannot be read"):
        module.read(path)
    path.write_text("systems: [")
    with pytest.raises(CodesError, match=r"codes.yaml:\d+: "):
        module.read(path)
