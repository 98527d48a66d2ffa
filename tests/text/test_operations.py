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
