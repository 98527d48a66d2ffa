"""From YAML documents to typed entries, each with its place. Every entry that does not fit is one problem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from sequela.knowledge.alignment_model import Alignment
from sequela.knowledge.documents import Document, Place, Problem, read
from sequela.knowledge.model import (
    Cause,
    Concept,
    Derived,
    Finding,
    FindingFile,
    Localisation,
    Manifestation,
    Priors,
    Procedure,
    RedFlag,
    RedFlagFile,
    Rule,
    SourceRow,
    Syndrome,
    Test,
    Workup,
)

T = TypeVar("T")
_AT = re.compile(r" - at `(?:key` in `)?\$(?P<path>.*)`$")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+|\.\.\.)\]")
_EXPECTED = re.compile(r"Expected `(\w+)")
_TYPES: dict[str, tuple[type, ...]] = {"float": (int, float), "str": (str,), "array": (list,), "object": (dict,)}
_UNKNOWN_FIELD = re.compile(r"unknown field `(.+?)`")
_MISSING_FIELD = re.compile(r"missing required field `(.+?)`")


class Entry(NamedTuple, Generic[T]):
    value: T
    place: Place


class FindingRule(NamedTuple):
    finding: str
    rule: Rule


class Parts:
    """Everything the folder says, decoded but not yet checked against itself."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.causes: list[Entry[Cause]] = []
        self.manifestations: list[Entry[Manifestation]] = []
        self.findings: list[Entry[Finding]] = []
        self.finding_files: list[Entry[FindingFile]] = []
        self.procedures: list[Entry[Procedure]] = []
        self.flags: list[Entry[RedFlag]] = []
        self.tests: list[Entry[Test]] = []
        self.sources: list[Entry[SourceRow]] = []
        self.concepts: list[Entry[Concept]] = []
        self.rules: list[Entry[FindingRule]] = []
        self.triggers: dict[str, tuple[str, ...]] = {}
        self.syndromes: dict[str, Syndrome] = {}
        self.derived: list[Entry[Derived]] = []
        self.priors: Entry[Priors] | None = None
        self.alignment: Entry[Alignment] | None = None
        self.workup: Entry[Workup] | None = None
        self.localisation: Entry[Localisation] | None = None


def decode(root: Path) -> Parts:
    """Read and decode the whole folder. Lexicon, reading rules and triggers may be absent."""
    parts = Parts()
    parts.causes = _list(parts, _document(parts, root, "causes.yaml"), Cause)
    parts.manifestations = _list(parts, _document(parts, root, "manifestations.yaml"), Manifestation)
    parts.procedures = _list(parts, _document(parts, root, "procedures.yaml"), Procedure)
    parts.tests = _list(parts, _document(parts, root, "tests.yaml"), Test)
    parts.derived = _list(parts, _document(parts, root, "derived.yaml"), Derived)
    for name in _files(root, "findings"):
        parts.findings += _findings(parts, _document(parts, root, name))
    for name in _files(root, "sources"):
        parts.sources += _list(parts, _document(parts, root, name), SourceRow)
    _red_flags(parts, _document(parts, root, "red_flags.yaml"))
    parts.priors = _entry(parts, Place(_document(parts, root, "priors.yaml")), Priors)
    if (root / "localisation.yaml").exists():
        parts.localisation = _entry(parts, Place(_document(parts, root, "localisation.yaml")), Localisation)
    if (root / "workup.yaml").exists():
        parts.workup = _entry(parts, Place(_document(parts, root, "workup.yaml")), Workup)
    if (root / "alignment.yaml").exists():
        parts.alignment, problems = decode_alignment(root)
        parts.problems += problems
    _lexicon(parts, root)
    return parts


def decode_alignment(root: Path) -> tuple[Entry[Alignment] | None, list[Problem]]:
    """The measures of alignment alone, which have a loader of their own (`knowledge.alignment`), and what is wrong with them."""
    parts = Parts()
    return _entry(parts, Place(_document(parts, root, "alignment.yaml")), Alignment), parts.problems


def _files(root: Path, folder: str) -> list[str]:
    return sorted(f"{folder}/{path.name}" for path in (root / folder).glob("*.yaml"))


def _document(parts: Parts, root: Path, name: str) -> Document:
    document, problems = read(root, name)
    parts.problems += problems
    return document


def _list(parts: Parts, document: Document, kind: type[T]) -> list[Entry[T]]:
    return _entries(parts, Place(document), document.data, kind)


def _entries(parts: Parts, place: Place, data: Any, kind: type[T]) -> list[Entry[T]]:
    """One entry per list item, so that one wrong item does not hide the next."""
    if not isinstance(data, list):
        if place.document.node is not None or data is not None:  # an unreadable file is already reported
            parts.problems.append(place.problem("is not a list of entries", "write one `- id: …` per entry"))
        return []
    found = (_entry(parts, place / i, kind) for i in range(len(data)))
    return [entry for entry in found if entry is not None]


def _entry(parts: Parts, place: Place, kind: type[T]) -> Entry[T] | None:
    data = place.data()
    if data is None and place.document.node is None:
        return None
    if isinstance(data, dict) and isinstance(data.get("id"), str):
        place = place.named(data["id"])
    try:
        return Entry(msgspec.convert(data, kind), place)
    except msgspec.ValidationError as error:
        parts.problems.append(_explained(place, str(error), kind))
        return None


def _explained(place: Place, message: str, kind: type[Any]) -> Problem:
    """A msgspec message, at the line of the field it speaks of, with what to do."""
    at = _AT.search(message)
    what = _AT.sub("", message)
    for name, index in _STEP.findall(at["path"] if at else ""):
        key = _culprit(place.data(), what) if index == "..." else int(index) if index else name
        if key is not None:
            place = place / key
    unknown, missing = _UNKNOWN_FIELD.search(what), _MISSING_FIELD.search(what)
    if unknown:
        return (place / unknown[1]).problem(what, f"remove it or correct its name ({_allowed(kind)})")
    if missing:
        return place.problem(what, f"add `{missing[1]}:`")
    if "got `bool`" in what:
        return place.problem(what, "put the word in quotes: YAML reads no, yes, on and off as truth values")
    return place.problem(what, "write a value of the expected kind")


def _culprit(data: Any, what: str) -> str | None:
    """The key of a mapping that msgspec only calls `[...]`: the first whose value is not of the expected kind."""
    expected = _EXPECTED.search(what)
    kinds = _TYPES.get(expected[1], ()) if expected else ()
    if not isinstance(data, dict):
        return None
    return next((k for k, v in data.items() if isinstance(v, bool) or not isinstance(v, kinds)), None)


def _allowed(kind: type[Any]) -> str:
    return f"{kind.__name__} has " + ", ".join(field.encode_name for field in msgspec.structs.fields(kind))


def _findings(parts: Parts, document: Document) -> list[Entry[Finding]]:
    """The findings of a file, with the file's kind and, where they have none of their own, its `missed:`."""
    place = Place(document)
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list):
        if document.node is not None:
            parts.problems.append(place.problem("has no list `findings:`", "write `kind:` and `findings:`"))
        return []
    head = _converted(parts, place, {**data, "findings": []}, FindingFile)
    entries = _entries(parts, place / "findings", data["findings"], Finding)
    if head is None:
        return []
    parts.finding_files.append(Entry(head, place))
    return [
        Entry(msgspec.structs.replace(finding, kind=head.kind, missed=finding.missed or head.missed), at)
        for finding, at in entries
    ]


def _red_flags(parts: Parts, document: Document) -> None:
    place = Place(document)
    if not isinstance(document.data, dict):
        if document.node is not None:
            parts.problems.append(place.problem("has no `flags:`", "write `syndromes:` and `flags:`"))
        return
    head = _converted(parts, place, {**document.data, "flags": []}, RedFlagFile)
    if head is not None:
        parts.syndromes = head.syndromes
    parts.flags = _entries(parts, place / "flags", document.data.get("flags"), RedFlag)


def _converted(parts: Parts, place: Place, data: Any, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        parts.problems.append(_explained(place, str(error), kind))
        return None


def _lexicon(parts: Parts, root: Path) -> None:
    for name in _files(root, "lexicon"):
        document = _document(parts, root, name)
        if document.data is not None:
            parts.concepts += [_in_space(e, _space(name)) for e in _list(parts, document, Concept)]
    for name in _files(root, "reading"):
        for entry in _rules(parts, _document(parts, root, name)):
            rule = msgspec.structs.replace(entry.value.rule, space=_space(name))
            parts.rules.append(Entry(entry.value._replace(rule=rule), entry.place))
    _resolve(parts)
    if (root / "triggers.yaml").exists():
        document = _document(parts, root, "triggers.yaml")
        if document.data is not None:
            parts.triggers = _converted(parts, Place(document), document.data, dict[str, tuple[str, ...]]) or {}


def _space(name: str) -> str:
    """The chapter of a file: `lexicon/mri_terms.yaml` and `reading/mri.yaml` are one; other lexicon files are shared by all."""
    stem = Path(name).stem
    if name.startswith("lexicon/"):
        return stem.removesuffix("_terms") if stem.endswith("_terms") else ""
    return stem


def _in_space(entry: Entry[Concept], space: str) -> Entry[Concept]:
    """A chapter's concept under its full name, so that two chapters may use one word for two things."""
    concept = entry.value
    return Entry(
        msgspec.structs.replace(concept, id=f"{space}.{concept.id}" if space else concept.id, space=space), entry.place
    )


def _resolve(parts: Parts) -> None:
    """Give concepts named in a chapter their full name: the chapter's own first, then the shared one, then another chapter's if only one has it."""
    owners: dict[str, list[str]] = {}
    for concept, _ in parts.concepts:
        owners.setdefault(concept.id.rpartition(".")[2], []).append(concept.id)

    def full(name: str, space: str) -> str:
        names = owners.get(name, [])
        own = f"{space}.{name}"
        if own in names or name in names or len(names) != 1:
            return own if own in names else name
        return names[0]

    def items(given: tuple[str, ...], space: str) -> tuple[str, ...]:
        return tuple("|".join(full(c, space) for c in item.split("|")) for item in given)

    parts.concepts = [
        Entry(msgspec.structs.replace(c, is_=tuple(full(n, c.space) for n in c.is_)), place)
        for c, place in parts.concepts
    ]
    for i, ((finding, rule), place) in enumerate(parts.rules):
        named: dict[str, Any] = {
            "all": items(rule.all, rule.space),
            "none": items(rule.none, rule.space),
            "then": items(rule.then, rule.space),
        }
        if rule.value is not None:
            named["value"] = full(rule.value, rule.space)
        parts.rules[i] = Entry(FindingRule(finding, msgspec.structs.replace(rule, **named)), place)


def _rules(parts: Parts, document: Document) -> Iterable[Entry[FindingRule]]:
    """Reading rules by finding. A plain list of concepts is short for {all: [...]}."""
    place = Place(document)
    if document.data is None:
        return
    if not isinstance(document.data, dict):
        parts.problems.append(place.problem("is not a mapping", "write one `finding_id:` with its list of rules"))
        return
    for finding, rules in document.data.items():
        at = place / finding
        if not isinstance(rules, list):
            parts.problems.append(at.problem("is not a list of rules", "write one `- [concept, concept]` per rule"))
            continue
        for i, given in enumerate(rules):
            rule = _converted(parts, at / i, {"all": given} if isinstance(given, list) else given, Rule)
            if rule is not None:
                yield Entry(FindingRule(finding, rule), at / i)
