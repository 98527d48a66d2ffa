"""Levels, sides, and where a finding lies relative to the operation."""

import pytest

from sequela.case import Operation
from sequela.records.text import levels as lv
from sequela.records.text.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("L4-5", ("L4-L5",)),
        ("L5/S1", ("L5-S1",)),
        ("L5-1", ("L5-S1",)),
        ("L3-4-5", ("L3-L4", "L4-L5")),
        ("T12-L2", ("T12-L1", "L1-L2")),
        ("L45", ("L4-L5",)),
    ],
)
def test_a_written_level_names_its_segments(text, segments):
    assert lv.segments_between(lv.vertebrae(text)) == segments


@pytest.mark.parametrize("text", ["L7", "L4-9", "S8", "T13-14"])
def test_impossible_levels_are_not_guessed(text):
    assert lv.vertebrae(text) == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [("fused from L3 to S1", "L3-S1"), ("L3 through L5", "L3-L5"), ("from T12 to the sacrum", "T12-S1")],
)
def test_ranges_in_words(text, name):
    tokens = tokenize(text)
    assert [lv.level_name(n) for n, _ in lv.levels_in(tokens, 0, len(tokens))] == [name]


FUSED = lv.blocks([Operation("tlif", levels=("L4-L5", "L5-S1"))])


@pytest.mark.parametrize(
    ("level", "relation"),
    [
        ("L4-L5", "operated"),
        ("L5", "operated"),
        ("L3-L4", "adjacent"),
        ("L3", "adjacent"),
        ("L2-L3", "remote"),
        ("L3-L5", "operated"),
    ],
)
def test_relation_to_an_operated_block(level, relation):
    assert lv.relation(level, FUSED) == relation


def test_relation_is_unknown_without_levels():
    assert lv.relation("L4-L5", lv.blocks([Operation("fusion")])) is None
    assert lv.relation(None, FUSED) is None


def test_a_level_operated_once_stays_operated_whatever_else_was_done():
    operations = [Operation("tlif", levels=("L4-L5",)), Operation("laminectomy", levels=("L2-L3",))]
    assert lv.relation("L2-L3", lv.blocks(operations)) == "operated"
