"""YAML files with the line of every key, so that a problem names the place a clinician has to mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

Key = str | int


class Problem(NamedTuple):
    """One thing that is wrong. line counts from 1; key is the dotted place inside the entry."""

    file: str
    line: int
    key: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.what}; {self.mend}"


class Document:
    """One YAML file: its data, and its node tree for line numbers. name is relative to the knowledge folder."""

    def __init__(self, name: str, data: Any, node: yaml.Node | None) -> None:
        self.name = name
        self.data = data
        self.node = node

    def line(self, path: Iterable[Key]) -> int:
        """The line of the last key of the path that exists in the file."""
        node, line = self.node, 1
        for key in path:
            step = _step(node, key)
            if step is None:
                break
            node, line = step
        return line


class Place(NamedTuple):
    """A spot in a document; `place / key` goes deeper. label is what a reader calls it: `fever.given.present`."""

    document: Document
    path: tuple[Key, ...] = ()
    label: str = ""

    def __truediv__(self, key: Key) -> Place:
        part = f"[{key}]" if isinstance(key, int) else f".{key}" if self.label else key
        return Place(self.document, (*self.path, key), self.label + part)

    def data(self) -> Any:
        """What the file says there; None where it says nothing."""
        data = self.document.data
        for key in self.path:
            if isinstance(data, dict):
                data = data.get(key)
            elif isinstance(data, list) and isinstance(key, int) and key < len(data):
                data = data[key]
            else:
                return None
        return data

    def named(self, label: str) -> Place:
        """The same spot under the identifier of its entry."""
        return Place(self.document, self.path, label)

    def problem(self, what: str, mend: str) -> Problem:
        line = self.document.line(self.path)
        return Problem(self.document.name, line, self.label or self.document.name, what, mend)


def read(root: Path, name: str) -> tuple[Document, list[Problem]]:
    """The file, or an empty document and what is wrong with it."""
    try:
        document, problems = _parse(root, name)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return _unreadable(name, line, error.problem or "not YAML", "correct the YAML at this line")
    except (yaml.YAMLError, ValueError) as error:
        return _unreadable(name, 1, " ".join(str(error).split()), "save the file as UTF-8 text")
    except OSError as error:
        return _unreadable(name, 1, error.strerror or "cannot be read", "put the file there, readable")
    return document, problems


def _parse(root: Path, name: str) -> tuple[Document, list[Problem]]:
    loader = yaml.CSafeLoader((root / name).read_bytes())
    try:
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
    finally:
        loader.dispose()
    problems = [
        Problem(name, line, key, "this key stands twice, the first is lost", "keep one of them")
        for key, line in _twice(node, set())
    ]
    return Document(name, data, node), problems


def _unreadable(name: str, line: int, what: str, mend: str) -> tuple[Document, list[Problem]]:
    return Document(name, None, None), [Problem(name, line, name, what, mend)]


def _step(node: yaml.Node | None, key: Key) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return value, name.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        item = node.value[key]
        return item, item.start_mark.line + 1
    return None


def _twice(node: yaml.Node | None, seen: set[int]) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has twice: YAML would silently keep the last."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item, seen)
    if isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for name, value in node.value:
            if name.value in names:
                yield str(name.value), name.start_mark.line + 1
            names.add(name.value)
            yield from _twice(value, seen)


def closest(wrong: str, known: Iterable[str], otherwise: str) -> str:
    """A mend for an unknown identifier: the nearest known ones, or what to do instead."""
    near: Sequence[str] = difflib.get_close_matches(wrong, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
