"""Facts of a case: what the operations, dates and patient say, and None for what they do not."""

from __future__ import annotations

import pytest

from sequela.case import Case, Course, Document, Operation, Patient
from sequela.reasoning.facts import Fact, facts_of

from .builders import case, cause, knowledge

BASE = knowledge([cause("c")], [], [])


def fact(name: str, one: Case) -> Fact:
    return facts_of(one, BASE)[name]


@pytest.mark.parametrize(
    ("operations", "instrumented", "fusion"),
    [
        ([], None, None),
        (["surgery"], None, None),
        (["never heard of"], None, None),
        (["disc"], False, False),
        (["fuse"], None, True),
        (["screws"], True, True),
        (["disc", "surgery"], None, None),
        (["disc", "screws"], True, True),
        ([Operation("fuse", implants=("pedicle screws",))], True, True),
    ],
)
def test_what_the_operations_made_possible(
    operations: list[str | Operation], instrumented: bool | None, fusion: bool | None
) -> None:
    one = case(operations=operations)
    assert fact("instrumented", one) is instrumented
    assert fact("fusion", one) is fusion


@pytest.mark.parametrize(
    ("operations", "sacrum", "long"),
    [
        ([], None, None),
        ([Operation("disc", ("L5-S1",))], False, False),
        ([Operation("screws", ("L5-S1",))], True, False),
        ([Operation("screws", ("L3-L4", "L4-L5"))], False, False),
        ([Operation("screws", ("L2-L3", "L3-L4", "L4-L5"))], False, True),
        ([Operation("screws", ("L4-L5",)), Operation("screws", ("L3-L4", "L5-S1"))], True, True),
        ([Operation("screws")], None, None),
        ([Operation("screws"), Operation("screws", ("L5-S1",))], True, None),
    ],
)
def test_how_far_the_fusion_reaches(operations: list[Operation], sacrum: bool | None, long: bool | None) -> None:
    one = case(operations=operations)
    assert fact("fused_to_sacrum", one) is sacrum
    assert fact("long_fusion", one) is long


def test_counting_operations() -> None:
    assert [fact("operations_count", case(operations=["disc"] * n)) for n in range(4)] == [None, 1, 2, 3]
    assert [fact("several_operations", case(operations=["disc"] * n)) for n in range(4)] == [None, False, True, True]
    assert fact("three_or_more_operations", case(operations=["disc"] * 3)) is True


@pytest.mark.parametrize(
    ("one", "days"),
    [
        (case(), None),
        (case(course=Course(elapsed_days=5), operations=[Operation("disc", months_ago=3)]), 5),
        (case(operations=[Operation("disc", months_ago=2)]), pytest.approx(60.9, abs=0.1)),
        (
            case(operations=[Operation("disc", date="2020-03-01")], documents=(Document("a", "", date="2020-03-11"),)),
            10,
        ),
        (case(operations=[Operation("disc", date="2020-03")], documents=(Document("a", "", date="2020-04-15"),)), 31),
        (case(operations=[Operation("disc", date="2019")], documents=(Document("a", "", date="2020-04-15"),)), None),
        (
            case(operations=[Operation("disc", date="2021-01-01")], documents=(Document("a", "", date="2020-04-15"),)),
            None,
        ),
        (
            case(operations=[Operation("disc", date="nonsense")], documents=(Document("a", "", date="2020-04-15"),)),
            None,
        ),
        (case(operations=[Operation("disc", months_ago=60), Operation("disc", months_ago=0)]), 0),
    ],
)
def test_days_since_the_latest_operation(one: Case, days: float | None) -> None:
    assert fact("days_since_operation", one) == days


def test_age() -> None:
    later = (Document("a", "", date="2020-06-30"),)
    assert fact("age", case(patient=Patient(age=44))) == 44
    assert fact("age", case(patient=Patient(birth_date="1950-07-01"), documents=later)) == 69
    assert fact("age", case(patient=Patient(birth_date="1950-06-30"), documents=later)) == 70
    assert fact("age", case(patient=Patient(birth_date="1950-06-30"))) is None


def test_onset() -> None:
    assert fact("onset_days_after_operation", case(course=Course(interval_days=3))) == 3
    assert fact("onset_days_after_operation", case()) is None
