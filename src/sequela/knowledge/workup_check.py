"""What can be wrong between the entries of workup.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from sequela.knowledge.criteria import check_criteria
from sequela.knowledge.decode import Entry
from sequela.knowledge.documents import Place, Problem, closest
from sequela.knowledge.model import Workup


def check_workup(
    entry: Entry[Workup], tests: Collection[str], findings: Collection[str], flags: Collection[str]
) -> Iterator[Problem]:
    """Unknown tests, findings and flags; criteria out of form; a test in no phase or in two; a flag that orders nothing it could."""
    workup, place = entry
    for at, id_ in _tests_named(workup, place):
        yield from _unknown(at, id_, tests, "test")
    for at, id_ in _findings_named(workup, place):
        yield from _unknown(at, id_, findings, "finding")
    for i, order in enumerate(workup.orders):
        yield from _unknown(place / "orders" / i / "flag", order.flag, flags, "red flag")
        if order.when is not None:
            yield from check_criteria(place / "orders" / i / "when", order.when, findings)
    for i, after in enumerate(workup.after):
        if after.unless is not None:
            yield from check_criteria(place / "after" / i / "unless", after.unless, findings)
    for i, bar in enumerate(workup.contraindications):
        yield from check_criteria(place / "contraindications" / i / "when", bar.when, findings)
    yield from _complete(workup, place, tests)


def _complete(workup: Workup, place: Place, tests: Collection[str]) -> Iterator[Problem]:
    """Every test stands in one phase and says how a record shows its result; no part of the effort is negative."""
    counts = Counter(test for phase in workup.phases for test in phase.tests)
    for test in sorted(tests):
        if counts[test] != 1:
            yield (place / "phases").problem(f"{test} stands in {counts[test]} phases", "name it in one")
        if test not in workup.held:
            yield (place / "held").problem(f"has no entry for {test}", f"add `{test}:`")
    effort = workup.effort
    if effort.start <= 0.0:
        yield (place / "effort" / "start").problem("is not above 0", "write a number above 0: worth is bits by effort")
    parts = (effort.per_msv, effort.per_cost, effort.per_day)
    if min((*parts, *effort.burden.values(), *effort.contrast.values(), *effort.days.values()), default=0.0) < 0.0:
        yield (place / "effort").problem("has a negative part", "write 0 or more")


def _tests_named(workup: Workup, place: Place) -> Iterator[tuple[Place, str]]:
    for key in ("contrast", "days"):
        for test in getattr(workup.effort, key):
            yield place / "effort" / key / test, test
    for key in ("phases", "orders", "contraindications"):
        for i, one in enumerate(getattr(workup, key)):
            for test in one.tests:
                yield place / key / i / "tests", test
    for i, after in enumerate(workup.after):
        for test in (after.test, *after.first):
            yield place / "after" / i, test
    for test in workup.held:
        yield place / "held" / test, test


def _findings_named(workup: Workup, place: Place) -> Iterator[tuple[Place, str]]:
    for test, holding in workup.held.items():
        for finding in holding.findings:
            yield place / "held" / test / "findings", finding


def _unknown(place: Place, wrong: str, known: Collection[str], kind: str) -> Iterator[Problem]:
    if wrong not in known:
        yield place.problem(f'unknown {kind} "{wrong}"', closest(wrong, known, f"name a {kind} of the knowledge base"))
