"""The criteria language: three-valued truth tables, comparisons, and what a verdict rests on."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequela.reasoning.criteria import Truth, Verdict, evaluate
from sequela.reasoning.facts import Fact, Settled

KNOWN = {
    "yes": Settled("present"),
    "no": Settled("absent"),
    "perhaps": Settled("uncertain"),
    "pvr": Settled("present", (120.0, 350.0)),
    "crp": Settled("absent", (4.0,)),
}
FACTS: dict[str, Fact] = {"age": 71.0, "fusion": True, "instrumented": False, "days_since_operation": None}
LEAF: dict[Truth, str] = {"met": "yes", "unmet": "no", "unknown": "not_said"}
ORDER: dict[Truth, int] = {"unmet": 0, "unknown": 1, "met": 2}
TRUTHS: tuple[Truth, ...] = ("met", "unmet", "unknown")


def truth(criterion: Any) -> Truth:
    return evaluate(criterion, KNOWN, FACTS).truth


@pytest.mark.parametrize("parts", list(product(TRUTHS, repeat=2)))
def test_all_and_any_are_kleene(parts: tuple[Truth, Truth]) -> None:
    leaves = [LEAF[part] for part in parts]
    assert truth({"all": leaves}) == min(parts, key=ORDER.__getitem__)
    assert truth({"any": leaves}) == max(parts, key=ORDER.__getitem__)


@pytest.mark.parametrize(("part", "opposite"), [("met", "unmet"), ("unmet", "met"), ("unknown", "unknown")])
def test_not_keeps_the_unknown(part: Truth, opposite: Truth) -> None:
    assert truth({"not": LEAF[part]}) == opposite


@pytest.mark.parametrize("parts", list(product(TRUTHS, repeat=3)))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_at_least_is_what_every_answer_to_the_unknown_would_agree_on(parts: tuple[Truth, ...], count: int) -> None:
    worlds = product(*([True, False] if part == "unknown" else [part == "met"] for part in parts))
    answers = {sum(world) >= count for world in worlds}
    expected = "unknown" if len(answers) == 2 else ("met" if answers == {True} else "unmet")
    assert truth({"at_least": {"count": count, "of": [LEAF[part] for part in parts]}}) == expected


nested = st.recursive(
    st.sampled_from([*LEAF.values(), "perhaps"]),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)


def opposite_of(criterion: Any) -> Any:
    """De Morgan, written out."""
    if isinstance(criterion, str):
        return {"not": criterion}
    ((word, body),) = criterion.items()
    if word == "not":
        return body
    return {"any" if word == "all" else "all": [opposite_of(part) for part in body]}


@given(nested)
def test_de_morgan(criterion: Any) -> None:
    assert truth({"not": criterion}) == truth(opposite_of(criterion))


@given(nested, st.sampled_from(["present", "absent"]))
def test_an_answer_never_overturns_a_verdict(criterion: Any, answer: Any) -> None:
    before = evaluate(criterion, KNOWN, FACTS)
    after = evaluate(criterion, KNOWN | {"not_said": Settled(answer), "perhaps": Settled(answer)}, FACTS)
    assert after.truth != "unknown"
    assert before.truth in ("unknown", after.truth)


@given(nested)
def test_a_verdict_names_what_is_unknown_only_while_it_is_open(criterion: Any) -> None:
    verdict = evaluate(criterion, KNOWN, FACTS)
    assert bool(verdict.unknown) == (verdict.truth == "unknown")
    assert set(verdict.basis) <= {"yes", "no"}
    assert set(verdict.unknown) <= {"not_said", "perhaps"}


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        ("perhaps", "unknown"),
        ({"finding": "yes"}, "met"),
        ({"finding": "pvr", "above": 200}, "met"),
        ({"finding": "pvr", "above": 350}, "unmet"),  # strictly above
        ({"finding": "pvr", "below": 120}, "unmet"),
        ({"finding": "pvr", "above": 130, "below": 340}, "unmet"),
        ({"finding": "crp", "below": 5}, "met"),
        ({"finding": "crp", "above": 5}, "unmet"),
        ({"finding": "yes", "above": 5}, "unknown"),  # present, but how much is not said
        ({"finding": "no", "above": 5}, "unmet"),
        ({"finding": "not_said", "above": 5}, "unknown"),
        ({"finding": "perhaps", "suspected": True}, "met"),
        ({"finding": "yes", "suspected": True}, "met"),
        ({"finding": "no", "suspected": True}, "unmet"),
        ({"finding": "not_said", "suspected": True}, "unknown"),
        ({"finding": "perhaps", "suspected": "only"}, "met"),
        ({"finding": "yes", "suspected": "only"}, "unmet"),
        ({"finding": "perhaps", "suspected": True, "cleared_by": ["no"]}, "unmet"),
        ({"finding": "perhaps", "suspected": True, "cleared_by": ["yes", "not_said"]}, "met"),
        ({"finding": "yes", "suspected": True, "cleared_by": ["no"]}, "met"),
        ({"fact": "age", "above": 70}, "met"),
        ({"fact": "age", "below": 71}, "unmet"),
        ({"fact": "days_since_operation", "below": 14}, "unknown"),
        ({"fact": "fusion"}, "met"),
        ({"fact": "instrumented"}, "unmet"),
        ({"fact": "fusion", "above": 0.5}, "met"),
    ],
)
def test_leaves(leaf: Any, expected: Truth) -> None:
    assert truth(leaf) == expected


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({"all": ["yes", "not_said"]}, Verdict("unknown", ("yes",), ("not_said",))),
        ({"all": ["yes", "no", "not_said"]}, Verdict("unmet", ("no",))),
        ({"any": ["yes", "no", "not_said"]}, Verdict("met", ("yes",))),
        ({"any": ["no", {"all": ["yes", "pvr"]}]}, Verdict("met", ("yes", "pvr"))),
        ({"not": "no"}, Verdict("met", ("no",))),
        ({"all": ["yes", "yes", {"fact": "fusion"}]}, Verdict("met", ("yes",))),
    ],
)
def test_a_verdict_says_what_it_rests_on(criterion: Any, expected: Verdict) -> None:
    assert evaluate(criterion, KNOWN, FACTS) == expected


@pytest.mark.parametrize(
    "wrong", [{"none": ["yes"]}, {"all": ["yes"], "any": ["no"]}, {"fact": "shoe_size"}, 7, {}, ["yes"]]
)
def test_what_is_not_of_the_language_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="criteri"):
        truth(wrong)
