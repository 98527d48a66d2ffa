"""Findings as combinations of concepts in one clause, in any order, under context (see docs/reading.md)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from sequela.knowledge.model import Lexicon, Rule
from sequela.records.text.lexicon import Span

Places = dict[str, list[Span]]
"""Concept (and broader concepts) -> its spans in a window of tokens."""


class CompiledRule(NamedTuple):
    finding: str
    rule: Rule
    items: tuple[tuple[str, ...], ...]
    order: int
    bit: int


class Match(NamedTuple):
    """A rule met by spans; extent: tokens from the first to past the last."""

    compiled: CompiledRule
    spans: tuple[Span, ...]
    start: int
    end: int


def later(compiled: CompiledRule) -> CompiledRule:
    """The second clause of a story as a rule of its own."""
    return compiled._replace(items=tuple(tuple(item.split("|")) for item in compiled.rule.then))


class RuleBook:
    """All rules, indexed by the concepts of their rarest-looking item so that a clause tries few of them."""

    def __init__(self, lexicon: Lexicon, spaces: dict[str, int]) -> None:
        self.index: dict[str, list[CompiledRule]] = {}
        compiled = [
            CompiledRule(finding, rule, tuple(tuple(item.split("|")) for item in rule.all), order, spaces[rule.space])
            for order, (finding, rule) in enumerate((f, r) for f, rules in lexicon.rules.items() for r in rules)
        ]
        frequency: dict[str, int] = {}
        self.stories = [rule for rule in compiled if rule.rule.then]
        compiled = [rule for rule in compiled if not rule.rule.then]
        for rule in compiled:
            for item in rule.items:
                for concept in item:
                    frequency[concept] = frequency.get(concept, 0) + 1
        for rule in compiled:
            anchor = min(rule.items, key=lambda item: sum(frequency[c] for c in item))
            for concept in anchor:
                self.index.setdefault(concept, []).append(rule)

    def matches(self, places: Places) -> list[Match]:
        """All rules met in this window, in the order of the knowledge base."""
        tried: dict[int, CompiledRule] = {}
        for concept in places:
            for rule in self.index.get(concept, ()):
                tried[rule.order] = rule
        found = []
        for order in sorted(tried):
            found += match(tried[order], places)
        return found


def match(compiled: CompiledRule, places: Places) -> list[Match]:
    """Every way the rule is met by the concepts of one window."""
    options = []
    for item in compiled.items:
        spans = [s for concept in item for s in places.get(concept, ()) if not s.hidden & compiled.bit]
        if not spans:
            return []
        options.append(spans)
    found: list[Match] = []
    for anchor in options[0]:
        chosen = _choose(options, [anchor], compiled.rule)
        if chosen is None:
            continue
        start, end = min(s.start for s in chosen), max(s.end for s in chosen)
        if _blocked(compiled, places, start, end):
            continue
        if not any(f.start == start and f.end == end for f in found):
            found.append(Match(compiled, tuple(chosen), start, end))
    return found


def _choose(options: Sequence[Sequence[Span]], chosen: list[Span], rule: Rule) -> list[Span] | None:
    """The nearest admissible span for every item, all within reach of one another; None when there is none."""
    if len(chosen) == len(options):
        return chosen if _close(chosen, rule) else None
    centre = chosen[0]
    for span in sorted(options[len(chosen)], key=lambda s: _distance(centre, s)):
        if any(span.start < c.end and c.start < span.end for c in chosen):
            continue
        if rule.ordered and span.start < chosen[-1].start:
            continue
        result = _choose(options, [*chosen, span], rule)
        if result is not None:
            return result
    return None


def _distance(one: Span, other: Span) -> int:
    return max(other.start - one.end, one.start - other.end)


def _close(chosen: Sequence[Span], rule: Rule) -> bool:
    spans = sorted(chosen, key=lambda s: s.start)
    return all(b.start - a.end <= rule.within for a, b in pairwise(spans))


_MARGIN = 6


def _blocked(compiled: CompiledRule, places: Places, start: int, end: int) -> bool:
    for concept in compiled.rule.none:
        for span in places.get(concept, ()):
            if not span.hidden & compiled.bit and span.start < end + _MARGIN and span.end > start - _MARGIN:
                return True
    return False
