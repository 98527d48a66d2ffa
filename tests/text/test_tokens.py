"""Folding of words, level and grade tokens, and where a sentence ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequela.records.text.tokens import segments, stem, tokenize


@pytest.mark.parametrize(
    "words",
    [
        ("haematoma", "hematoma", "haematomas"),
        ("narrow", "narrowing", "narrowed", "narrows"),
        ("fuse", "fused", "fusing", "fuses"),
        ("localised", "localized", "localise"),
        ("tumour", "tumors"),
        ("stenosis", "stenoses"),
        ("oedema", "edema"),
        ("drop", "dropped", "dropping"),
        ("move", "moved", "moving", "moves"),
        ("ache", "aching", "aches"),
    ],
)
def test_variants_of_a_word_fold_to_one_form(words):
    assert len({stem(w) for w in words}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("facet", "face"),
        ("root", "rot"),
        ("disc", "discuss"),
        ("numb", "number"),
        ("site", "sit"),
        ("care", "car"),
        ("noted", "not"),
        ("mets", "met"),
    ],
)
def test_different_words_stay_different(one, other):
    assert stem(one) != stem(other)


@pytest.mark.parametrize("text", ["L4-5", "L4/5", "L4-L5", "L5/S1", "L4–5", "L5S1", "L45", "T11-L3", "S1"])
def test_a_level_is_one_token(text):
    assert [(t.text, t.kind) for t in tokenize(f"at {text} there")][1] == (text, "level")


@pytest.mark.parametrize("text", ["T2-weighted images", "T1 weighted", "T1 and T2 images", "T2 hyperintense"])
def test_mri_weightings_are_not_vertebrae(text):
    assert "level" not in {t.kind for t in tokenize(text)[:1]}


def test_power_grade_is_one_token():
    assert [t.text for t in tokenize("power 4+/5 and 3/5") if t.kind == "grade"] == ["4+/5", "3/5"]


def _sentences(text):
    tokens = tokenize(text)
    return [text[tokens[s.start].start : tokens[s.end - 1].end] for s in segments(text, tokens)]


def test_sentences_end_at_full_stops_not_at_decimals_or_titles():
    assert _sentences("Dr. Smith found a 2.5 mm halo. It was new.") == ["Dr. Smith found a 2.5 mm halo.", "It was new."]


def test_adversatives_and_semicolons_separate_statements():
    assert _sentences("Power is full; the ankle jerk is absent but sensation is normal") == [
        "Power is full;",
        "the ankle jerk is absent",
        "but sensation is normal",
    ]


def test_a_wrapped_line_is_not_a_new_sentence():
    assert (
        len(
            _sentences("The screws at both sacral levels show a lucent rim of about\ntwo millimetres on the right side")
        )
        == 1
    )


def test_list_lines_are_separate_statements():
    assert len(_sentences("Findings:\n- no fracture\n- screws intact")) == 3


@given(st.text(max_size=300))
def test_offsets_always_point_at_the_token(text):
    for token in tokenize(text):
        assert text[token.start : token.end] == token.text
