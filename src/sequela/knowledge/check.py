"""`sequela check`: read the knowledge base afresh, check it, and say what it holds and what it still owes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sequela.knowledge.alignment_check import bases_of_alignment
from sequela.knowledge.build import build
from sequela.knowledge.decode import decode_alignment
from sequela.knowledge.likelihood import equations
from sequela.knowledge.loader import HERE, KnowledgeError, yaml_files
from sequela.knowledge.model import Basis, Knowledge, Missed, Priors, SourceRow, Workup

_FAR = 2.0
"""A compiled likelihood ratio this many times off the published one is worth a clinician's look."""


class Misfit(NamedTuple):
    """A finding whose published ratio the network cannot carry: P(finding | cause) / P(finding | others)."""

    finding: str
    published: float
    compiled: float


def check(path: Path | None = None) -> list[str]:
    """Lines for `sequela check`: what there is, then what it owes. Raises KnowledgeError when the base is wrong."""
    root = (path or HERE).resolve()
    built = build(root, yaml_files(root))
    if built.knowledge is None:
        raise KnowledgeError(built.problems)
    return [
        f"knowledge base {built.knowledge.version}: no contradiction found",
        *counts(built.knowledge, built.sources),
        *debts(built.knowledge, built.sources),
        *_debts_of_alignment(root),
    ]


def _debts_of_alignment(root: Path) -> list[str]:
    """Counted apart: its numbers move no probability, they only say whether a measure is a finding."""
    if not (root / "alignment.yaml").exists():
        return []
    entry, _ = decode_alignment(root)
    known = [basis for basis, _ in bases_of_alignment(entry)] if entry else []
    marked = [basis for basis in known if basis.expert_estimate]
    return [f"of alignment and implant measures: {len(marked)} of {len(known)} entries are estimates"]


def _debts_of_workup(knowledge: Knowledge) -> list[str]:
    if knowledge.workup is None:
        return []
    known = list(bases_of_workup(knowledge.workup))
    marked = [b for b in known if b.expert_estimate]
    return [f"of the next best test: {len(marked)} of {len(known)} entries are estimates"]


def counts(knowledge: Knowledge, sources: dict[str, SourceRow]) -> list[str]:
    kinds = Counter(finding.kind for finding in knowledge.findings)
    rows = {flag.row for flag in knowledge.red_flags if flag.row is not None}
    claims = Counter(row.kind for row in sources.values())
    rules = sum(len(found) for found in knowledge.lexicon.rules.values())
    return [
        f"causes          {len(knowledge.causes)}",
        f"manifestations  {len(knowledge.manifestations)}",
        f"findings        {len(knowledge.findings)}: {_listed(kinds)}",
        f"red flags       {len(knowledge.red_flags)} on {len(rows)} rows of the evidence table",
        f"tests           {len(knowledge.tests)}",
        f"procedures      {len(knowledge.procedures)}",
        f"sources         {len(sources)}: {_listed(claims)}",
        f"reading         {len(knowledge.lexicon.concepts)} concepts, {rules} rules",
    ]


def debts(knowledge: Knowledge, sources: dict[str, SourceRow]) -> list[str]:
    """What a clinician still has to settle. These numbers may only fall."""
    known = list(bases(knowledge))
    marked = [b for b in known if b.expert_estimate]
    bare = [b for b in marked if not b.sources]
    read = {finding for test in knowledge.tests for finding in test.reads}
    unread = [f.id for f in knowledge.findings if f.id not in read]
    wordless = [f.id for f in knowledge.findings if f.id not in knowledge.lexicon.rules]
    lines = [
        f"expert estimates: {len(marked)} of {len(known)} entries, {len(bare)} without any source",
        *_debts_of_workup(knowledge),
        f"sources from memory, not verified: {sum(not row.verified for row in sources.values())}",
        f"findings that no test reads: {_named(unread)}",
        f"findings without reading rules: {_named(wordless)}",
    ]
    far = [m for m in misfits(knowledge) if not 1 / _FAR <= m.compiled / m.published <= _FAR]
    lines.append(f"findings whose published ratio the network cannot carry: {len(far)}")
    return lines + [f"  {m.finding}: published {m.published:.1f}, compiled {m.compiled:.1f}" for m in far]


def misfits(knowledge: Knowledge) -> list[Misfit]:
    """Every measured finding, the worst first. Limits on single findings and weak links pull the ratio toward 1."""
    manifestations = {m.id: m for m in knowledge.manifestations}
    found = []
    for finding, likelihood in zip(knowledge.findings, knowledge.likelihoods, strict=True):
        if finding.measured is None:
            continue
        cause, others = equations(finding, manifestations[finding.manifestation], knowledge.causes)
        compiled = cause.value(*likelihood.present) / others.value(*likelihood.present)
        found.append(Misfit(finding.id, cause.target / others.target if others.target else math.inf, compiled))
    return sorted(found, key=lambda m: abs(math.log(m.compiled / m.published)), reverse=True)


def bases(knowledge: Knowledge) -> Iterator[Basis]:
    """Where the numbers come from: one basis for each entry, and for each `missed:`, of a file or of a finding alone.

    Not of findings that no cause can bring about: their numbers move nothing.
    """
    moving = {m.id for m in knowledge.manifestations if m.caused_by}
    yield from (cause.basis for cause in knowledge.causes)
    yield from (manifestation.basis for manifestation in knowledge.manifestations if manifestation.id in moving)
    yield from (finding.basis for finding in knowledge.findings if finding.manifestation in moving)
    yield from (missed.basis for missed in _missed(knowledge))
    yield from (flag.basis for flag in knowledge.red_flags)
    yield from (test.basis for test in knowledge.tests)
    yield from _bases_of_priors(knowledge.priors)


def bases_of_workup(workup: Workup) -> Iterator[Basis]:
    """Of the rules and weights of the next best test; counted apart, since they move no probability."""
    yield from (one.basis for one in (workup.effort, workup.least_bits, workup.least_worth, workup.enough))
    yield from (phase.basis for phase in workup.phases)
    yield from (after.basis for after in workup.after)
    yield from (bar.basis for bar in workup.contraindications)


def _missed(knowledge: Knowledge) -> Iterator[Missed]:
    """Each once: those that hold for a kind of finding, then those of single findings."""
    yield from knowledge.missed.values()
    for finding in knowledge.findings:
        if finding.missed is not None and finding.missed != knowledge.missed.get(finding.kind):
            yield finding.missed


def _bases_of_priors(priors: Priors) -> Iterator[Basis]:
    """Rows of timing and risk carry sources and mark themselves."""
    yield from (entry.basis for entry in (priors.sizes, priors.cap, priors.referral, priors.unknown_operation))
    yield priors.needs.basis
    yield from (course.basis for course in priors.course.values())
    yield from (Basis(row.sources, expert_estimate=row.expert_estimate) for row in priors.timing)
    yield from (Basis(row.sources, expert_estimate=row.expert_estimate) for row in priors.risk)


def _listed(counted: Mapping[Any, int]) -> str:
    return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in sorted(counted.items(), key=lambda pair: -pair[1]))


def _named(ids: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(ids[:most]) + (", …" if len(ids) > most else "")
    return f"{len(ids)} ({shown})" if ids else "0"
