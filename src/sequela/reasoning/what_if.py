"""What if: the same record with some findings answered otherwise, and how the ranking moves. Nothing is read again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from sequela.case import Case, Observation, Status
from sequela.knowledge.model import Knowledge
from sequela.reasoning import reason
from sequela.reasoning.assessment import Assessment

Said = str | float | bool
_STATUS: dict[str, Status] = {
    "present": "present",
    "yes": "present",
    "true": "present",
    "absent": "absent",
    "no": "absent",
    "false": "absent",
    "uncertain": "uncertain",
}


class NotUnderstood(ValueError):
    """A change that names no finding, or gives it no status or number; the message says what to write instead."""


class Limit(NamedTuple):
    """A number beyond `above` or `below` makes the finding present; within, absent."""

    finding: str
    above: float | None
    below: float | None
    unit: str | None

    def status(self, value: float) -> Status:
        low = self.above is None or value > self.above
        return "present" if low and (self.below is None or value < self.below) else "absent"


class Move(msgspec.Struct, frozen=True):
    """before, after: posterior probability of the cause."""

    id: str
    name: str
    before: float
    after: float


class WhatIf(msgspec.Struct, frozen=True):
    """changed: the findings as assumed. moves: every cause, by its probability after. before and after: both assessments."""

    changed: tuple[Observation, ...]
    moves: tuple[Move, ...]
    before: Assessment
    after: Assessment

    def document(self) -> dict[str, Any]:
        """What the `what_if` of the assessment document says."""
        return {
            "changed": [{"id": o.id, "status": o.status, "value": o.value, "unit": o.unit} for o in self.changed],
            "causes": [msgspec.to_builtins(move) for move in self.moves],
            "red_flags": [flag.id for flag in self.after.red_flags],
            "next_tests": [test["id"] for test in self.after.next_tests],
        }


def what_if(before: Assessment, changes: Mapping[str, Said], knowledge: Knowledge) -> WhatIf:
    """The assessment again with the findings changed. Raises NotUnderstood."""
    changed = [o for name, said in changes.items() for o in assumed(name, said, knowledge)]
    after = reason(changed_case(before.case, changed), knowledge)
    then = {cause.id: cause.probability for cause in before.causes}
    moves = tuple(Move(c.id, c.name, then[c.id], c.probability) for c in after.causes)
    return WhatIf(tuple(changed), moves, before, after)


def changed_case(case: Case, changed: list[Observation]) -> Case:
    """The case with these observations instead of what it says of the same findings."""
    new = {o.id for o in changed}
    kept = tuple(o for o in case.observations if o.id not in new)
    return msgspec.structs.replace(case, observations=(*kept, *changed))


def parse(texts: list[str]) -> dict[str, str]:
    """`["crp=85"]` -> {"crp": "85"}. Raises NotUnderstood."""
    changes: dict[str, str] = {}
    for text in texts:
        name, equals, said = (part.strip() for part in text.partition("="))
        if not (name and equals and said):
            raise NotUnderstood(
                f'"{text}" is no change; write finding=present, finding=absent, finding=uncertain or finding=number'
            )
        changes[name] = said
    return changes


def assumed(name: str, said: Said, knowledge: Knowledge) -> list[Observation]:
    """The findings that the change states: a status says one finding, a number every finding that rests on it."""
    findings = {finding.id: finding for finding in knowledge.findings}
    status = _status(said)
    key = name.strip().lower().replace(" ", "_").replace("-", "_")
    if status is not None:
        return [Observation(_named(key, name, knowledge, findings), status)]
    value = _number(name, said)
    limits = _limits(knowledge)
    if key in limits:
        return [Observation(x.finding, x.status(value), value, x.unit) for x in limits[key]]
    finding = _named(key, name, knowledge, findings, limits)
    own = [x for group in limits.values() for x in group if x.finding == finding]
    if own:
        return [Observation(finding, own[0].status(value), value, own[0].unit)]
    raise NotUnderstood(f"{finding} has no number; write {finding}=present, absent or uncertain")


def _status(said: Said) -> Status | None:
    if isinstance(said, bool):
        return "present" if said else "absent"
    return _STATUS.get(said.strip().lower()) if isinstance(said, str) else None


def _number(name: str, said: Said) -> float:
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NotUnderstood(
            f'"{said}" for {name} is neither a status nor a number; write present, absent, uncertain or a number'
        )
    if value < 0.0:  # reports drop the sign ("T-score 2.5"), and so do the limits
        raise NotUnderstood(f'"{said}" for {name} is below 0; write {name}=present or {name}=absent')
    return value


def _named(
    key: str, name: str, knowledge: Knowledge, findings: Mapping[str, Any], also: Mapping[str, Any] | None = None
) -> str:
    """The finding of that identifier, name or label; a measure by its name when it rests on one finding."""
    if key in findings:
        return key
    words = name.strip().casefold()
    called = [f.id for f in knowledge.findings if words in (f.name.casefold(), (f.label or "").casefold())]
    if len(called) == 1:
        return called[0]
    measured = _limits(knowledge).get(key, [])
    if len(measured) == 1:
        return measured[0].finding
    if measured:
        which = " or ".join(x.finding for x in measured)
        raise NotUnderstood(f'"{name}" is a number; write {name}=value, or name {which}')
    from sequela.knowledge.documents import (
        closest,  # here: it brings the YAML parser, which nothing else on this way needs
    )

    mend = closest(key, [*findings, *(also or ())], "sequela explain lists findings by identifier")
    raise NotUnderstood(f'no finding is called "{name}"; {mend}')


def _limits(knowledge: Knowledge) -> dict[str, list[Limit]]:
    """By the name of what is measured: the limits that the reading rules give ("CRP above 10").

    Only rules that ask for nothing but the number: "CRP at day 7 above 79" holds for day 7 alone.
    """
    limits: dict[str, list[Limit]] = {}
    for finding, rules in knowledge.lexicon.rules.items():
        for rule in rules:
            bounded = rule.above is not None or rule.below is not None
            if (
                rule.value is None
                or not bounded
                or rule.all != (rule.value,)
                or rule.then
                or rule.onset_below is not None
            ):
                continue
            group = limits.setdefault(rule.value.rpartition(".")[2], [])
            if finding not in {x.finding for x in group}:
                group.append(Limit(finding, rule.above, rule.below, rule.unit))
    return limits
