"""Dates, ages and intervals."""

import pytest

from sequela.records.text.time import number, time_mentions


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
