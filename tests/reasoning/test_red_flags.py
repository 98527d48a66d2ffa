"""Red flags come from what the record says, and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sequela.case import Course
from sequela.knowledge.model import Basis, Knowledge, RedFlag, Restraint
from sequela.reasoning import reason

from .builders import case, cause, finding, full, knowledge, manifestation


def flag(id_: str, urgency: Any, criteria: Any) -> RedFlag:
    return RedFlag(id_, id_, "", urgency, ("c",), "Act.", "now", criteria, Basis(sources=("study",)))


def flagged(*flags: RedFlag) -> Knowledge:
    signs = [finding(id_, "g", 0.9, 0.01) for id_ in ("numb", "retention", "fever", "strong")]
    return knowledge([cause("c"), cause("d")], [manifestation("g", 0.02, c=0.95)], signs, red_flags=flags)


def test_a_met_flag_is_raised_with_its_basis() -> None:
    (raised,) = reason(case("numb"), flagged(flag("equina", "emergency", {"any": ["numb", "retention"]}))).red_flags
    assert (raised.id, raised.urgency, raised.basis, raised.sources) == ("equina", "emergency", ("numb",), ("study",))


@pytest.mark.parametrize("said", [(), ("-numb",), ("?numb",), ("fever",)])
def test_what_is_not_said_denied_or_only_suspected_raises_nothing(said: tuple[str, ...]) -> None:
    assert reason(case(*said), flagged(flag("equina", "emergency", "numb"))).red_flags == ()


def test_the_most_urgent_comes_first_and_each_once() -> None:
    flags = [
        flag("later", "within_2_weeks", "numb"),
        flag("soon", "same_day", "numb"),
        flag("now", "emergency", "numb"),
        flag("soon", "within_72h", "numb"),
    ]
    raised = reason(case("numb"), flagged(*flags)).red_flags
    assert [(one.id, one.urgency) for one in raised] == [
        ("now", "emergency"),
        ("soon", "same_day"),
        ("later", "within_2_weeks"),
    ]


def test_a_laxer_flag_of_the_same_row_is_silent_and_another_row_is_not() -> None:
    flags = [
        replace(flag("soon", "same_day", "numb"), row=7),
        replace(flag("later", "within_72h", "numb"), row=7),
        replace(flag("slower", "same_day", "numb"), row=7, time_limit="48 h"),
        replace(flag("other", "within_72h", "numb"), row=8),
    ]
    raised = reason(case("numb"), flagged(*flags)).red_flags
    assert [one.id for one in raised] == ["soon", "other"]


def test_what_to_hold_back_is_said_unless_another_flag_forbids_it() -> None:
    held = replace(flag("wound", "same_day", "numb"), restraint=Restraint("Hold back.", ("meningitis",)))
    flags = flagged(held, flag("meningitis", "emergency", "fever"))
    assert [one.action for one in reason(case("numb"), flags).red_flags] == ["Act. Hold back."]
    assert [one.action for one in reason(case("numb", "fever"), flags).red_flags] == ["Act.", "Act."]


def test_a_suspicion_is_the_flag_where_the_rule_says_so() -> None:
    suspected = flagged(flag("equina", "emergency", {"finding": "numb", "suspected": True}))
    (raised,) = reason(case("?numb"), suspected).red_flags
    assert raised.basis == ("numb",)
    assert reason(case("-numb"), suspected).red_flags == ()


def test_a_flag_says_whether_it_is_an_estimate() -> None:
    estimate = replace(flag("equina", "emergency", "numb"), basis=Basis(expert_estimate=True))
    (raised,) = reason(case("numb"), flagged(estimate)).red_flags
    assert (raised.sources, raised.expert_estimate) == ((), True)


def test_a_probable_cause_raises_no_flag() -> None:
    found = reason(case("strong"), flagged(flag("equina", "emergency", "numb")))
    assert found.causes[0].probability > 0.9
    assert found.red_flags == ()


def test_a_later_denial_withdraws_the_flag() -> None:
    from .builders import observed

    said = [observed("fever", date="2020-01-01"), observed("-fever", date="2020-02-01")]
    assert reason(case(*said), flagged(flag("infection", "same_day", "fever"))).red_flags == ()


@pytest.mark.parametrize(
    ("said", "course", "expected"),
    [
        (("saddle_anaesthesia", "urinary_retention"), Course(), "emergency"),
        (("fever", "wound_drainage", "axial_back_pain"), Course(), "same_day"),
        (("neurological_decline_after_surgery",), Course(elapsed_days=2), "emergency"),
    ],
)
def test_the_real_flags(said: tuple[str, ...], course: Course, expected: str) -> None:
    assert reason(case(*said, course=course), full()).red_flags[0].urgency == expected


@pytest.mark.parametrize("said", [(), ("radicular_leg_pain", "axial_back_pain", "slr_positive", "mri_recurrent_disc")])
def test_an_ordinary_record_raises_none(said: tuple[str, ...]) -> None:
    assert reason(case(*said, operations=["microdiscectomy"]), full()).red_flags == ()
