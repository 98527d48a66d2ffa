"""Red flags: rules over what the record says, never over the probability of a cause."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, get_args

from sequela.knowledge.model import Knowledge, RedFlag, Urgency
from sequela.knowledge.time_limit import hours
from sequela.reasoning.assessment import RaisedFlag
from sequela.reasoning.criteria import Verdict, evaluate
from sequela.reasoning.facts import Fact, Settled

URGENCIES: tuple[str, ...] = get_args(Urgency)
"""Most urgent first."""


class Judged(NamedTuple):
    flag: RedFlag
    verdict: Verdict


def judge(knowledge: Knowledge, known: Mapping[str, Settled], facts: Mapping[str, Fact]) -> tuple[Judged, ...]:
    """The verdict on every flag, most urgent first, then in the order of the knowledge base."""
    flags = sorted(knowledge.red_flags, key=lambda flag: URGENCIES.index(flag.urgency))
    return tuple(Judged(flag, evaluate(flag.criteria, known, facts)) for flag in flags)


def raised(judged: Sequence[Judged]) -> tuple[RaisedFlag, ...]:
    """The flags whose criteria are met, most urgent first; of several entries with one identifier the most urgent.

    A row of the evidence table is one danger at several degrees: the most urgent degree that is met silences the laxer ones.
    """
    met: dict[str, Judged] = {}
    for one in judged:
        if one.verdict.truth == "met":
            met.setdefault(one.flag.id, one)
    strictest: dict[int, tuple[int, float]] = {}
    for flag, _ in met.values():
        if flag.row is not None:
            strictest[flag.row] = min(_strictness(flag), strictest.get(flag.row, _strictness(flag)))
    shown = {
        id_: one for id_, one in met.items() if one.flag.row is None or _strictness(one.flag) == strictest[one.flag.row]
    }
    return tuple(_raise(flag, verdict, shown.keys()) for flag, verdict in shown.values())


def _strictness(flag: RedFlag) -> tuple[int, float]:
    """Least first: the urgency, then the hours of the time limit."""
    limit = hours(flag.time_limit)
    return URGENCIES.index(flag.urgency), math.inf if limit is None else limit


def _raise(flag: RedFlag, verdict: Verdict, met: Collection[str]) -> RaisedFlag:
    return RaisedFlag(
        id=flag.id,
        name=flag.name,
        urgency=flag.urgency,
        suspects=flag.suspects,
        action=_action(flag, met),
        time_limit=flag.time_limit,
        basis=verdict.basis,
        sources=flag.basis.sources,
        expert_estimate=flag.basis.expert_estimate,
    )


def _action(flag: RedFlag, met: Collection[str]) -> str:
    """What to do, and what to hold back unless another raised flag forbids holding it back."""
    restraint = flag.restraint
    if restraint is None or any(id_ in met for id_ in restraint.unless):
        return flag.action
    return f"{flag.action} {restraint.text}"
