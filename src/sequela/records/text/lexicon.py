"""Find concepts in tokens: a trie over word forms, longest match first.

Forms may use: `word*` (prefix), `#` (a number), `@level`, `@grade` (3/5), `...` (up to four tokens between), CAPS (only in capitals).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from sequela.knowledge.cache import Cache, signature
from sequela.knowledge.model import Concept, Lexicon
from sequela.records.text.tokens import Token, stem, tokenize

_END = ""
_GAP = "..."
_MAX_GAP = 4
ALL = -1
"""Every chapter, as a bit mask."""


class Span(NamedTuple):
    """A concept at tokens[start:end]. hidden: bits of the chapters in which a longer form hides it."""

    concept: str
    start: int
    end: int
    hidden: int = 0


Node = dict[str, Any]
"""Key of the next word -> node; under the empty key the concepts that end here."""


class Trie(msgspec.Struct):
    """Word forms by their first key, each subtree packed until a text holds that word. prefixes: length -> first letters.

    A letter uses some hundred of the many thousand first words, and unpacking the rest would cost more than reading the letter.
    """

    packed: dict[str, msgspec.Raw]
    prefixes: dict[int, set[str]]


class Matcher:
    """Compiled lexicon: the trie, and for each concept itself with all broader concepts."""

    def __init__(self, lexicon: Lexicon, version: str = "") -> None:
        parents = {c.id: c.is_ for c in lexicon.concepts}
        self.closure = {c: _ancestors(c, parents) for c in parents}
        self.closure |= {"!" + name: ("!" + name,) for name in lexicon.triggers}
        spaces = {c.space for c in lexicon.concepts} | {r.space for rs in lexicon.rules.values() for r in rs}
        self.spaces = {name: 1 << n for n, name in enumerate(sorted(spaces))}
        self.bit = {c.id: _hides(c, self.spaces) for c in lexicon.concepts}
        compiled = _cached(lexicon, version) if version else _compile(lexicon)
        self._packed, self.prefixes = compiled.packed, compiled.prefixes
        self._nodes: dict[str, Node | None] = {}
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}

    def keys(self, token: Token) -> tuple[str, ...]:
        """The token's keys and the prefix keys that match it."""
        known = self._keys.get(token.keys)
        if known is None:
            word = token.keys[0]
            extra = [word[:n] + "*" for n, found in self.prefixes.items() if word[:n] in found and len(word) >= n]
            known = self._keys[token.keys] = token.keys + tuple(extra)
        return known

    def _first(self, key: str) -> Node | None:
        """The subtree of forms that begin with a key."""
        if key not in self._nodes:
            packed = self._packed.get(key)
            self._nodes[key] = None if packed is None else msgspec.msgpack.decode(packed, type=dict[str, Any])
        return self._nodes[key]

    def spans(self, tokens: list[Token]) -> list[Span]:
        """All concepts, ordered by start; one strictly inside a longer one is marked hidden in the longer one's chapter.

        Each chapter of the lexicon is written on its own. A long form hides the words inside it for the rules of its chapter (a shared form:
        for all rules) and never for another chapter's.
        """
        keys = [self.keys(t) for t in tokens]
        found: list[Span] = []
        for start in range(len(tokens)):
            for key in keys[start]:
                node = self._first(key)
                if node is not None:
                    self._walk(node, keys, start, start + 1, found)
        return self._hide(found)

    def _walk(self, node: dict[str, Any], keys: list[tuple[str, ...]], start: int, at: int, found: list[Span]) -> None:
        for concept in node.get(_END, ()):
            found.append(Span(concept, start, at))
        if at >= len(keys):
            return
        for key in keys[at]:
            following = node.get(key)
            if following is not None:
                self._walk(following, keys, start, at + 1, found)
        gap = node.get(_GAP)
        if gap is not None:
            for skip in range(_MAX_GAP + 1):
                if at + skip >= len(keys) or (skip and keys[at + skip - 1][0] in ".;:"):
                    break
                for key in keys[at + skip]:
                    if key in gap:
                        self._walk(gap[key], keys, start, at + skip + 1, found)

    def _hide(self, found: list[Span]) -> list[Span]:
        """Mark each span with the chapters in which a longer form, or for a trigger an equally long one, hides it."""
        found = sorted(set(found), key=lambda s: (s.start, s.start - s.end, s.concept[0] in "!%"))
        out: list[Span] = []
        longer: list[
            tuple[int, int, int]
        ] = []  # start, end, chapters of the forms of several words that may still cover something
        alone: dict[tuple[int, int], int] = {}
        for span in found:
            start, end, concept = span.start, span.end, span.concept
            if longer and longer[0][1] <= start:
                longer = [o for o in longer if o[1] > start]
            hidden = 0
            for o_start, o_end, bit in longer:
                if o_end >= end and (o_start < start or o_end > end):
                    hidden |= bit
            if concept[0] == "!":
                if concept[1] != "%":
                    hidden |= alone.get((start, end), 0)
            else:
                bit = self.bit[concept]
                alone[start, end] = alone.get((start, end), 0) | bit
                if end - start > 1:
                    longer.append((start, end, bit))
            if hidden != ALL:
                out.append(span if not hidden else Span(concept, start, end, hidden))
        return out


def _hides(concept: Concept, spaces: dict[str, int]) -> int:
    """Chapters whose words a concept may hide: its own, or all when it is shared; words about where or when hide none."""
    if concept.kind == "context":
        return 0
    return spaces[concept.space] if concept.space else ALL


def _cached(lexicon: Lexicon, version: str) -> Trie:
    """The trie of a knowledge version; compiled once and kept on disk beside the knowledge, since folding every form takes half a second."""
    code = [Path(__file__), Path(__file__).with_name("tokens.py")]
    cache = Cache(Path(__file__), signature(code, version))
    known = cache.get("trie", Trie)
    if known is None:
        known = _compile(lexicon)
        cache.put("trie", msgspec.msgpack.encode(known))
    return known


def _compile(lexicon: Lexicon) -> Trie:
    nodes: Node = {}
    prefixes: dict[int, set[str]] = {}
    for concept in lexicon.concepts:
        for form in concept.forms:
            _add(nodes, prefixes, form, concept.id)
    for name, forms in lexicon.triggers.items():
        for form in forms:
            _add(nodes, prefixes, form, "!" + name)
    return Trie({key: msgspec.Raw(msgspec.msgpack.encode(node)) for key, node in nodes.items()}, prefixes)


def _add(nodes: Node, prefixes: dict[int, set[str]], form: str, concept: str) -> None:
    node = nodes
    for key in form_keys(form):
        if key.endswith("*") and len(key) > 1:
            prefixes.setdefault(len(key) - 1, set()).add(key[:-1])
        node = node.setdefault(key, {})
    node.setdefault(_END, []).append(concept)


def form_keys(form: str) -> list[str]:
    """The trie keys of one lexicon form."""
    keys: list[str] = []
    for part in form.split():
        if part in (_GAP, "#", "@level", "@vertebra", "@segment", "@grade"):
            keys.append(part)
        elif part.endswith("*") and len(part) > 1:
            keys.append(_prefix(part[:-1]) + "*")
        else:
            for token in tokenize(part):
                keys.append(token.keys[-1] if token.kind == "word" and len(token.keys) > 1 else token.keys[0])
    return keys


def _prefix(part: str) -> str:
    return part.lower().replace("ae", "e").replace("oe", "e")


def _ancestors(concept: str, parents: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    seen = [concept]
    for c in seen:
        seen += [p for p in parents.get(c, ()) if p not in seen]
    return tuple(seen)


__all__ = ["Matcher", "Span", "form_keys", "stem"]
