"""Dates, ages and intervals."""

import pytest

from sequela.records.text.time import heading_date, number, time_mentions


@pytest.mark.parametrize(
    ("text", "kind", "days"),
    [
        ("Two years ago he had", "ago", 730.5),
        ("five days ago", "ago", 5),
        ("three and a half years ago", "ago", 1278.4),
        ("ten days after the operation", "after", 10),
        ("On the fifth postoperative day", "after", 5),
        ("POD 9", "after", 9),
        ("six weeks post-op", "after", 42),
        ("ten to twelve weeks later", "after", 77),
        ("within the first three months after surgery", "after", 91.3),
        ("for the past two years", "duration", 730.5),
        ("a nine-year gap", "duration", 3287.2),
        ("Ever since that second operation", "after", 0.5),
        ("in the preceding year", "ago", 365.2),
    ],
)
def test_an_interval_is_read_with_its_meaning(text, kind, days):
    found = time_mentions(text)
    assert [(m.kind, round(m.days, 1)) for m in found] == [(kind, days)]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("in March 2019", "2019-03"),
        ("on 24 April 2015", "2015-04-24"),
        ("2021-02-03", "2021-02-03"),
        ("since 2013 she", "2013"),
    ],
)
def test_a_date_is_as_precise_as_it_was_written(text, date):
    assert [m.date for m in time_mentions(text)] == [date]


@pytest.mark.parametrize("text", ["She is a 63-year-old woman", "a 7 year old boy", "L4-5 was fused", "pain 7/10"])
def test_ages_and_numbers_are_not_intervals(text):
    assert time_mentions(text) == []


@pytest.mark.parametrize(
    ("words", "value"),
    [("twenty-two", 22), ("half a", 0.5), ("a couple of", 2), ("several", 5), ("12", 12), ("sometime", None)],
)
def test_numbers_in_words(words, value):
    assert number(words) == value


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("TLIF L4-5 (11/2021)", "2021-11"),
        ("Fusion L4/5 Jan 2019", "2019-01"),
        ("fusion L4-S1 2012", "2012"),
        ("laminectomy '09", "2009"),
        ("on 31 February 2023", "2023-02"),
    ],
)
def test_short_forms_and_impossible_days(text, date):
    assert [m.date for m in time_mentions(text)] == [date]


@pytest.mark.parametrize(
    ("text", "kind", "date"),
    [
        ("Spine clinic, 15 April 2026\n\nDear doctor, she was operated on 3 May 2020.", "letter", "2026-04-15"),
        ("FICTIONAL\n\nEmergency MRI of the lumbar spine, 6 March 2026, 07:10", "mri", "2026-03-06"),
        ("Date: 3/5/2024", "text", "2024-05-03"),
        ("12 March 2024\nDear Dr Patel", "letter", "2024-03-12"),
        ("Date of operation: 22 April 2025", "operation_note", "2025-04-22"),
        ("Date of operation: 22 April 2025", "letter", None),
        ("Re: Mr John Smith, DOB 12/03/1971", "letter", None),
        ("Left L4-5 microdiscectomy on 3 May 2023.", "letter", None),
        ("MRI compared with the previous scan of 3 May 2023", "mri", None),
    ],
)
def test_the_day_of_a_document_stands_in_its_heading(text, kind, date):
    assert heading_date(text, kind) == date


def test_a_line_end_inside_a_sentence_hides_no_interval():
    assert [(m.kind, m.days) for m in time_mentions("It was well for the\nfirst eight months.")] == [
        ("duration", 243.5)
    ]
