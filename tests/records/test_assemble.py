"""Several documents made one case: dates from headings, events, sides that disagree, facts of the person."""

import pytest

from sequela.case import Document
from sequela.knowledge import load
from sequela.records.assemble import assemble
from sequela.records.gathered import Gathered
from sequela.records.text.reader import TextReader


@pytest.fixture(scope="module")
def case_of():
    knowledge = load()
    reader = TextReader(knowledge)

    def of(*texts):
        documents = [Document(name, text, kind) for name, kind, text in texts]
        return assemble(Gathered(documents=tuple(documents)), knowledge, reader)

    return of


LETTER = """Spine clinic, 15 April 2026

She had an L4-5 microdiscectomy in March 2024. {} On examination the right ankle jerk is absent."""


def test_a_document_is_dated_by_its_heading_and_so_is_what_it_tells(case_of):
    case = case_of(("a.txt", "letter", LETTER.format("The right leg pain is severe.")))
    assert [d.date for d in case.documents] == ["2026-04-15"]
    assert {o.date for o in case.observations} == {"2026-04-15"}
    assert [(e.kind, e.date) for e in case.timeline] == [("operation", "2024-03"), ("document", "2026-04-15")]


def test_a_date_of_onset_does_not_date_what_is_told(case_of):
    case = case_of(("a.txt", "letter", LETTER.format("Since 2024 she has right leg pain.")))
    (told,) = [o for o in case.observations if o.id == "unilateral_leg_pain"]
    assert told.date == "2026-04-15"


def test_imaging_injections_and_onset_are_events(case_of):
    case = case_of(
        ("a.txt", "letter", LETTER.format("She was well for a year, then the leg pain came back.")),
        ("mri.txt", "mri", "MRI of the lumbar spine, 24 April 2026\n\nRecurrent disc herniation at L4-5 on the right."),
    )
    assert [(e.kind, e.date) for e in case.timeline if e.kind != "document"] == [
        ("operation", "2024-03"),
        ("onset", "2025-03"),
        ("imaging", "2026-04-24"),
    ]


def test_the_note_of_an_operation_dates_it(case_of):
    case = case_of(
        ("old.txt", "letter", LETTER.format("")),
        (
            "op.txt",
            "operation_note",
            "Date of operation: 22 April 2025\n\nPROCEDURE PERFORMED: Revision decompression and TLIF L4-5.",
        ),
    )
    assert sorted((o.procedure, o.date) for o in case.operations) == [
        ("microdiscectomy", "2024-03"),
        ("tlif", "2025-04-22"),
    ]


def test_symptoms_on_one_side_and_imaging_on_the_other_are_asked_about(case_of):
    image = "Recurrent disc herniation at L4-5 on the {}."
    told = ("a.txt", "letter", LETTER.format("Right leg pain is severe."))
    (conflict,) = [c for c in case_of(told, ("m.txt", "mri", image.format("left"))).conflicts if c.about == "side"]
    assert [s.document for s in conflict.sources] == ["a.txt", "m.txt"]
    assert not [c for c in case_of(told, ("m.txt", "mri", image.format("right"))).conflicts if c.about == "side"]


def test_operations_told_left_and_right_quote_both_places(case_of):
    case = case_of(
        ("a.txt", "letter", "Left L4-5 microdiscectomy on 3 May 2023."),
        ("b.txt", "letter", "Right L4-5 microdiscectomy on 3 May 2023."),
    )
    (conflict,) = [c for c in case.conflicts if c.about == "operation"]
    assert {s.document for s in conflict.sources} == {"a.txt", "b.txt"}


def test_facts_of_the_person_are_told_once_and_of_no_place(case_of):
    text = "Aged 75, fusion of L4-S1 in 2020. The L4-S1 fusion is solid, no lucency around the screws."
    case = case_of(("a.txt", "letter", text), ("b.txt", "ct", text))
    for name in ("age_over_70", "fusion_to_sacrum"):
        (fact,) = [o for o in case.observations if o.id == name]
        assert (fact.status, fact.level, fact.side, fact.date, fact.relation) == ("present", None, None, None, None)
