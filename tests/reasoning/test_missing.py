"""What to ask next."""

from __future__ import annotations

from math import log2
from typing import Any

import pytest

from sequela.case import Course
from sequela.knowledge.model import Basis, Knowledge, RedFlag
from sequela.reasoning import reason
from sequela.reasoning.missing import information
from sequela.reasoning.network import compiled
from sequela.reasoning.prior import over_hypotheses

from . import brute
from .builders import SIZES, case, cause, finding, full, knowledge, manifestation


def asked(*said: str, on: Knowledge) -> list[str]:
    return [question.finding for question in reason(case(*said), on).missing]


def base(**more: Any) -> Knowledge:
    shown = [manifestation(f"g{i}", 0.1, **{"cd"[i % 2]: 0.9}) for i in range(12)]
    signs = [finding(f"f{i}", f"g{i}", 0.9 - 0.05 * i, 0.1 + 0.02 * i) for i in range(12)]
    return knowledge([cause("c"), cause("d")], shown, [*signs, *more.pop("findings", ())], **more)


def test_at_most_eight_the_most_telling_first() -> None:
    assert asked(on=base()) == [f"f{i}" for i in range(8)]


def test_what_is_answered_is_not_asked_but_what_is_uncertain_is() -> None:
    assert not {"f0", "f1"} & set(asked("f0", "-f1", on=base()))
    assert "f0" in asked("?f0", on=base())


def test_only_what_asking_or_examining_can_answer() -> None:
    scan = finding("scan", "g0", 0.99, 0.01, kind="mri")
    assert "scan" not in asked(on=base(findings=[scan]))


def test_one_question_per_manifestation() -> None:
    twin = finding("twin", "g0", 0.9, 0.1)
    assert len({"f0", "twin"} & set(asked(on=base(findings=[twin])))) == 1


def test_what_follows_from_an_answer_is_not_asked() -> None:
    base_ = base(findings=[finding("special", "g0", 0.99, 0.001, implies=("f1",))])
    assert "special" in asked(on=base_)
    assert "f1" not in asked("special", on=base_)
    assert "special" not in asked("-f1", on=base_)


def test_the_answer_that_decides_a_half_met_flag_comes_first() -> None:
    flag = RedFlag("x", "x", "", "emergency", (), "", "", {"all": ["f0", "f11"]}, Basis())
    assert asked("f0", on=base(red_flags=[flag]))[0] == "f11"
    assert "f11" not in asked(on=base(red_flags=[flag]))


def test_the_question_is_the_written_one_or_made_from_the_name() -> None:
    written = finding("f", "g", 0.9, 0.1, question="Can you pass water?")
    named = finding("h", "i", 0.9, 0.1)
    on = knowledge([cause("c")], [manifestation("g", 0.1, c=0.9), manifestation("i", 0.1, c=0.8)], [written, named])
    assert [question.question for question in reason(case(), on).missing] == ["Can you pass water?", "Is there h?"]


def test_information_is_the_mutual_information_with_each_cause_added_up() -> None:
    """Against plain enumeration: what the answer is expected to tell about each of the two causes."""
    shown = [manifestation("g", 0.2, c=0.7, d=0.3), manifestation("h", 0.1, d=0.6)]
    signs = [finding("f", "g", 0.8, 0.3), finding("k", "g", 0.6, 0.1), finding("m", "h", 0.7, 0.2)]
    on = knowledge([cause("c", 0.3), cause("d", 0.7)], shown, signs)
    from sequela.reasoning.differential import counted, posterior
    from sequela.reasoning.facts import known
    from sequela.reasoning.prior import weights

    one = case("k")
    findings = known(one, compiled(on))
    evidence = counted(one, on, findings)
    after = posterior(compiled(on), over_hypotheses(compiled(on), weights(one, on, findings), SIZES), evidence)
    bits = information(compiled(on), evidence, after)

    def chance(sign: str, answer: str, given: str | None, there: bool) -> float:
        """P(answer, cause state | k present), by Bayes from likelihoods of whole records."""
        total = 0.0
        for h, p in brute.prior(on, {"c": 0.3, "d": 0.7}).items():
            if given is None or (given in h) == there:
                total += p * brute._fit(on, h, {"k": "present", sign: answer})
        return total

    for f, sign in ((0, "f"), (2, "m")):
        expected = 0.0
        whole = sum(chance(sign, a, None, True) for a in ("present", "absent"))
        for cause_ in ("c", "d"):
            for answer in ("present", "absent"):
                for there in (True, False):
                    both = chance(sign, answer, cause_, there) / whole
                    p_answer = chance(sign, answer, None, True) / whole
                    p_cause = sum(chance(sign, a, cause_, there) for a in ("present", "absent")) / whole
                    expected += both * log2(both / (p_answer * p_cause))
        assert bits[f] == pytest.approx(expected, abs=1e-9)


def test_the_real_knowledge_base_always_has_something_to_ask() -> None:
    questions = reason(case("radicular_leg_pain"), full()).missing
    assert 0 < len(questions) <= 8
    assert all(question.question.endswith("?") for question in questions)


def test_what_no_longer_makes_sense_is_not_asked() -> None:
    fresh = finding("fresh", "g0", 0.99, 0.001, asked_if={"fact": "days_since_operation", "below": 42})
    on = base(findings=[fresh])

    def asked_after(days: float | None) -> bool:
        record = case(course=Course(elapsed_days=days))
        return "fresh" in [question.finding for question in reason(record, on).missing]

    assert asked_after(10.0)
    assert asked_after(None)  # unknown is asked
    assert not asked_after(700.0)


def test_a_sign_that_suffices_alone_is_asked_until_one_like_it_is_denied() -> None:
    """A flag with two alarm signs, and a pair of which half is there."""
    flag = RedFlag("x", "x", "", "emergency", (), "", "", {"any": ["f8", "f9", {"all": ["f0", "f10"]}]}, Basis())
    on = base(red_flags=[flag])
    assert asked("f0", on=on)[:3] == ["f10", "f8", "f9"]
    assert not {"f8", "f9"} & set(asked("f0", "-f8", on=on)[:2])
    assert asked("f0", "-f8", on=on)[0] == "f10"


def test_a_flag_is_asked_for_only_while_a_suspect_is_plausible() -> None:
    def first(suspect: str) -> str:
        flag = RedFlag("x", "x", "", "emergency", (suspect,), "", "", {"all": ["f0", "f11"]}, Basis())
        return asked(
            "f0", on=base(red_flags=[flag], needs={"d": "fusion"}) if suspect == "d" else base(red_flags=[flag])
        )[0]

    assert first("a_syndrome") == "f11"
    assert first("c") == "f11"


def test_the_real_questions_fit_the_patient() -> None:
    late = case(
        "axial_back_pain", "smoking", operations=["microdiscectomy"], course=Course("returned", elapsed_days=1500.0)
    )
    asked_ = {question.finding for question in reason(late, full()).missing}
    assert (
        not {"wound_dehiscence", "wound_erythema", "neurological_decline_after_surgery", "nonunion_stated_at_revision"}
        & asked_
    )
