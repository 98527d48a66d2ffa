"""Which operations a letter says were done: the first thing to know."""

import pytest

from sequela.case import Document
from sequela.knowledge import load
from sequela.records.text.reader import TextReader


@pytest.fixture(scope="module")
def reader():
    return TextReader(load())


def operations(reader, text):
    return reader.read(Document("letter", text)).operations


def test_procedure_level_side_and_time(reader):
    (found,) = operations(reader, "Two years ago he had a right L4-5 microdiscectomy and did well.")
    assert (found.procedure, found.levels, found.side, found.months_ago) == (
        "microdiscectomy",
        ("L4-L5",),
        "right",
        24.0,
    )
    assert found.source.text == "microdiscectomy"


def test_the_most_specific_name_of_one_operation_wins(reader):
    (found,) = operations(reader, "She had back surgery in 2019, a TLIF at L4-5. The surgery went well.")
    assert (found.procedure, found.date) == ("tlif", "2019")


def test_two_operations_with_their_own_dates(reader):
    first, second = operations(
        reader, "He had a lumbar decompression in 1992 and an anterior interbody fusion at L5-S1 in 1999."
    )
    assert (first.procedure, first.date) == ("decompression", "1992")
    assert (second.procedure, second.date, second.levels) == ("alif", "1999", ("L5-S1",))


@pytest.mark.parametrize(
    "text",
    [
        "A lumbar fusion has been suggested but she declined.",
        "Her mother had a lumbar fusion in 2010.",
        "He is scheduled for an L4-5 decompression next month.",
        "He has never had back surgery.",
        "If this fails, microdiscectomy would be the next step.",
        "She underwent anterior cervical discectomy and fusion at C5-6 in 2015.",
        "There is no previous lumbar surgery.",
    ],
)
def test_what_was_not_done_to_the_low_back_is_not_an_operation(reader, text):
    assert operations(reader, text) == ()


def test_a_range_of_levels_is_every_segment(reader):
    (found,) = operations(reader, "Status post instrumented fusion L3 to S1 in 2018.")
    assert found.levels == ("L3-L4", "L4-L5", "L5-S1")


def told(reader, text):
    return [(o.procedure, o.levels, o.date, o.months_ago) for o in operations(reader, text)]


def test_operations_that_are_counted(reader):
    assert told(reader, "Two discectomies at L4-5, 2009 and 2011.") == [
        ("discectomy", ("L4-L5",), "2009", None),
        ("discectomy", ("L4-L5",), "2011", None),
    ]
    assert len(told(reader, "She has had three operations on her back.")) == 3


def test_a_counted_operation_is_filled_by_what_is_told_later(reader):
    found = told(
        reader, "He has had two back operations. The first was a discectomy in 2010, the second a fusion in 2014."
    )
    assert sorted((p, d) for p, _, d, _ in found) == [("discectomy", "2010"), ("fusion", "2014")]


def test_fused_as_a_verb_is_an_operation_and_as_an_adjective_is_not(reader):
    assert told(reader, "I fused her from L4 to S1 in March 2020.")[0][0] == "fusion"
    assert told(reader, "CT: L4-5 looks solidly fused.") == []


def test_two_operations_of_one_sentence_timed_differently(reader):
    found = told(reader, "After her L4-5 discectomy (2015) and the fusion two years ago she was well.")
    assert [(p, d, m) for p, _, d, m in found] == [("discectomy", "2015", None), ("fusion", None, 24.0)]


def test_a_neck_report_names_no_lumbar_operation(reader):
    text = "Anterior cervical discectomy C5-6. A good decompression of both neural foramina was obtained. The neck was closed."
    assert told(reader, text) == []


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("Micro-disc L5/S1 x2 (2017, 2019).", ["2017", "2019"]),
        ("L4-5 laminectomies 2015 and 2018", ["2015", "2018"]),
        ("Three lumbar ops (1998, 2004 and 2007) and a myelogram in 1996.", ["1998", "2004", "2007"]),
        ("PSH: lumbar laminectomy '09, fusion L4-S1 2012.", ["2009", "2012"]),
        ("T10 to pelvis fixation with rods in Feb 2021.", ["2021-02"]),
        ("laminectomies 2015", ["2015"]),
    ],
)
def test_operations_of_a_list_have_each_their_date(reader, text, dates):
    assert [date for _, _, date, _ in told(reader, text)] == dates


def test_parts_of_one_operation_share_its_date(reader):
    text = "She had a microdiscectomy in March 2021 and a revision decompression with TLIF at L4-5 on 22 April 2025."
    assert [(p, d) for p, _, d, _ in told(reader, text)] == [("microdiscectomy", "2021-03"), ("tlif", "2025-04-22")]
