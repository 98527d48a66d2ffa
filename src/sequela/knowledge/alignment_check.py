"""What can be wrong between the entries of alignment.yaml."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from sequela.knowledge.alignment_model import Alignment, Band, Cut, Ideal, Measure
from sequela.knowledge.decode import Entry
from sequela.knowledge.documents import Place, Problem, closest
from sequela.knowledge.model import Basis

AGE = "age"


def check_alignment(entry: Entry[Alignment], findings: Collection[str]) -> Iterator[Problem]:
    """Unknown measures, scales and findings, ranges the wrong way round, cuts and bands that can never be met."""
    known, place = entry.value, entry.place
    measures = {measure.id for measure in known.measures}
    yield from _named_once(known, place)
    for i, measure in enumerate(known.measures):
        yield from _measure(measure, place / "measures" / i, findings)
    for i, scale in enumerate(known.scales):
        at = place / "scales" / i
        if scale.of is not None:
            yield from _unknown(at / "of", scale.of, {*measures, AGE}, "measure")
            yield from _bands(scale.bands, at / "bands")
        for j, band in enumerate(scale.bands):
            for finding in band.findings:
                yield from _unknown(at / "bands" / j / "findings" / finding, finding, findings, "finding")
    for i, relative in enumerate(known.relatives):
        yield from _unknown(place / "relatives" / i / "id", relative.id, measures, "measure")
        yield from _ideal(relative.of, relative.ideal, place / "relatives" / i, measures)
    for i, target in enumerate(known.targets):
        yield from _ideal(target.of, target.ideal, place / "targets" / i, measures)
    for i, score in enumerate(known.scores):
        yield from _bands(score.bands, place / "scores" / i / "bands")
        for j, part in enumerate(score.parts):
            yield from _unknown(place / "scores" / i / "parts" / j, part, {s.id for s in known.scales if s.of}, "scale")


def bases_of_alignment(entry: Entry[Alignment]) -> Iterator[tuple[Basis, Place]]:
    """Where each number comes from, with the place of the entry that says so."""
    known, place = entry.value, entry.place
    yield known.sum_check.basis, place / "sum_check"
    for name in ("measures", "scales", "relatives", "targets", "scores"):
        for i, one in enumerate(getattr(known, name)):
            yield one.basis, place / name / i
            for j, cut in enumerate(getattr(one, "cuts", ())):
                yield cut.basis, place / name / i / "cuts" / j


def _named_once(known: Alignment, place: Place) -> Iterator[Problem]:
    names = [name for m in known.measures for name in {m.id, m.short.lower()}] + [s.id for s in known.scales]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield place.problem(f'"{name}" names two measures or scales', "give one of them another name")


def _measure(measure: Measure, place: Place, findings: Collection[str]) -> Iterator[Problem]:
    least, greatest = measure.plausible
    if least >= greatest:
        yield (place / "plausible").problem(f"{least:g} is not below {greatest:g}", "write the least first")
    for i, cut in enumerate(measure.cuts):
        at = place / "cuts" / i
        yield from _unknown(at / "finding", cut.finding, findings, "finding")
        if sum(limit is not None for limit in (cut.above, cut.at_least, cut.below)) != 1:
            yield at.problem("needs one of above, at_least and below", "write exactly one")
        elif not least <= _limit(cut) <= greatest:
            yield at.problem(f"{_limit(cut):g} lies outside of what is plausible", "correct it or the range")


def _limit(cut: Cut) -> float:
    return next(limit for limit in (cut.above, cut.at_least, cut.below) if limit is not None)


def _bands(bands: Sequence[Band], place: Place) -> Iterator[Problem]:
    """The lowest is open below, the others begin at rising numbers."""
    if not bands or any(begin is not None for begin in (bands[0].above, bands[0].at_least)):
        yield place.problem("has no lowest band", "write the lowest first, without above and at_least")
        return
    begins = [band.above if band.above is not None else band.at_least for band in bands[1:]]
    rising = None not in begins and all(a < b for a, b in pairwise(x for x in begins if x is not None))
    if not rising or any(band.above is not None and band.at_least is not None for band in bands):
        yield place.problem("the bands do not rise", "give each one above or at_least, from the lowest")


def _ideal(of: str, ideal: Ideal, place: Place, measures: Collection[str]) -> Iterator[Problem]:
    yield from _unknown(place / "of", of, measures, "measure")
    for i, term in enumerate(ideal.terms):
        yield from _unknown(place / "ideal" / "terms" / i / "of", term.of, {*measures, AGE}, "measure")


def _unknown(place: Place, wrong: str, known: Collection[str], kind: str) -> Iterator[Problem]:
    if wrong not in known:
        yield place.problem(f'unknown {kind} "{wrong}"', closest(wrong, known, "use one that exists"))
