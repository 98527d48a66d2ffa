"""What a person is shown: the notice at the head, the words behind every red flag, never a certainty."""

from __future__ import annotations

import io
import re

import pytest
from fhir.resources.R4B.bundle import Bundle
from msgspec import structs
from rich.console import Console

from sequela.api import assess_text
from sequela.case import Conflict, Problem
from sequela.reasoning.assessment import Assessment
from sequela.report.fhir import bundle
from sequela.report.html import html
from sequela.report.percent import percent, span
from sequela.report.terminal import show
from sequela.report.view import NOTICE, view

OPERATED = "She had an L4-5 discectomy in March 2024 and did well. Six weeks ago the left leg pain came back. MRI shows a recurrent disc herniation."
DENIED = "Low back pain and left sciatica for 3 months. No previous spinal surgery. MRI shows an L4/5 disc protrusion."
PLANNED = "Listed for L4-5 decompression and fusion next month. Neurogenic claudication. No operation so far."
SILENT = "Low back pain and left sciatica for 3 months. Straight leg raise is positive."
NECK = "She underwent a fusion at C5-6 in 2019. Now low back pain and sciatica."
URGENT = (
    "Laminectomy L3-L5 three days ago. Since this morning she has numbness between the legs and cannot pass urine, both legs are weak. "
    "MRI shows an epidural haematoma compressing the thecal sac."
)


def terminal(assessment: Assessment, width: int = 80) -> str:
    out = io.StringIO()
    show(assessment, Console(file=out, width=width))
    return out.getvalue()


def flat(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize(
    ("text", "applicable", "reason"),
    [
        (OPERATED, True, None),
        (DENIED, False, "operation_denied"),
        (PLANNED, False, "operation_planned"),
        (NECK, False, "operation_on_other_region"),
        (SILENT, None, "no_operation_found"),
        ("A 12-year-old girl had an L4-5 discectomy in March 2024. The leg pain came back.", False, "child"),
    ],
)
def test_the_document_says_whether_the_ranking_applies(text: str, applicable: bool | None, reason: str | None) -> None:
    document = assess_text(text).document()
    assert document["applicable"] is applicable
    assert document["applicable_reason"] == reason
    assert len(document["causes"]) == 31
    for source in document["applicable_sources"]:
        assert text[source["start"] : source["end"]] == source["text"]


@pytest.mark.parametrize(
    "text",
    [
        "No further surgery is planned. Low back pain.",
        "Surgery is not indicated. Low back pain.",
        "His father had back surgery. Low back pain.",
        "He declined revision surgery. Low back pain.",
        "Listed for fusion. MRI shows scar at the laminectomy site.",
    ],
)
def test_words_that_deny_no_operation_leave_it_open(text: str) -> None:
    assert assess_text(text).applicability.applicable is None


@pytest.mark.parametrize("text", [DENIED, PLANNED])
def test_without_an_operation_people_see_no_ranking(text: str) -> None:
    assessment = assess_text(text)
    told = view(assessment).notice.text
    leading = assessment.causes[0].name
    for shown in (flat(terminal(assessment)), html(assessment), html(assessment, paper=True)):
        assert told in shown
        assert leading not in shown
    assert not any("prediction" in e["resource"] for e in bundle(assessment)["entry"])


@pytest.mark.parametrize("text", [SILENT, NECK])
def test_a_doubtful_ranking_is_shown_below_its_notice(text: str) -> None:
    assessment = assess_text(text)
    told, leading = view(assessment).notice.text, assessment.causes[0].name
    for shown in (flat(terminal(assessment)), html(assessment, paper=True)):
        assert 0 <= shown.index(told) < shown.index(leading)


def test_an_ordinary_record_has_no_notice() -> None:
    assessment = assess_text(OPERATED)
    assert not any(text in html(assessment) for text in NOTICE.values())


def test_every_red_flag_quotes_its_words_and_tells_its_time_limit() -> None:
    assessment = assess_text(URGENT)
    flags = [flag for group in view(assessment).red_flags for flag in group.flags]
    assert len(flags) >= 2
    assert all(flag.quotes for flag in flags)
    shown = flat(terminal(assessment, width=400))
    assert all(f"Time limit: {flag.time_limit}." in shown for flag in flags)


def test_a_flag_quotes_words_that_a_flag_before_it_quoted() -> None:
    assessment = assess_text(URGENT)
    twice = structs.replace(assessment, red_flags=(assessment.red_flags[0], assessment.red_flags[0]))
    first, second = (flag for group in view(twice).red_flags for flag in group.flags)
    assert first.quotes == second.quotes != ()


@pytest.mark.parametrize(
    ("probability", "shown"),
    [(0.0, "<1%"), (0.0099, "<1%"), (0.01, "1%"), (0.874, "87%"), (0.99, "99%"), (0.9951, ">99%"), (1.0, ">99%")],
)
def test_no_certainty_is_shown(probability: float, shown: str) -> None:
    assert percent(probability) == shown


def test_an_interval_whose_ends_read_alike_is_one_number() -> None:
    assert span(0.401, 0.61) == "40% to 61%"
    assert span(0.996, 1.0) == ">99%"


def test_no_report_shows_zero_or_a_hundred_per_cent() -> None:
    certain = assess_text(URGENT)
    for shown in (terminal(certain), re.sub(r'style="[^"]*"|<style>.*?</style>', "", html(certain), flags=re.S)):
        assert not re.search(r"(?<![\d.])(?:100|0) ?%", shown)


def test_reasons_are_wrapped_not_cut() -> None:
    assessment = assess_text(OPERATED)
    shown = flat(terminal(assessment, width=60))
    for cause in view(assessment).causes:
        for reason in cause.reasons_for[:3]:
            assert reason.label in shown


def test_problems_and_contradictions_stand_before_the_causes() -> None:
    assessment = assess_text(OPERATED)
    case = structs.replace(
        assessment.case,
        problems=(Problem("scan.pdf", "no text", "scan it again"),),
        conflicts=(Conflict("side", "left, right"),),
    )
    shown = html(structs.replace(assessment, case=case), paper=True)
    assert shown.index("scan.pdf: no text; scan it again") < shown.index("Most probable causes")
    assert shown.index("left, right") < shown.index("Most probable causes")


def test_the_fhir_bundle_keeps_operations_documents_problems_and_what_raised_a_flag() -> None:
    assessment = assess_text(URGENT)
    case = structs.replace(
        assessment.case,
        problems=(Problem("scan.pdf", "no text", "scan it again"),),
        conflicts=(Conflict("side", "left, right"),),
    )
    written = bundle(structs.replace(assessment, case=case))
    Bundle.model_validate(written)
    held: dict[str, list[dict[str, object]]] = {}
    for entry in written["entry"]:
        held.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    assert len(held["Procedure"]) == len(case.operations)
    assert len(held["DocumentReference"]) == len(case.documents)
    assert [i["code"] for i in held["OperationOutcome"][0]["issue"]] == ["conflict", "incomplete"]  # type: ignore[attr-defined]
    urls = {e["fullUrl"] for e in written["entry"]}
    for flag in held["Flag"]:
        details = [x for x in flag["extension"] if "valueReference" in x]  # type: ignore[attr-defined]
        assert details
        assert flag["category"]
        assert {d["valueReference"]["reference"] for d in details} <= urls
    (risk,) = held["RiskAssessment"]
    assert risk["basis"]
    assert "per cent" in risk["prediction"][0]["rationale"]  # type: ignore[index]


def test_a_finding_said_twice_is_one_observation_with_two_notes() -> None:
    assessment = assess_text("Status post L4-5 discectomy in 2024. Straight leg raise is positive.")
    twice = [o for o in assessment.case.observations if o.source]
    one = twice[0]
    assert one.source is not None
    again = structs.replace(one, source=structs.replace(one.source, start=one.source.start + 1))
    case = structs.replace(assessment.case, observations=(*twice, again))
    written = [e["resource"] for e in bundle(structs.replace(assessment, case=case))["entry"]]
    of_it = [r for r in written if r["resourceType"] == "Observation" and r["code"]["coding"][0]["code"] == one.id]
    assert len([r for r in of_it if len(r["note"]) == 2]) == 1
    assert len({r["id"] for r in written}) == len(written)
