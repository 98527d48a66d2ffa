"""What must hold between the entries of the knowledge base. Every function yields the problems of one rule."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, get_args, get_type_hints

from sequela.knowledge.alignment_check import bases_of_alignment, check_alignment
from sequela.knowledge.alignment_model import Alignment
from sequela.knowledge.criteria import FACTS, check_criteria
from sequela.knowledge.decode import Entry, Parts
from sequela.knowledge.documents import Place, Problem, closest
from sequela.knowledge.likelihood import presence, presence_in_others
from sequela.knowledge.localisation_check import check_localisation
from sequela.knowledge.model import Basis, Cause, Finding, Manifestation, Missed, Priors, Procedure, RedFlag
from sequela.knowledge.readability import HIGHEST, grade
from sequela.knowledge.time_limit import hours
from sequela.knowledge.workup_check import check_workup

MECHANISMS = ("mechanical", "neurologic", "inflammatory", "nociplastic", "other")
COURSES = ("never_relieved", "returned", "new")
NEEDS = ("instrumented", "fusion", "fusion_or_decompression")
"""Facts without which a cause cannot be."""

COLUMNS: tuple[str, ...] = get_args(get_type_hints(Procedure)["family"])
"""Columns of the priors: the families of procedures."""

RED_FLAG_ROWS = range(1, 18)
LATEST: Mapping[str, float] = {"emergency": 0.0, "same_day": 24.0, "within_72h": 72.0, "within_2_weeks": 336.0}
"""Hours by which a reader who goes by the urgency alone has acted."""
_SUM_TOLERANCE = 0.002
_LEAST_CONTRAST = 0.02
"""A study number cannot be solved when the manifestation is as frequent in the other causes as in the one measured."""


READER_CONCEPTS = {"@level", "@after", "@ago", "@duration"}
"""What the text reader finds by itself: levels and intervals."""


class Known:
    """Every identifier that may be referred to."""

    def __init__(self, parts: Parts) -> None:
        self.causes = {e.value.id: e.value for e in parts.causes}
        self.manifestations = {e.value.id: e.value for e in parts.manifestations}
        self.findings = {e.value.id: e.value for e in parts.findings}
        self.sources = {e.value.id: e.value for e in parts.sources}
        self.syndromes = parts.syndromes
        self.concepts = {e.value.id for e in parts.concepts} | READER_CONCEPTS | {"!" + name for name in parts.triggers}


def check_consistency(parts: Parts) -> Iterator[Problem]:
    """All problems between entries; what could not even be decoded is left out."""
    known = Known(parts)
    yield from _missing_parts(parts)
    yield from _duplicates(parts)
    yield from _causes(parts, known)
    yield from _prior_columns(parts)
    yield from _manifestations(parts, known)
    yield from _finding_files(parts, known)
    yield from _findings(parts, known)
    yield from _circular(parts, known)
    yield from _unreachable(parts)
    yield from _priors(parts, known)
    yield from _red_flags(parts, known)
    yield from _tests(parts, known)
    if parts.alignment is not None:
        yield from _alignment(parts.alignment, known)
    if parts.localisation is not None:
        yield from sourced(parts.localisation.place, parts.localisation.value.basis, known)
        yield from check_localisation(parts.localisation, known.findings)
    yield from _workup(parts, known)
    yield from _lexicon(parts, known)


def unknown(place: Place, wrong: str, known: Collection[str], kind: str, where: str) -> Iterator[Problem]:
    if wrong not in known:
        yield place.problem(f'unknown {kind} "{wrong}"', closest(wrong, known, f"use one from {where}"))


def _missing_parts(parts: Parts) -> Iterator[Problem]:
    for entries, name in ((parts.findings, "findings/*.yaml"), (parts.sources, "sources/*.yaml")):
        if not entries:
            yield Problem(name, 1, name, "there is none", "put the files into the folder")


def _duplicates(parts: Parts) -> Iterator[Problem]:
    """`explain ID` must mean one thing: identifiers are unique over all kinds; concepts are a language of their own."""
    explained: list[Sequence[Entry[Any]]] = [
        parts.causes,
        parts.manifestations,
        parts.findings,
        parts.tests,
        parts.flags,
        parts.sources,
        parts.procedures,
    ]
    for group in ([e for entries in explained for e in entries], parts.concepts):
        first: dict[str, Place] = {}
        for value, place in group:
            seen = first.setdefault(value.id, place)
            if seen is not place:
                at = f"{seen.document.name}:{seen.document.line(seen.path)}"
                yield (place / "id").problem(f'"{value.id}" stands already at {at}', "give one of them another id")


def probability(place: Place, value: float) -> Iterator[Problem]:
    if not 0.0 <= value <= 1.0:
        yield place.problem(f"{value:g} is not a probability", "write a number from 0 to 1")


def positive(place: Place, value: float) -> Iterator[Problem]:
    if not 0.0 < value < math.inf:
        yield place.problem(f"{value:g} is not a multiplier", "write a number above 0")


def sums_to_one(place: Place, values: Mapping[str, float]) -> Iterator[Problem]:
    total = math.fsum(values.values())
    if abs(total - 1.0) > _SUM_TOLERANCE:
        yield place.problem(f"shares sum to {total:.4g}", "make them sum to 1")


def readable(place: Place, text: str) -> Iterator[Problem]:
    """What a patient is to read must be easy to read."""
    level = grade(text)
    if level > HIGHEST:
        yield (place / "plain").problem(
            f"reading grade {level:.1f} is above {HIGHEST:g}", "write shorter sentences and shorter words"
        )


def sourced(place: Place, basis: Basis, known: Known) -> Iterator[Problem]:
    """A number needs a source, or the mark that it is an estimate; a source from memory alone needs the mark too."""
    at = place / "basis"
    yield from sources_known(at / "sources", basis.sources, known)
    if basis.expert_estimate:
        return
    if not basis.sources:
        yield at.problem("a number without a source", "name `sources:` or write `expert_estimate: true`")
    elif not any(known.sources[s].verified for s in basis.sources if s in known.sources):
        yield at.problem("rests only on sources from memory", "add a verified source or write `expert_estimate: true`")


def sources_known(place: Place, sources: Sequence[str], known: Known) -> Iterator[Problem]:
    for i, source in enumerate(sources):
        yield from unknown(place / i, source, known.sources, "source", "sources/*.yaml")


def _sourced_row(place: Place, sources: Sequence[str], estimate: bool, known: Known) -> Iterator[Problem]:
    """The same for a row that carries sources and mark itself."""
    yield from sourced(place, Basis(sources=tuple(sources), expert_estimate=estimate), known)


def _causes(parts: Parts, known: Known) -> Iterator[Problem]:
    for cause, place in parts.causes:
        yield from readable(place, cause.plain)
        yield from sourced(place, cause.basis, known)
        for name, share in cause.mechanism.items():
            yield from unknown(place / "mechanism" / name, name, MECHANISMS, "mechanism", ", ".join(MECHANISMS))
            yield from probability(place / "mechanism" / name, share)
        yield from sums_to_one(place / "mechanism", cause.mechanism)
        for column, share in cause.prior.items():
            yield from unknown(place / "prior" / column, column, COLUMNS, "prior column", ", ".join(COLUMNS))
            yield from probability(place / "prior" / column, share)
        for column in COLUMNS:
            if column not in cause.prior:
                yield (place / "prior").problem(f"has no column {column}", f"add `{column}:`")


def _alignment(entry: Entry[Alignment], known: Known) -> Iterator[Problem]:
    yield from check_alignment(entry, known.findings)
    for basis, place in bases_of_alignment(entry):
        yield from sourced(place, basis, known)


def _prior_columns(parts: Parts) -> Iterator[Problem]:
    for column in COLUMNS:
        total = math.fsum(cause.prior.get(column, 0.0) for cause, _ in parts.causes)
        if parts.causes and abs(total - 1.0) > _SUM_TOLERANCE:
            place = parts.causes[0].place / "prior" / column
            yield place.problem(f"column {column} sums to {total:.4g} over all causes", "make the column sum to 1")


def _manifestations(parts: Parts, known: Known) -> Iterator[Problem]:
    for manifestation, place in parts.manifestations:
        yield from sourced(place, manifestation.basis, known)
        yield from probability(place / "leak", manifestation.leak)
        for cause, link in manifestation.caused_by.items():
            at = place / "caused_by" / cause
            yield from unknown(at, cause, known.causes, "cause", "causes.yaml")
            yield from probability(at, link)


def _findings(parts: Parts, known: Known) -> Iterator[Problem]:
    for finding, place in parts.findings:
        yield from sourced(place, finding.basis, known)
        yield from _own_missed(finding, place, known)
        for i, fact in enumerate(finding.presupposes):
            yield from unknown(place / "presupposes" / i, fact, NEEDS, "fact", ", ".join(NEEDS))
        for i, implied in enumerate(finding.implies):
            yield from unknown(place / "implies" / i, implied, known.findings, "finding", "findings/*.yaml")
        for i, excluded in enumerate(finding.excludes):
            yield from unknown(place / "excludes" / i, excluded, known.findings, "finding", "findings/*.yaml")
        if finding.asked_if is not None:
            yield from check_criteria(place / "asked_if", finding.asked_if, known.findings)
        at = place / "manifestation"
        yield from unknown(at, finding.manifestation, known.manifestations, "manifestation", "manifestations.yaml")
        if (finding.given is None) == (finding.measured is None):
            yield place.problem("needs `given:` or `measured:`, one of them", "write exactly one")
        yield from _given(finding, place)
        yield from _measured(finding, place, parts, known)
        yield from _cap(finding, place, known)


def _finding_files(parts: Parts, known: Known) -> Iterator[Problem]:
    """What a file says of all its findings; one file to a kind, or it would be unclear which holds."""
    seen: dict[str, Place] = {}
    for file, place in parts.finding_files:
        yield from _missed(place / "missed", file.missed, known)
        first = seen.setdefault(file.kind, place)
        if first is not place:
            yield (place / "kind").problem(f"{first.document.name} holds the findings of kind {file.kind}", "join them")


def _own_missed(finding: Finding, place: Place, known: Known) -> Iterator[Problem]:
    """What the finding takes from its file is told there, once."""
    at = place / "missed"
    if finding.missed is not None and at.data() is not None:
        yield from _missed(at, finding.missed, known)


def _missed(place: Place, missed: Missed, known: Known) -> Iterator[Problem]:
    yield from probability(place / "rate", missed.rate)
    yield from sourced(place, missed.basis, known)


def _given(finding: Finding, place: Place) -> Iterator[Problem]:
    if finding.given is None:
        return
    at = place / "given"
    yield from probability(at / "present", finding.given.present)
    yield from probability(at / "absent", finding.given.absent)
    if finding.given.present == finding.given.absent:
        yield at.problem("present and absent are the same: it tells nothing", "correct one or drop the finding")


def _measured(finding: Finding, place: Place, parts: Parts, known: Known) -> Iterator[Problem]:
    """The two study numbers must differ in the direction in which cause and others differ in the manifestation."""
    measured = finding.measured
    if measured is None:
        return
    at = place / "measured"
    ranges = [*probability(at / "in_cause", measured.in_cause), *probability(at / "in_others", measured.in_others)]
    yield from ranges
    yield from unknown(at / "cause", measured.cause, known.causes, "cause", "causes.yaml")
    if measured.in_cause == measured.in_others:
        yield at.problem("in_cause and in_others are the same: it tells nothing", "correct one or drop the finding")
    manifestation = known.manifestations.get(finding.manifestation)
    if ranges or manifestation is None or measured.cause not in known.causes:
        return
    if not all(0.0 <= p <= 1.0 for p in (manifestation.leak, *manifestation.caused_by.values())):
        return  # told at the manifestation
    yield from _solvable(finding, at, manifestation, [c for c, _ in parts.causes])


def _solvable(finding: Finding, at: Place, manifestation: Manifestation, causes: Sequence[Cause]) -> Iterator[Problem]:
    measured = finding.measured
    if measured is None or not all("any" in c.prior for c in causes) or len(causes) < 2:
        return
    if measured.cause not in manifestation.caused_by:
        what = f"{measured.cause} does not bring about {manifestation.id}"
        yield (at / "cause").problem(what, f"add the link to {manifestation.id} or correct it")
        return
    contrast = presence(manifestation, (measured.cause,)) - presence_in_others(manifestation, measured.cause, causes)
    if abs(contrast) < _LEAST_CONTRAST or contrast * (measured.in_cause - measured.in_others) < 0:
        yield at.problem(
            f"{manifestation.id} differs by {contrast:+.2f} between {measured.cause} and the others, "
            f"the finding by {measured.in_cause - measured.in_others:+.2f}",
            "hang the finding on another manifestation or correct the links",
        )


def _cap(finding: Finding, place: Place, known: Known) -> Iterator[Problem]:
    if finding.cap is None:
        return
    at = place / "cap"
    if not finding.cap.positive >= 1.0:
        yield (at / "positive").problem("caps the ratio below 1", "write a number of 1 or more")
    if not 0.0 < finding.cap.negative <= 1.0:
        yield (at / "negative").problem("is no lower limit of a ratio", "write a number above 0, at most 1")
    yield from sources_known(at / "sources", finding.cap.sources, known)
    if not finding.cap.sources and not finding.basis.expert_estimate:
        yield at.problem("a number without a source", "name `sources:`")


def _circular(parts: Parts, known: Known) -> Iterator[Problem]:
    for finding, place in parts.findings:
        if _reaches(finding.id, finding.id, known.findings, set()):
            yield (place / "implies").problem("implies itself, by a circle", "cut one arrow of the circle")


def _reaches(start: str, wanted: str, findings: Mapping[str, Finding], seen: set[str]) -> bool:
    seen.add(start)
    following = findings[start].implies if start in findings else ()
    return any(n == wanted or (n not in seen and _reaches(n, wanted, findings, seen)) for n in following)


def _unreachable(parts: Parts) -> Iterator[Problem]:
    shown = {finding.manifestation for finding, _ in parts.findings}
    reached = {cause for m, _ in parts.manifestations for cause, link in m.caused_by.items() if link and m.id in shown}
    for cause, place in parts.causes:
        if cause.id not in reached:
            yield place.problem("brings about no manifestation that a finding shows", "add it to a `caused_by:`")
    for manifestation, place in parts.manifestations:
        if manifestation.id not in shown:
            yield place.problem("no finding shows this manifestation", "hang a finding on it or remove it")


def _priors(parts: Parts, known: Known) -> Iterator[Problem]:
    if parts.priors is None:
        return
    priors, place = parts.priors
    sizes = place / "sizes"
    yield from sourced(sizes, priors.sizes.basis, known)
    shares = {name: getattr(priors.sizes, name) for name in ("none", "one", "two", "three")}
    for name, share in shares.items():
        yield from probability(sizes / name, share)
    yield from sums_to_one(sizes, shares)
    for name in ("cap", "referral", "unknown_operation"):
        yield from sourced(place / name, getattr(priors, name).basis, known)
    yield from probability(place / "referral" / "value", priors.referral.value)
    yield from probability(place / "unknown_operation" / "value", priors.unknown_operation.value)
    if not priors.cap.value >= 1.0:
        yield (place / "cap" / "value").problem("caps the multipliers below 1", "write a number of 1 or more")
    yield from _needs(priors, place / "needs", known)
    yield from _courses(priors, place / "course", known)
    yield from _timing(priors, place / "timing", known)
    yield from _risk(priors, place / "risk", known)


def _needs(priors: Priors, place: Place, known: Known) -> Iterator[Problem]:
    yield from sourced(place, priors.needs.basis, known)
    for cause, need in priors.needs.facts.items():
        at = place / "facts" / cause
        yield from unknown(at, cause, known.causes, "cause", "causes.yaml")
        yield from unknown(at, need, NEEDS, "need", ", ".join(NEEDS))


def _courses(priors: Priors, place: Place, known: Known) -> Iterator[Problem]:
    for name, course in priors.course.items():
        yield from unknown(place / name, name, COURSES, "course", ", ".join(COURSES))
        yield from sourced(place / name, course.basis, known)
        for cause, multiplier in course.multipliers.items():
            at = place / name / "multipliers" / cause
            yield from unknown(at, cause, known.causes, "cause", "causes.yaml")
            yield from positive(at, multiplier)


def _timing(priors: Priors, place: Place, known: Known) -> Iterator[Problem]:
    counts = Counter(row.cause for row in priors.timing)
    for i, row in enumerate(priors.timing):
        at = place / i
        yield from unknown(at / "cause", row.cause, known.causes, "cause", "causes.yaml")
        yield from _sourced_row(at, row.sources, row.expert_estimate, known)
        yield from positive(at / "inside", row.inside)
        yield from positive(at / "outside", row.outside)
        if not 0.0 <= row.from_ < row.to:
            yield at.problem(f"the window {row.from_:g}-{row.to:g} days is empty", "write from below to, in days")
        if counts[row.cause] > 1:
            yield at.problem(f"{row.cause} has {counts[row.cause]} windows", "keep one")


def _risk(priors: Priors, place: Place, known: Known) -> Iterator[Problem]:
    allowed = {*known.findings, *FACTS}
    for i, row in enumerate(priors.risk):
        at = place / i
        where = "findings/*.yaml or " + ", ".join(FACTS)
        yield from unknown(at / "when", row.when, allowed, "finding or fact", where)
        yield from unknown(at / "cause", row.cause, known.causes, "cause", "causes.yaml")
        yield from positive(at / "multiplier", row.multiplier)
        yield from _sourced_row(at, row.sources, row.expert_estimate, known)


def _in_time(flag: RedFlag, place: Place) -> Iterator[Problem]:
    """The urgency must not be laxer than the first time that the limit names: most readers see the urgency only."""
    at = place / "time_limit"
    limit = hours(flag.time_limit)
    if limit is None:
        yield at.problem("names no time", "write now, same day, or a number of h, days or weeks")
        return
    if LATEST[flag.urgency] > limit:
        strictest = min((u for u in LATEST if LATEST[u] <= limit), key=lambda u: limit - LATEST[u])
        yield at.problem(f"is {limit:g} h, but {flag.urgency} allows {LATEST[flag.urgency]:g} h", f"write {strictest}")


def _restraint(flag: RedFlag, place: Place, flags: Collection[str]) -> Iterator[Problem]:
    for i, other in enumerate(flag.restraint.unless if flag.restraint else ()):
        yield from unknown(place / "restraint" / "unless" / i, other, flags, "red flag", "red_flags.yaml")


def _red_flags(parts: Parts, known: Known) -> Iterator[Problem]:
    suspects = {*known.causes, *known.syndromes}
    for flag, place in parts.flags:
        yield from readable(place, flag.plain)
        yield from sourced(place, flag.basis, known)
        yield from check_criteria(place / "criteria", flag.criteria, known.findings)
        for i, suspect in enumerate(flag.suspects):
            yield from unknown(place / "suspects" / i, suspect, suspects, "suspect", "causes.yaml or `syndromes:`")
        yield from _in_time(flag, place)
        yield from _restraint(flag, place, {other.id for other, _ in parts.flags})
        if flag.row is not None and flag.row not in RED_FLAG_ROWS:
            yield (place / "row").problem(f"{flag.row} is no row of the table", "write 1 to 17, or leave it out")
    if parts.flags:
        document = parts.flags[0].place.document
        for name, syndrome in parts.syndromes.items():
            yield from readable(Place(document, ("syndromes", name), name), syndrome.plain)
        for row in sorted(set(RED_FLAG_ROWS) - {flag.row for flag, _ in parts.flags}):
            yield Place(document, ("flags",), "flags").problem(
                f"no entry covers row {row} of the table", f"add an entry with `row: {row}`"
            )


def _tests(parts: Parts, known: Known) -> Iterator[Problem]:
    steps = Counter(test.step for test, _ in parts.tests)
    for test, place in parts.tests:
        yield from readable(place, test.plain)
        yield from sourced(place, test.basis, known)
        for i, cause in enumerate(test.settles):
            yield from unknown(place / "settles" / i, cause, known.causes, "cause", "causes.yaml")
        for i, finding in enumerate(test.reads):
            yield from unknown(place / "reads" / i, finding, known.findings, "finding", "findings/*.yaml")
        low, high = test.radiation_msv
        if not 0.0 <= low <= high < math.inf:
            yield (place / "radiation_msv").problem(f"{low:g} to {high:g} mSv is no range", "write [low, high]")
        if not 0.0 <= test.cost_index < math.inf:
            yield (place / "cost_index").problem(f"{test.cost_index:g} is no cost", "write 0 or more; lumbar MRI = 1")
        if steps[test.step] > 1:
            yield (place / "step").problem(f"{steps[test.step]} tests have step {test.step}", "number the steps apart")


def _workup(parts: Parts, known: Known) -> Iterator[Problem]:
    if parts.workup is None:
        return
    workup, place = parts.workup
    based: list[tuple[Place, Basis]] = [
        (place / key, getattr(workup, key).basis) for key in ("effort", "least_bits", "least_worth", "enough")
    ]
    for key in ("phases", "after", "contraindications"):
        based += [(place / key / i, one.basis) for i, one in enumerate(getattr(workup, key))]
    for at, basis in based:
        yield from sourced(at, basis, known)
    tests = {test.id for test, _ in parts.tests}
    yield from check_workup(parts.workup, tests, known.findings, {flag.id for flag, _ in parts.flags})


def _lexicon(parts: Parts, known: Known) -> Iterator[Problem]:
    for entry, place in parts.concepts:
        for i, broader in enumerate(entry.is_):
            yield from unknown(place / "is" / i, broader, known.concepts, "concept", "lexicon/*.yaml")
    for derived, place in parts.derived:
        for finding in filter(None, (derived.finding, derived.value_of, *derived.present, *derived.absent)):
            yield from unknown(place / "finding", finding, known.findings, "finding", "findings/*.yaml")
    for (finding, rule), place in parts.rules:
        yield from unknown(place, finding, known.findings, "finding", "findings/*.yaml")
        for other in rule.unless:
            yield from unknown(place, other, known.findings, "finding", "findings/*.yaml")
        for item in (*rule.all, *rule.none, *rule.then):
            for concept in item.split("|"):
                yield from unknown(place, concept, known.concepts, "concept", "lexicon/*.yaml")
