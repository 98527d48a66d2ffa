"""The criteria language of the knowledge base, three-valued as in SQL (Kleene): met, unmet, unknown.

    all: [..]   any: [..]   not: ..   at_least: {count: 2, of: [..]}
    a_finding_id                              the finding is present
    {finding: id, suspected: true}            present or uncertain: of an emergency the suspicion is enough (`only`: uncertain, not present)
    {finding: id, suspected: true, cleared_by: [..]}    unless a finding that would show it is absent
    {finding: id, above: 200}                 its value; `above` and `below` are strict and may stand together
    {fact: age, above: 70}  {fact: fusion}    a fact of `reasoning.facts`; without bounds, that it is true

What the record does not say is unknown, and an unknown criterion becomes a question, never a silent yes or no.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from sequela.reasoning.facts import Fact, Settled

Truth = Literal["met", "unmet", "unknown"]


class Verdict(msgspec.Struct, frozen=True):
    """truth; basis: findings that decide it (or, while unknown, speak for it so far); unknown: what would have to be asked.

    Facts are not listed: they are read off the operations, not asked as findings.
    """

    truth: Truth
    basis: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def evaluate(criterion: Any, known: Mapping[str, Settled], facts: Mapping[str, Fact]) -> Verdict:
    """The verdict on one criterion. Raises ValueError when the criterion is not of the language."""
    if isinstance(criterion, str):
        return _finding(criterion, {}, known)
    if not isinstance(criterion, Mapping):
        raise ValueError(f"not a criterion: {criterion!r}")
    if "finding" in criterion:
        return _finding(criterion["finding"], criterion, known)
    if "fact" in criterion:
        return Verdict(_fact(criterion, facts))
    if len(criterion) != 1:
        raise ValueError(f"a criterion has one key, not {sorted(criterion)}")
    ((word, body),) = criterion.items()
    if word == "not":
        inner = evaluate(body, known, facts)
        return msgspec.structs.replace(inner, truth=_opposite(inner.truth))
    count, parts = _counted(word, body)
    return _at_least(count, [evaluate(part, known, facts) for part in parts])


def _counted(word: str, body: Any) -> tuple[int, list[Any]]:
    """`all`, `any` and `at_least` are one rule: how many of the parts must be met."""
    if word == "all":
        return len(body), list(body)
    if word == "any":
        return 1, list(body)
    if word == "at_least":
        return int(body["count"]), list(body["of"])
    raise ValueError(f"unknown word in criteria: {word!r}")


def _at_least(count: int, parts: list[Verdict]) -> Verdict:
    met = [part for part in parts if part.truth == "met"]
    open_ = [part for part in parts if part.truth == "unknown"]
    if len(met) >= count:
        return Verdict("met", _union(part.basis for part in met))
    if len(met) + len(open_) < count:
        return Verdict("unmet", _union(part.basis for part in parts if part.truth == "unmet"))
    return Verdict("unknown", _union(p.basis for p in [*met, *open_]), _union(p.unknown for p in open_))


def _union(groups: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id_ for group in groups for id_ in group))


def _opposite(truth: Truth) -> Truth:
    swapped: dict[Truth, Truth] = {"met": "unmet", "unmet": "met", "unknown": "unknown"}
    return swapped[truth]


def _finding(id_: str, bounds: Mapping[str, Any], known: Mapping[str, Settled]) -> Verdict:
    settled = known.get(id_)
    if "suspected" in bounds and settled is not None and settled.status != "absent":
        return _suspected(id_, settled, bounds, known)
    if settled is None or settled.status == "uncertain":
        return Verdict("unknown", unknown=(id_,))
    if _bounded(bounds) and settled.values:
        return Verdict("met" if any(_within(v, bounds) for v in settled.values) else "unmet", (id_,))
    if _bounded(bounds) and settled.status == "present":
        return Verdict("unknown", unknown=(id_,))  # present, but how much is not said
    return Verdict("met" if settled.status == "present" else "unmet", (id_,))


def _suspected(id_: str, settled: Settled, bounds: Mapping[str, Any], known: Mapping[str, Settled]) -> Verdict:
    """Present or uncertain, as a suspicion: it holds until a finding that would show the thing is denied."""
    if settled.status == "present":
        return Verdict("unmet" if bounds["suspected"] == "only" else "met", (id_,))
    clearing = [other for other in bounds.get("cleared_by", ()) if other in known and known[other].status == "absent"]
    return Verdict("unmet", tuple(clearing)) if clearing else Verdict("met", (id_,))


def _fact(criterion: Mapping[str, Any], facts: Mapping[str, Fact]) -> Truth:
    if criterion["fact"] not in facts:
        raise ValueError(f"unknown fact in criteria: {criterion['fact']!r}")
    value = facts[criterion["fact"]]
    if value is None:
        return "unknown"
    holds = _within(float(value), criterion) if _bounded(criterion) else bool(value)
    return "met" if holds else "unmet"


def _bounded(bounds: Mapping[str, Any]) -> bool:
    return "above" in bounds or "below" in bounds


def _within(value: float, bounds: Mapping[str, Any]) -> bool:
    above, below = bounds.get("above"), bounds.get("below")
    return (above is None or value > above) and (below is None or value < below)
