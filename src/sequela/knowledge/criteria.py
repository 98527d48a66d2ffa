"""Form of the criteria language: is a criterion well formed. Which findings it asks for: `knowledge.leaves`.

`all`, `any`, `not`, `at_least: {count, of}`, or a leaf: a finding id, {finding, above|below}, {finding, suspected, cleared_by},
{fact, above|below} or, for a fact that is true or false, {fact}. Evaluating it on a case is `reasoning.criteria`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sequela.knowledge.documents import Place, Problem, closest

FACTS = (
    "days_since_operation",
    "onset_days_after_operation",
    "operations_count",
    "age",
    "male",
    "instrumented",
    "fusion",
    "fusion_or_decompression",
    "fused_to_sacrum",
    "long_fusion",
    "several_operations",
    "three_or_more_operations",
)
"""Facts computed from the case: days, days, a count, years; the others are 1 (true) or 0."""

_HEADS = ("all", "any", "not", "at_least", "finding", "fact")
_FORM = "write one of all, any, not, at_least, finding, fact"


def check_criteria(place: Place, criteria: Any, findings: Collection[str]) -> Iterator[Problem]:
    """What is wrong with the form, and every unknown finding or fact."""
    if isinstance(criteria, str):
        yield from _known(place, criteria, findings, "finding")
        return
    if not isinstance(criteria, dict):
        yield place.problem("is not a criterion", _FORM)
        return
    heads = [head for head in _HEADS if head in criteria]
    if len(heads) != 1:
        yield place.problem("needs exactly one of " + ", ".join(_HEADS), _FORM)
    elif heads[0] in ("finding", "fact"):
        yield from _comparison(place, criteria, heads[0], findings)
    elif len(criteria) > 1:
        extra = ", ".join(sorted(set(criteria) - {heads[0]}))
        yield place.problem(f"`{heads[0]}` stands beside {extra}", "nest one in the other")
    else:
        yield from _combination(place / heads[0], criteria[heads[0]], heads[0], findings)


def _combination(place: Place, inner: Any, head: str, findings: Collection[str]) -> Iterator[Problem]:
    if head == "not":
        yield from check_criteria(place, inner, findings)
    elif head == "at_least":
        yield from _at_least(place, inner, findings)
    else:
        yield from _members(place, inner, findings)


def _members(place: Place, members: Any, findings: Collection[str]) -> Iterator[Problem]:
    if not isinstance(members, list) or not members:
        yield place.problem("is not a list with a criterion in it", "write [criterion, criterion]")
        return
    for i, member in enumerate(members):
        yield from check_criteria(place / i, member, findings)


def _at_least(place: Place, inner: Any, findings: Collection[str]) -> Iterator[Problem]:
    if not isinstance(inner, dict) or set(inner) != {"count", "of"}:
        yield place.problem("needs count and of, nothing else", "write {count: n, of: [...]}")
        return
    yield from _members(place / "of", inner["of"], findings)
    count = inner["count"]
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= len(inner["of"] or ()):
        yield (place / "count").problem(f"{count} of these is never decided", "write 1 to the length of `of`")


def _comparison(place: Place, leaf: dict[str, Any], head: str, findings: Collection[str]) -> Iterator[Problem]:
    yield from _known(place / head, leaf[head], findings if head == "finding" else FACTS, head)
    bounds = {key: value for key, value in leaf.items() if key != head}
    if head == "finding" and "suspected" in bounds:
        yield from _suspicion(place, bounds, findings)
        return
    if set(bounds) - {"above", "below"} or (head == "finding" and not bounds):
        yield place.problem(
            "compares with nothing known", "write `above: number`, `below: number` or `suspected: true`"
        )
    for key, value in bounds.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield (place / key).problem(f"{value} is not a number", "write a number")


def _suspicion(place: Place, bounds: dict[str, Any], findings: Collection[str]) -> Iterator[Problem]:
    if set(bounds) - {"suspected", "cleared_by"} or bounds["suspected"] not in (True, "only"):
        yield place.problem(
            "is no suspicion", "write `suspected: true` or `only`, with `cleared_by: [findings]` or alone"
        )
    for i, other in enumerate(bounds.get("cleared_by", ())):
        yield from _known(place / "cleared_by" / i, other, findings, "finding")


def _known(place: Place, name: Any, known: Collection[str], kind: str) -> Iterator[Problem]:
    if not isinstance(name, str) or name not in known:
        where = "findings/*.yaml" if kind == "finding" else ", ".join(FACTS)
        yield place.problem(f'unknown {kind} "{name}"', closest(str(name), known, f"use one of {where}"))
