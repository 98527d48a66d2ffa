"""Red flags: rules over what the record says, never over the probability of a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from sequela.knowledge.model import Knowledge, RedFlag, Urgency
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
    """The flags whose criteria are met, most urgent first; of several entries with one identifier the most urgent."""
    flags: dict[str, RaisedFlag] = {}
    for flag, verdict in judged:
        if verdict.truth == "met":
            flags.setdefault(flag.id, _raise(flag, verdict))
    return tuple(flags.values())


def half_met(judged: Sequence[Judged], known: Mapping[str, Settled]) -> tuple[str, ...]:
    """Findings that decide a flag for which something that is present already speaks, most urgent flag first."""
    open_ = [
        verdict.unknown
        for _, verdict in judged
        if verdict.truth == "unknown" and any(known[id_].status == "present" for id_ in verdict.basis)
    ]
    return tuple(dict.fromkeys(id_ for findings in open_ for id_ in findings))


def _raise(flag: RedFlag, verdict: Verdict) -> RaisedFlag:
    return RaisedFlag(
        id=flag.id,
        name=flag.name,
        urgency=flag.urgency,
        suspects=flag.suspects,
        action=flag.action,
        time_limit=flag.time_limit,
        basis=verdict.basis,
        sources=flag.basis.sources,
    )
