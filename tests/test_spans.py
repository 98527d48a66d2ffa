import pytest

from sequela.report.spans import in_words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.04, "1 hour"),
        (0.4, "10 hours"),
        (2, "2 days"),
        (59, "59 days"),
        (61, "2 months"),
        (400, "13 months"),
        (731, "2 years"),
        (5844, "16 years"),
    ],
)
def test_a_span_is_told_as_a_clinician_would(days, words):
    assert in_words(days) == words
