"""Reading grades against texts whose grade is known, and syllables against a dictionary's count."""

from __future__ import annotations

import pytest

from sequela.knowledge import load
from sequela.knowledge.readability import HIGHEST, grade, syllables

# Counted in a pronouncing dictionary.
COUNTED = (
    "pain 1|surgery 3|operation 4|nerve 1|bladder 2|numbness 2|weakness 2|infection 3|treated 2|needed 2|walked 1|examination 5|area 3|"
    "idea 3|muscle 2|cause 1|taken 2|being 2|science 2|patient 2|special 2|social 2|quality 3|violent 3|region 2|lion 2"
)


@pytest.mark.parametrize("pair", COUNTED.split("|"))
def test_syllables(pair: str) -> None:
    word, count = pair.split()
    assert syllables(word) == int(count)


def test_grade_is_the_published_formula() -> None:
    """Six words of one syllable come out below zero, which is zero; seven words with sixteen syllables do not."""
    assert grade("The cat sat on the mat.") == 0.0
    assert grade("Doctors often measure pressure after major operations.") == pytest.approx(
        0.39 * 7 + 11.8 * 16 / 7 - 15.59
    )
    assert grade("") == 0.0


def test_shorter_sentences_are_easier() -> None:
    one = "New weakness in the legs, and numbness between them, and trouble with the bladder are an emergency."
    assert grade(one.replace(", and", ". Also")) < grade(one)


def test_every_text_for_patients_is_easy_to_read() -> None:
    known = load()
    for one in (*known.causes, *known.red_flags, *known.tests):
        assert grade(one.plain) <= HIGHEST, one.plain
