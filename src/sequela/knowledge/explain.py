"""`sequela explain ID`: what the knowledge base holds on one thing, every number with its source. Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sequela.knowledge.alignment import FILE, read
from sequela.knowledge.alignment_model import Alignment, Measure, Scale
from sequela.knowledge.leaves import findings_in
from sequela.knowledge.loader import HERE, load, sources
from sequela.knowledge.model import (
    Basis,
    Cause,
    Finding,
    Knowledge,
    Likelihood,
    Manifestation,
    Procedure,
    RedFlag,
    SourceRow,
    Test,
)


class UnknownId(LookupError):
    """Nothing of this name. matches: the nearest names there are."""

    def __init__(self, wrong: str, matches: Sequence[str]) -> None:
        self.matches = tuple(matches)
        hint = f"did you mean {', '.join(matches)}?" if matches else "see `sequela check` for what there is"
        super().__init__(f'nothing is called "{wrong}"; {hint}')


def explain(wanted: str, path: Path | None = None) -> str:
    """A page on a cause, manifestation, finding, test, red flag, syndrome, procedure, source, treatment, measure or scale.

    Raises UnknownId with close matches.
    """
    file = (path or HERE) / FILE
    page = Explainer(load(path), sources(path), read(file) if file.exists() else None)
    return "\n".join(page.lines(wanted)) + "\n"


class Explainer:
    """Everything by its identifier, for several pages on one knowledge base."""

    def __init__(self, knowledge: Knowledge, rows: Mapping[str, SourceRow], alignment: Alignment | None = None) -> None:
        self.knowledge = knowledge
        self.alignment = alignment
        self.rows = rows
        self.treatments = {row.treatment for row in rows.values() if row.treatment}
        self.names = {cause.id: cause.name for cause in knowledge.causes}
        self.names |= {manifestation.id: manifestation.name for manifestation in knowledge.manifestations}
        self.names |= {finding.id: finding.name for finding in knowledge.findings}
        self.names |= {id_: syndrome.name for id_, syndrome in knowledge.syndromes.items()}
        self.likelihoods = dict(zip((f.id for f in knowledge.findings), knowledge.likelihoods, strict=True))

    def lines(self, wanted: str) -> list[str]:
        page = self._pages().get(wanted)
        if page is None:
            import difflib

            raise UnknownId(wanted, difflib.get_close_matches(wanted, list(self._pages()), n=5, cutoff=0.5))
        return list(page())

    def _pages(self) -> dict[str, Callable[[], Iterator[str]]]:
        """A page for every identifier. Treatments come first: a name they share with anything else means the other."""
        pages: dict[str, Callable[[], Iterator[str]]] = {}
        for name in sorted(self.treatments):
            pages[name] = lambda name=name: self._treatment(name)  # type: ignore[misc]
        for name in self.knowledge.syndromes:
            pages[name] = lambda name=name: self._syndrome(name)  # type: ignore[misc]
        groups: list[tuple[Iterable[Any], Callable[[Any], Iterator[str]]]] = [
            (self.rows.values(), self._source),
            (self.alignment.measures if self.alignment else (), self._measure),
            (self.alignment.scales if self.alignment else (), self._scale),
            (self.knowledge.procedures, self._procedure),
            (self.knowledge.tests, self._test),
            (self.knowledge.red_flags, self._red_flag),
            (self.knowledge.findings, self._finding),
            (self.knowledge.manifestations, self._manifestation),
            (self.knowledge.causes, self._cause),
        ]
        for entries, page in groups:
            for entry in entries:
                pages[entry.id] = lambda entry=entry, page=page: page(entry)  # type: ignore[misc]
        return pages

    # One page per kind.

    def _cause(self, cause: Cause) -> Iterator[str]:
        yield from _head(cause.name, cause.id, "cause", cause.definition, cause.plain)
        yield "## How probable before any finding"
        yield "Share as the leading cause in people with pain for 3 months or more after lumbar surgery, by operation:"
        yield from (f"- {operation}: {share:.1%}" for operation, share in cause.prior.items())
        yield "- mechanism: " + ", ".join(f"{name} {share:.0%}" for name, share in cause.mechanism.items())
        yield from self._prior_multipliers(cause.id)
        yield from self._basis(cause.basis)
        yield from _section("What it brings about", self._brings_about(cause.id))
        yield from _section("Findings measured on it", self._measured_on(cause.id))
        tests = [f"- {t.id}: {t.name}" for t in self.knowledge.tests if cause.id in t.settles]
        yield from _section("Tests that settle it", tests)
        yield from _section("Red flags that suspect it", self._flags_on(cause.id))
        rows = (row for row in self.rows.values() if row.cause == cause.id)
        yield from self._published("All published rows on this cause", cause.basis, rows)

    def _prior_multipliers(self, cause: str) -> Iterator[str]:
        priors = self.knowledge.priors
        if cause in priors.needs.facts:
            need = priors.needs.facts[cause].replace("_", " ")
            yield f"- cannot be without: {need} ({_from(priors.needs.basis)})"
        for pattern, course in priors.course.items():
            if cause in course.multipliers:
                yield f"- course {pattern}: odds x {course.multipliers[cause]:g} ({_from(course.basis)})"
        for row in priors.timing:
            if row.cause == cause:
                basis = Basis(sources=row.sources, expert_estimate=row.expert_estimate)
                window = f"onset {row.from_:g}-{row.to:g} days after the operation"
                yield f"- {window}: odds x {row.inside:g}, otherwise x {row.outside:g} ({_from(basis)})"
        for risk in priors.risk:
            if risk.cause == cause:
                basis = Basis(sources=risk.sources, expert_estimate=risk.expert_estimate)
                yield f"- {risk.when}: odds x {risk.multiplier:g} ({_from(basis)})"

    def _brings_about(self, cause: str) -> Iterator[str]:
        links = [(m.caused_by[cause], m) for m in self.knowledge.manifestations if cause in m.caused_by]
        for link, m in sorted(links, key=lambda pair: -pair[0]):
            yield f"- {m.id} ({m.name}): {link:.2f}; without any cause {m.leak:.2f} ({_from(m.basis)})"

    def _measured_on(self, cause: str) -> Iterator[str]:
        for finding in self.knowledge.findings:
            measured = finding.measured
            if measured is not None and measured.cause == cause:
                numbers = f"{measured.in_cause:g} in it, {measured.in_others:g} in the other causes"
                yield f"- {finding.id}: {numbers} ({_from(finding.basis)})"

    def _flags_on(self, suspect: str) -> Iterator[str]:
        return (f"- {f.id} ({f.urgency}): {f.name}" for f in self.knowledge.red_flags if suspect in f.suspects)

    def _manifestation(self, manifestation: Manifestation) -> Iterator[str]:
        yield from _head(manifestation.name, manifestation.id, "manifestation")
        yield f"Present without any of the causes: {manifestation.leak:.2f}."
        yield from self._basis(manifestation.basis)
        links = sorted(manifestation.caused_by.items(), key=lambda pair: -pair[1])
        yield from _section("Brought about by", (f"- {c} ({self.names[c]}): {link:.2f}" for c, link in links))
        shown = (f for f in self.knowledge.findings if f.manifestation == manifestation.id)
        yield from _section("Shows as", (f"- {f.id} ({f.kind}): {_reports(self.likelihoods[f.id])}" for f in shown))

    def _finding(self, finding: Finding) -> Iterator[str]:
        yield from _head(finding.name, finding.id, f"finding of kind {finding.kind}")
        yield f"Shows the manifestation {finding.manifestation} ({self.names[finding.manifestation]})."
        yield from self._finding_numbers(finding)
        yield from self._basis(finding.basis)
        if finding.implies:
            yield "Implies: " + ", ".join(finding.implies) + "."
        if finding.excludes:
            yield "Excludes: " + ", ".join(finding.excludes) + "."
        asked = [f for f in self.knowledge.red_flags if finding.id in set(findings_in(f.criteria))]
        yield from _section("Red flags that ask for it", (f"- {f.id} ({f.urgency}): {f.name}" for f in asked))
        tests = [f"- {t.id}: {t.name}" for t in self.knowledge.tests if finding.id in t.reads]
        yield from _section("Tests that can show it", tests)
        rows = (row for row in self.rows.values() if row.finding == finding.id)
        bases = [finding.basis, *([finding.missed.basis] if finding.missed else [])]
        yield from self._published("All published rows on this finding", _joined(bases), rows)

    def _finding_numbers(self, finding: Finding) -> Iterator[str]:
        if finding.measured is not None:
            m = finding.measured
            ratio = f"LR+ {m.in_cause / m.in_others:.1f}" if m.in_others else "LR+ unbounded"
            yield f"Measured: {m.in_cause:g} in {m.cause}, {m.in_others:g} in the other causes ({ratio})."
        if finding.given is not None:
            given = finding.given
            yield f"Given: {given.present:g} when the manifestation is there, {given.absent:g} when it is not."
        if finding.cap is not None:
            named = ", ".join(finding.cap.sources)
            yield f"Capped at LR+ {finding.cap.positive:g} and LR- {finding.cap.negative:g} ({named})."
        yield from self._missed(finding)
        yield f"Compiled: {_reports(self.likelihoods[finding.id])}."

    def _missed(self, finding: Finding) -> Iterator[str]:
        missed = finding.missed
        if missed is None:
            return
        of_kind = missed == self.knowledge.missed.get(finding.kind)
        scope = f"taken for every finding of kind {finding.kind}; " if of_kind else ""
        yield f"Reports deny it in {missed.rate:.0%} of those who show it ({scope}{_from(missed.basis)})."
        if missed.basis.note:
            yield f"Note: {missed.basis.note}"

    def _test(self, test: Test) -> Iterator[str]:
        yield from _head(test.name, test.id, f"test, step {test.step} of the recommended order", "", test.plain)
        low, high = test.radiation_msv
        yield f"- burden: {test.burden}"
        yield f"- radiation: {low:g}-{high:g} mSv" if high else "- radiation: none"
        yield f"- contrast: {test.contrast}"
        yield f"- cost index: {test.cost_index:g} (plain lumbar MRI = 1)"
        if test.delay:
            yield f"- timing: {test.delay}"
        yield from (f"- contraindication: {text}" for text in test.contraindications)
        yield from (f"- caveat: {text}" for text in test.caveats)
        yield from self._basis(test.basis)
        yield from _section("Settles", (f"- {c} ({self.names[c]})" for c in test.settles))
        yield from _section("Can show", (f"- {f} ({self.names[f]})" for f in test.reads))
        yield from self._published("Published rows", test.basis)

    def _red_flag(self, flag: RedFlag) -> Iterator[str]:
        yield from _head(flag.name, flag.id, f"red flag, {flag.urgency}", "", flag.plain)
        yield f"- action: {flag.action}"
        yield f"- time limit: {flag.time_limit}"
        if flag.restraint is not None:
            yield f"- hold back: {flag.restraint.text} Not said beside {', '.join(flag.restraint.unless)}."
        yield "- suspects: " + ", ".join(f"{suspect} ({self.names[suspect]})" for suspect in flag.suspects)
        if flag.accuracy:
            yield f"- accuracy seen: {flag.accuracy}"
        yield from self._basis(flag.basis)
        yield from _section("Raised when", _criteria(flag.criteria))
        yield from self._published("Published rows", flag.basis)

    def _procedure(self, procedure: Procedure) -> Iterator[str]:
        yield from _head(procedure.name, procedure.id, "procedure")
        yield f"- prior column: {procedure.family}"
        yield "- traits: " + (", ".join(procedure.traits) or "none")

    def _syndrome(self, name: str) -> Iterator[str]:
        syndrome = self.knowledge.syndromes[name]
        kind = "syndrome: an alarm that may stand in `suspects`, not a cause that is ranked"
        yield from _head(syndrome.name, name, kind, syndrome.definition, syndrome.plain)
        flags = [flag for flag in self.knowledge.red_flags if name in flag.suspects]
        yield from _section("Red flags that suspect it", (line for flag in flags for line in _urgent(flag)))
        asked = dict.fromkeys(f for flag in flags for f in findings_in(flag.criteria))
        yield from _section("Findings these flags ask for", (f"- {f} ({self.names[f]})" for f in asked))
        used = tuple(dict.fromkeys(source for flag in flags for source in flag.basis.sources))
        yield from self._published("Published rows the flags rest on", Basis(sources=used))
        if not used:
            yield "The review holds no row on it: rules and time limits are expert estimates."

    def _source(self, row: SourceRow) -> Iterator[str]:
        yield from _head(row.statement, row.id, f"published claim of kind {row.kind}")
        yield from _row(row)

    def _treatment(self, name: str) -> Iterator[str]:
        yield from _head(name.replace("_", " "), name, "treatment")
        rows = (row for row in self.rows.values() if row.treatment == name)
        yield from self._published("All published rows on this treatment", Basis(), rows)

    def _measure(self, measure: Measure) -> Iterator[str]:
        yield from _head(f"{measure.name} ({measure.short})", measure.id, f"measure in {measure.unit}")
        least, greatest = measure.plausible
        yield f"- plausible from {least:g} to {greatest:g} {measure.unit} ({_from(measure.basis)})"
        for cut in measure.cuts:
            where = (f" at {', '.join(cut.levels)}" if cut.levels else "") + (
                " at a fused segment" if cut.fused else ""
            )
            yield f"- {cut.finding} {cut.status}: {cut.words()} {measure.unit}{where} ({_from(cut.basis)})"
        known = self.alignment
        targets = [t for t in known.targets if t.of == measure.id] if known else []
        graded = [f"- {s.id}: {s.name}" for s in known.scales if s.of == measure.id] if known else []
        yield from _section("Aimed at", (f"- {t.id}: {t.name} ({_from(t.basis)})" for t in targets))
        yield from _section("Graded by", graded)
        bases = (measure.basis, *(cut.basis for cut in measure.cuts), *(target.basis for target in targets))
        yield from self._published("Published rows it rests on", _joined(bases))

    def _scale(self, scale: Scale) -> Iterator[str]:
        yield from _head(scale.name, scale.id, "scale" + (f" of {scale.of}" if scale.of else ""))
        for band in scale.bands:
            says = "".join(f"; {finding} {status}" for finding, status in band.findings.items())
            begin = f", {band.words()}" if band.words() else ""
            yield f"- {band.grade}{begin}" + (f": {band.means}" if band.means else "") + says
        yield from self._basis(scale.basis)
        yield from self._published("Published rows it rests on", scale.basis)

    # Parts that pages share.

    def _basis(self, basis: Basis) -> Iterator[str]:
        yield f"Basis: {_from(basis)}."
        if basis.note:
            yield f"Note: {basis.note}"

    def _published(self, title: str, basis: Basis, same: Iterable[SourceRow] = ()) -> Iterator[str]:
        """The rows a number rests on, then all others on the same thing: agreeing or not, side by side."""
        used = [self.rows[source] for source in basis.sources]
        lines = [line for row in used for line in _entry(row, "used")]
        lines += [line for row in same if row not in used for line in _entry(row, "not used" if used else "")]
        return _section(title, lines)


def _head(name: str, wanted: str, kind: str, definition: str = "", plain: str = "") -> Iterator[str]:
    yield f"# {name}"
    yield f"`{wanted}` · {kind}"
    yield ""
    if definition:
        yield definition
    if plain:
        yield f"In plain words: {plain}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield ""
        yield f"## {title}"
        yield from lines


def _joined(bases: Iterable[Basis]) -> Basis:
    """The sources of several numbers on one thing, each once."""
    return Basis(sources=tuple(dict.fromkeys(source for basis in bases for source in basis.sources)))


def _from(basis: Basis) -> str:
    """Where a number comes from, in one line."""
    parts = [", ".join(basis.sources)] if basis.sources else []
    if basis.grade:
        parts.append(f"grade {basis.grade}")
    if basis.expert_estimate:
        parts.append("expert estimate")
    return "; ".join(parts) or "no source"


def _reports(likelihood: Likelihood) -> str:
    a, b = likelihood.present
    weight = math.log(likelihood.absent[0] / likelihood.absent[1])
    return f"present {a:.3f} against {b:.3f} (weight {math.log(a / b):+.2f}), weight when denied {weight:+.2f}"


def _entry(row: SourceRow, mark: str) -> Iterator[str]:
    yield f"- **{row.id}**{f' ({mark})' if mark else ''}: {row.statement}"
    yield from (f"  {line}" for line in _row(row))


def _row(row: SourceRow) -> Iterator[str]:
    yield f"- value: {_value(row.value)}"
    inner = row.value.get("population") if isinstance(row.value, dict) else None
    yield f"- population: {row.population or inner or 'not stated'}"
    yield "- verified: the number was read in the cited page" if row.verified else "- NOT verified: from memory"
    yield f"- cited: {_citation(row.citation)}"
    if row.note:
        yield f"- note: {row.note}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k.replace('_', ' ')} {_value(v)}" for k, v in value.items() if k != "population")
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _citation(citation: Mapping[str, Any]) -> str:
    given = {key: str(value).rstrip(".") for key, value in citation.items() if value}
    first = [key for key in ("authors", "year", "title", "journal") if key in given]
    rest = [key for key in given if key not in first]
    return ". ".join([*(given[key] for key in first), *(f"{key} {given[key]}" for key in rest)]) or "not stated"


def _criteria(criteria: Any, depth: int = 0) -> Iterator[str]:
    """Criteria as a nested list that a clinician can read."""
    indent = "  " * depth + "- "
    if isinstance(criteria, str):
        yield indent + criteria
    elif "finding" in criteria or "fact" in criteria:
        name = criteria.get("finding") or criteria.get("fact")
        bounds = " and ".join(f"{k} {criteria[k]:g}" for k in ("above", "below") if k in criteria)
        yield f"{indent}{name} {bounds}{_suspicion(criteria)}"
    elif "not" in criteria:
        yield indent + "denied or measured as absent:"
        yield from _criteria(criteria["not"], depth + 1)
    else:
        head, members = _combination(criteria)
        yield indent + head
        for member in members:
            yield from _criteria(member, depth + 1)


def _suspicion(leaf: Mapping[str, Any]) -> str:
    """In words: how far a suspicion is enough for this finding."""
    if "suspected" not in leaf:
        return ""
    words = "only while suspected" if leaf["suspected"] == "only" else "or suspected"
    cleared = ", ".join(leaf.get("cleared_by", ()))
    return words + (f", unless denied: {cleared}" if cleared else "")


def _urgent(flag: RedFlag) -> Iterator[str]:
    yield f"- {flag.id} ({flag.urgency}, {flag.time_limit}): {flag.name}"
    yield f"  - {flag.action}"


def _combination(criteria: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    if "at_least" in criteria:
        return f"at least {criteria['at_least']['count']} of:", criteria["at_least"]["of"]
    return ("all of:", criteria["all"]) if "all" in criteria else ("any of:", criteria["any"])
