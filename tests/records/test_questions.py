"""Questions answered with yes or no: the finding is what the answer says, not what the question names."""

from __future__ import annotations

import json

import pytest
from tests.records.builders import about, observation_of, pdf, read, resource

from sequela.api import assess_text
from sequela.case import Case, Document
from sequela.knowledge import load
from sequela.records import pdf as pdf_reader
from sequela.records import questions
from sequela.records.assemble import assemble
from sequela.records.gathered import Gathered
from sequela.records.text.reader import TextReader

READER = TextReader(load())


def case_of(text: str) -> Case:
    return assemble(Gathered(documents=(Document("form.txt", text),)), load(), READER)


def said(case: Case) -> dict[str, set[str]]:
    out: dict[str, set[str]] = {}
    for o in case.observations:
        out.setdefault(o.id, set()).add(o.status)
    return out


ASKED = {
    "Do you have numbness around the back passage": "saddle_anaesthesia",
    "Numbness around the genitals, anus or buttocks": "saddle_anaesthesia",
    "Have you lost control of your bladder": "urinary_incontinence",
    "Are you unable to pass urine": "urinary_retention",
    "Weakness in your legs": "leg_weakness_symptom",
    "Do you have fever": "fever",
    "Have you had chills or night sweats": "night_sweats_or_chills",
    "Unexplained weight loss": "unexplained_weight_loss",
    "Have you ever had cancer": "history_of_cancer",
    "Do you smoke": "smoking_current",
    "Is the wound leaking (e.g. pus)": "wound_drainage",
}
FUNCTIONS = {
    "Can you pass urine normally": "urinary_retention",
    "Are you able to control your bladder": None,
    "Can you control your bladder": "urinary_incontinence",
    "Can you feel it when you wipe": "saddle_anaesthesia",
    "Is the feeling around your genitals normal": "saddle_anaesthesia",
    "Is the wound dry": "wound_drainage",
}


@pytest.mark.parametrize(("question", "finding"), ASKED.items())
def test_yes_is_present_and_no_is_absent(question: str, finding: str) -> None:
    assert said(case_of(f"{question}?: yes"))[finding] == {"present"}
    assert said(case_of(f"{question}?: no"))[finding] == {"absent"}


@pytest.mark.parametrize(("question", "finding"), [(q, f) for q, f in FUNCTIONS.items() if f])
def test_a_normal_function_is_the_other_way_round(question: str, finding: str) -> None:
    assert said(case_of(f"{question}?: yes"))[finding] == {"absent"}
    assert said(case_of(f"{question}?: no"))[finding] == {"present"}


@pytest.mark.parametrize(
    "answer", ["unknown", "not asked", "n/a", "don't know", "Yes / No", "[ ] Yes [ ] No", "☐ Yes ☐ No"]
)
@pytest.mark.parametrize("question", [*ASKED, *FUNCTIONS])
def test_a_question_without_an_answer_says_nothing(question: str, answer: str) -> None:
    assert said(case_of(f"{question}? {answer}")) == {}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Fever: no", "absent"),
        ("Fever: None", "absent"),
        ("Fever: absent", "absent"),
        ("Fever:   yes", "present"),
        ("Fever\tno", "absent"),
        ("Fever? No", "absent"),
        ("Fever? n", "absent"),
        ("3. Do you have any fever?\nNo\n4. Do you have pain?\nYes", "absent"),
        ("Fever? [x] Yes [ ] No", "present"),
        ("Fever? [ ] Yes [x] No", "absent"),
        ("Fever ☐ Yes ☒ No", "absent"),
        ("Wound dry: yes, fever: no, pain: yes", "absent"),
        ("Any fever? No fever.", "absent"),
        ("Fever? No, but tired.", "absent"),
        ("Fever? Yes, since Monday", "present"),
    ],
)
def test_the_ways_in_which_forms_write_an_answer(text: str, status: str) -> None:
    assert said(case_of(text))["fever"] == {status}


def test_what_is_added_to_an_answer_belongs_to_it() -> None:
    (found,) = [
        o for o in case_of("Weakness in the legs? Yes, on the left").observations if o.id == "leg_weakness_symptom"
    ]
    assert (found.status, found.side) == ("present", "left")


def test_two_normal_functions_denied_at_once_leave_open_which() -> None:
    found = said(case_of("Are strength and feeling in the legs normal?: no"))
    assert found["myotomal_weakness"] == found["dermatomal_sensory_loss"] == {"uncertain"}


def test_a_denied_operation_is_none() -> None:
    assert not case_of("Have you had lumbar fusion surgery?: no").operations
    assert case_of("Have you had lumbar fusion surgery?: yes").operations


def test_a_finding_quotes_the_question_with_its_answer() -> None:
    text = "Clinic form\nDo you have fever?: no\nCan you pass urine normally?: yes\nThe left ankle jerk is absent."
    case = case_of(text)
    assert {o.source.text for o in case.observations if o.source} >= {
        "Do you have fever?: no",
        "Can you pass urine normally?: yes",
    }
    for o in case.observations:
        assert o.source
        assert text[o.source.start : o.source.end] == o.source.text


def test_no_emergency_from_denied_symptoms() -> None:
    form = "L4-5 laminectomy on 10 January 2025.\n" + "\n".join(f"{question}?: {{}}" for question in ASKED)
    urgent = {f.urgency for f in assess_text(form.replace("{}", "yes")).red_flags}
    assert "emergency" in urgent
    assert not assess_text(form.replace("{}", "no")).red_flags


def test_a_text_without_questions_is_read_as_it_is() -> None:
    document = Document("letter.txt", "No fever: she feels well. Recurrent disc? No evidence of infection.")
    assert questions.answered(document.text) == []
    assert questions.read(READER, document) == READER.read(document)


YES_NO = {
    "boolean": ({"valueBoolean": True}, {"valueBoolean": False}),
    "snomed": ({"valueCoding": {"code": "373066001"}}, {"valueCoding": {"code": "373067005"}}),
    "loinc": (
        {"valueCoding": {"code": "LA33-6", "display": "Yes"}},
        {"valueCoding": {"code": "LA32-8", "display": "No"}},
    ),
    "v2": ({"valueCoding": {"code": "Y"}}, {"valueCoding": {"code": "N"}}),
    "words": ({"valueString": "yes"}, {"valueString": "No"}),
}


@pytest.mark.parametrize("kind", YES_NO)
def test_the_answers_of_a_fhir_questionnaire(kind: str) -> None:
    for answer, status in zip(YES_NO[kind], ("present", "absent"), strict=True):
        items = [{"linkId": str(n), "text": q, "answer": [answer]} for n, q in enumerate(ASKED)]
        form = resource("QuestionnaireResponse", "q", subject=about("p1"), item=items)
        found = said(assemble(read(form), load(), READER))
        assert {id_: found[id_] for id_ in ASKED.values()} == {id_: {status} for id_ in ASKED.values()}


@pytest.mark.parametrize("text", ["Fever? Chills? (any)", "Fever;\nshivering!", "Fever:", "Fever"])
def test_a_fhir_question_is_one_question_however_it_is_punctuated(text: str) -> None:
    form = resource("QuestionnaireResponse", "q", item=[{"text": text, "answer": [{"valueBoolean": False}]}])
    assert said(assemble(read(form), load(), READER))["fever"] == {"absent"}


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ({"valueBoolean": False}, "absent"),
        ({"valueBoolean": True}, "present"),
        ({"valueCodeableConcept": {"coding": [{"code": "2667000", "display": "Absent (qualifier value)"}]}}, "absent"),
    ],
)
def test_a_fhir_observation_answered_with_yes_or_no(value: dict[str, object], status: str) -> None:
    gathered = read(observation_of("Saddle numbness", **value))
    assert said(assemble(gathered, load(), READER))["saddle_anaesthesia"] == {status}


def test_a_form_in_a_pdf() -> None:
    form = pdf("Questionnaire before the visit\nDo you have fever? No\nHave you lost weight? Yes")
    found = said(assemble(pdf_reader.read(form, "form.pdf"), load(), READER))
    assert found["fever"] == {"absent"}
    assert found["unexplained_weight_loss"] == {"present"}


def test_ten_thousand_questions_are_answered() -> None:
    assert len(questions.answered("Do you have fever?: no\n" * 10_000)) == 10_000
    assert json.dumps([i.answer for i in questions.answered("a, " * 50_000)]) == "[]"
