"""Small knowledge bases and cases for the tests of the reasoning, and the full one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sequela.case import Case, Course, Observation, Operation
from sequela.knowledge import load
from sequela.knowledge.model import (
    Basis,
    Cause,
    CoursePrior,
    Finding,
    Given,
    Knowledge,
    Lexicon,
    Likelihood,
    Manifestation,
    Needs,
    Number,
    Priors,
    Procedure,
    RedFlag,
    Risk,
    Sizes,
    Timing,
)
from sequela.knowledge.model import Test as DiagnosticTest

NO_BASIS = Basis()
SIZES = Sizes(none=0.03, one=0.62, two=0.28, three=0.07, basis=NO_BASIS)
PROCEDURES = (
    Procedure("disc", "Disc", "discectomy", ("decompression",)),
    Procedure("lami", "Laminectomy", "decompression", ("decompression",)),
    Procedure("fuse", "Fusion", "fusion", ("fusion",)),
    Procedure("screws", "Instrumented fusion", "fusion", ("fusion", "instrumented")),
    Procedure("surgery", "Surgery", "any"),
)


def cause(id_: str, prior: float | Mapping[str, float] = 0.1, grade: str = "B", **mechanism: float) -> Cause:
    shares = (
        prior if isinstance(prior, Mapping) else dict.fromkeys(("any", "discectomy", "decompression", "fusion"), prior)
    )
    basis = Basis(grade=grade)
    return Cause(id_, id_.title(), "", "", mechanism or {"mechanical": 1.0}, dict(shares), basis)


def manifestation(id_: str, leak: float, **links: float) -> Manifestation:
    return Manifestation(id_, id_.title(), leak, NO_BASIS, links)


def finding(id_: str, shows: str, present: float, absent: float, **more: Any) -> Finding:
    return Finding(id_, id_.title(), shows, NO_BASIS, given=Given(present, absent), **more)


def knowledge(
    causes: Sequence[Cause],
    manifestations: Sequence[Manifestation],
    findings: Sequence[Finding],
    *,
    red_flags: Sequence[RedFlag] = (),
    tests: Sequence[DiagnosticTest] = (),
    sizes: Sizes = SIZES,
    needs: Mapping[str, str] | None = None,
    course: Mapping[str, Mapping[str, float]] | None = None,
    timing: Sequence[Timing] = (),
    risk: Sequence[Risk] = (),
    referral: float = 0.0,
) -> Knowledge:
    priors = Priors(
        sizes=sizes,
        cap=Number(8.0, NO_BASIS),
        unknown_operation=Number(0.001, NO_BASIS),
        referral=Number(referral, NO_BASIS),
        needs=Needs(dict(needs or {}), NO_BASIS),
        course={name: CoursePrior(dict(m), NO_BASIS) for name, m in (course or {}).items()},
        timing=tuple(timing),
        risk=tuple(risk),
    )
    return Knowledge(
        version="test",
        causes=tuple(causes),
        manifestations=tuple(manifestations),
        findings=tuple(findings),
        likelihoods=tuple(likelihood(one) for one in findings),
        priors=priors,
        procedures=PROCEDURES,
        red_flags=tuple(red_flags),
        tests=tuple(tests),
        lexicon=Lexicon((), {}, {}),
        derived=(),
    )


def likelihood(one: Finding) -> Likelihood:
    assert one.given is not None
    p, q = one.given.present, one.given.absent
    return Likelihood((p, q), (1.0 - p, 1.0 - q), (0.3 + 0.1 * p, 0.3 + 0.1 * q))


def case(*observations: str | Observation, operations: Sequence[str | Operation] = (), **more: Any) -> Case:
    """A case from findings written "id" (present), "-id" (absent) or "?id" (uncertain), and operations by procedure."""
    course = more.pop("course", Course())
    return Case(
        observations=tuple(observed(o) if isinstance(o, str) else o for o in observations),
        operations=tuple(Operation(o) if isinstance(o, str) else o for o in operations),
        course=course if isinstance(course, Course) else Course(pattern=course),
        **more,
    )


def observed(word: str, **more: Any) -> Observation:
    if word[0] == "-":
        return Observation(word[1:], "absent", **more)
    return Observation(word[1:], "uncertain", **more) if word[0] == "?" else Observation(word, "present", **more)


@cache
def full() -> Knowledge:
    """The real knowledge base."""
    return load()
