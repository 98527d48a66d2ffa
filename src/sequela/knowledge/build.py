"""The slow way, taken only when the YAML has changed: read, decode, check, solve, put together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sequela.knowledge.consistency import check_consistency
from sequela.knowledge.decode import Parts, decode
from sequela.knowledge.documents import Problem
from sequela.knowledge.likelihood import likelihood
from sequela.knowledge.model import Concept, Knowledge, Lexicon, Rule, SourceRow


class Built(NamedTuple):
    """knowledge is None when there are problems."""

    knowledge: Knowledge | None
    sources: dict[str, SourceRow]
    problems: tuple[str, ...]


def build(root: Path, files: Sequence[Path]) -> Built:
    """The knowledge base of a folder; files are all its YAML files, for the content hash."""
    version = content_hash(root, files)
    parts = decode(root)
    problems: list[Problem] = [*parts.problems, *check_consistency(parts)]
    sources = {e.value.id: e.value for e in parts.sources}
    if problems:
        lines = sorted(set(problems), key=lambda p: (p.file, p.line))
        return Built(None, sources, tuple(str(problem) for problem in lines))
    return Built(_together(parts, version), sources, ())


def content_hash(root: Path, files: Sequence[Path]) -> str:
    """Hash over names and contents: the version that every assessment is stamped with."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(files):
        digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _together(parts: Parts, version: str) -> Knowledge:
    if parts.priors is None:
        raise ValueError("priors.yaml is missing")  # a problem above; here for the type checker
    causes = tuple(e.value for e in parts.causes)
    manifestations = {e.value.id: e.value for e in parts.manifestations}
    findings = tuple(e.value for e in parts.findings)
    return Knowledge(
        version=version,
        causes=causes,
        manifestations=tuple(manifestations.values()),
        findings=findings,
        likelihoods=tuple(likelihood(f, manifestations[f.manifestation], causes) for f in findings),
        priors=parts.priors.value,
        procedures=tuple(e.value for e in parts.procedures),
        red_flags=tuple(e.value for e in parts.flags),
        tests=tuple(e.value for e in parts.tests),
        lexicon=_lexicon(parts),
        derived=tuple(e.value for e in parts.derived),
        syndromes=parts.syndromes,
        localisation=parts.localisation.value if parts.localisation else None,
        workup=parts.workup.value if parts.workup else None,
        missed={file.kind: file.missed for file, _ in parts.finding_files},
    )


def _lexicon(parts: Parts) -> Lexicon:
    rules: dict[str, list[Rule]] = {}
    for (finding, rule), _ in parts.rules:
        rules.setdefault(finding, []).append(rule)
    return Lexicon(
        concepts=(*(e.value for e in parts.concepts), *_nerve_concepts(parts)),
        rules={finding: tuple(found) for finding, found in rules.items()},
        triggers=parts.triggers,
    )


def _nerve_concepts(parts: Parts) -> tuple[Concept, ...]:
    """The structures of localisation.yaml as concepts of the chapter `localisation`, so that the reader finds them in a text."""
    known = parts.localisation.value.structures if parts.localisation else ()
    return tuple(Concept("nerve." + s.id, s.forms, space="localisation") for s in known)
