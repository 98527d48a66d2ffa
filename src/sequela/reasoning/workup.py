"""The next best test: what each is expected to tell for what it asks of the patient, under the rules that overrule arithmetic.

The information is the model's (`reasoning.information`); burden, dose, contrast, cost and delay discount it; raised red flags,
phases, contraindications and what the record already holds come from knowledge/workup.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from sequela.knowledge.model import Contraindication, Effort, Holding, Knowledge, Test, Workup
from sequela.reasoning.assessment import RaisedFlag
from sequela.reasoning.criteria import evaluate
from sequela.reasoning.differential import Differential
from sequela.reasoning.facts import Fact, Settled
from sequela.reasoning.information import (
    Belief,
    Outcomes,
    belief,
    bits,
    fits,
    learnt,
    reading_of,
    sample,
)
from sequela.reasoning.missing import answered
from sequela.reasoning.network import Floats, Network, compiled, sums

BRANCH_OUTCOMES = 24
"""Fewer than for the first step: of a branch only the order of its tests is shown."""
MOST_BRANCHES = 3
MOST_NEXT = 2
MOST_NAMED = 3
_LEAST_BRANCH = 0.1
"""A result this unlikely gets no branch of its own."""
_LEAST_NAMED = 0.05
"""Causes above this are named as what a test bears on, unless the test settles none of these."""


class Planned(msgspec.Struct, frozen=True):
    """next_tests, test_sequence: as the assessment document gives them."""

    next_tests: tuple[dict[str, Any], ...] = ()
    test_sequence: tuple[dict[str, Any], ...] = ()


class Record(msgspec.Struct, frozen=True, eq=False):
    """What planning needs to know of the patient. flags: raised."""

    known: Mapping[str, Settled]
    facts: Mapping[str, Fact]
    flags: Sequence[RaisedFlag]
    ranked: Differential


class Option(msgspec.Struct, frozen=True, eq=False):
    """A test that can be proposed. flag: the red flag that orders it; bars, ask: see `_safety`."""

    test: Test
    effort: float
    bars: tuple[dict[str, str], ...]
    ask: tuple[dict[str, str], ...]
    flag: RaisedFlag | None = None

    @property
    def barred(self) -> bool:
        return any(bar["blocks"] == "test" for bar in self.bars)


def plan(knowledge: Knowledge, record: Record) -> Planned:
    """The tests worth proposing, best first, and the first steps with the branch that each result leads to."""
    workup = knowledge.workup
    if workup is None:
        return Planned()
    network = compiled(knowledge)
    options = [_option(knowledge, workup, test, record) for test in knowledge.tests]
    candidates = [o for o in options if o.flag or not held(knowledge, workup.held[o.test.id], o.test, record.known)]
    now = belief(network, record.ranked.evidence, record.ranked.posterior)
    outcomes = sample(network, now, _open(knowledge, network, record))
    told = bits(knowledge, now, outcomes, [o.test for o in candidates])
    order = arranged(workup, candidates, told, record.facts)
    return Planned(
        tuple(_document(workup, o, told[o.test.id], record) for o in order),
        _sequence(knowledge, workup, order, now, outcomes, told, record),
    )


# What can be proposed ------------------------------------------------------------------------------------------------


def _option(knowledge: Knowledge, workup: Workup, test: Test, record: Record) -> Option:
    bars, ask = _safety(knowledge, workup.contraindications, test.id, record)
    return Option(test, effort(workup.effort, test), bars, ask, _ordered_by(knowledge, workup, test, record))


def effort(weights: Effort, test: Test) -> float:
    """What the test asks of patient and purse, in the unit of workup.yaml."""
    dose = sum(test.radiation_msv) / 2.0
    return (
        weights.start
        + weights.burden.get(test.burden, 0.0)
        + weights.per_msv * dose
        + weights.contrast.get(test.id, 0.0)
        + weights.per_cost * test.cost_index
        + weights.per_day * weights.days.get(test.id, 0.0)
    )


def held(knowledge: Knowledge, holding: Holding, test: Test, known: Mapping[str, Settled]) -> bool:
    """Whether the record holds the result of the test already."""
    return len(_own_results(knowledge, holding, test, known)) >= holding.least


def _own_results(knowledge: Knowledge, holding: Holding, test: Test, known: Mapping[str, Settled]) -> list[str]:
    """Findings stated in the record that only this test (or one like it) can have shown."""
    kinds = {finding.id: finding.kind for finding in knowledge.findings if finding.id in known}
    stated = [id_ for id_ in test.reads if id_ in kinds and not known[id_].implied]
    return [id_ for id_ in stated if id_ in holding.findings or kinds[id_] in holding.kinds]


def _ordered_by(knowledge: Knowledge, workup: Workup, test: Test, record: Record) -> RaisedFlag | None:
    """The most urgent raised flag that orders the test and that no result of it answers yet."""
    for flag in record.flags:
        rules = [rule for rule in workup.orders if rule.flag == flag.id and test.id in rule.tests]
        wanted = any(r.when is None or evaluate(r.when, record.known, record.facts).truth == "met" for r in rules)
        if wanted and not _answers_flag(knowledge, workup.held[test.id], test, flag, record.known):
            return flag
    return None


def _answers_flag(
    knowledge: Knowledge, holding: Holding, test: Test, flag: RaisedFlag, known: Mapping[str, Settled]
) -> bool:
    """Whether the test has been done and speaks for what the flag suspects.

    A normal result does not answer: it may be older than the danger, and the record seldom says.
    """
    own = {id_ for id_ in _own_results(knowledge, holding, test, known) if known[id_].status == "present"}
    if own & set(flag.basis):
        return True
    bearing = {m.id for m in knowledge.manifestations if any(s in m.caused_by for s in flag.suspects)}
    return any(f.manifestation in bearing for f in knowledge.findings if f.id in own) and holding.kinds != (
        "examination",
    )


def _safety(
    knowledge: Knowledge, rules: Sequence[Contraindication], test: str, record: Record
) -> tuple[tuple[dict[str, str], ...], tuple[dict[str, str], ...]]:
    """What bars the test, its contrast, or asks for caution; and what must be asked first because the record does not say."""
    bars: list[dict[str, str]] = []
    ask: dict[str, dict[str, str]] = {}
    findings = {finding.id: finding for finding in knowledge.findings}
    for rule in (rule for rule in rules if test in rule.tests):
        verdict = evaluate(rule.when, record.known, record.facts)
        if verdict.truth == "met":
            bars += [{"id": id_, "blocks": rule.blocks, "why": rule.why} for id_ in verdict.basis[:1]]
        if verdict.truth != "unknown" or rule.blocks == "caution" or not isinstance(rule.when, str):
            continue
        finding = findings.get(rule.when)
        if finding is None:
            continue
        if finding.asked_if is None or evaluate(finding.asked_if, record.known, record.facts).truth != "unmet":
            ask[finding.id] = {"id": finding.id, "question": finding.question or finding.name}
    return tuple(bars), tuple(ask.values())


def _open(knowledge: Knowledge, network: Network, record: Record) -> Floats:
    """[F] 1.0 where an answer is neither known nor impossible (a screw finding where nothing was instrumented)."""
    told = answered(network, record.known)
    return np.array(
        [
            f.id not in told and not any(record.facts.get(fact) is False for fact in f.presupposes)
            for f in knowledge.findings
        ],
        dtype=np.float64,
    )


# Their order ---------------------------------------------------------------------------------------------------------


def arranged(
    workup: Workup, options: Sequence[Option], told: Mapping[str, float], facts: Mapping[str, Fact]
) -> list[Option]:
    """Ordered by a flag, most urgent first; then what is worth doing, by phase and worth; then what tells little; then what is barred."""
    phase = {test: i for i, one in enumerate(workup.phases) for test in one.tests}
    useful = {o.test.id for o in options if _tells_enough(workup, o, told[o.test.id])}
    waiting = {
        rule.test
        for rule in workup.after
        if useful & set(rule.first) and (rule.unless is None or evaluate(rule.unless, {}, facts).truth != "met")
    }

    def place(o: Option) -> tuple[Any, ...]:
        id_ = o.test.id
        worth = told[id_] / o.effort
        rank = 0 if o.flag else 3 if o.barred else 1 if id_ in useful else 2
        if rank == 1:
            return (rank, phase[id_], id_ in waiting, -worth, id_)
        return (rank, o.test.step if o.flag is None else 0, False, -worth, id_)

    return sorted(options, key=place)


def worthwhile(workup: Workup, options: Sequence[Option], told: Mapping[str, float]) -> list[Option]:
    """Those that may be done and tell enough, or that a flag orders."""
    return [o for o in options if not o.barred and (o.flag or _tells_enough(workup, o, told[o.test.id]))]


def _tells_enough(workup: Workup, o: Option, told: float) -> bool:
    """Whether the test may be done and is worth its place: enough bits, and enough for what it asks."""
    return not o.barred and told >= workup.least_bits.value and told >= workup.least_worth.value * o.effort


def _clear(workup: Workup, record: Record) -> bool:
    """Whether the leading cause is sure enough for no further test to be planned."""
    return max((cause.probability for cause in record.ranked.causes), default=0.0) >= workup.enough.value


# The first steps -----------------------------------------------------------------------------------------------------


def _sequence(
    knowledge: Knowledge,
    workup: Workup,
    order: Sequence[Option],
    now: Belief,
    outcomes: Outcomes,
    told: Mapping[str, float],
    record: Record,
) -> tuple[dict[str, Any], ...]:
    """The first step and, per kind of result, the next; nothing when the leading cause is sure enough and no flag orders a test."""
    steps = worthwhile(workup, order, told)
    if not steps or (_clear(workup, record) and steps[0].flag is None):
        return ()
    first, rest = steps[0].test, [o for o in order if o is not steps[0]]
    fit = fits(now.state, np.arange(len(now.p)), reading_of(knowledge, first.id), outcomes, outcomes.drawn)
    if fit is None:
        return ({"test": first.id, "branches": []},)
    after = now.p.astype(np.float32) * fit
    after /= after.sum(axis=1, keepdims=True)
    network = compiled(knowledge)
    marginal = sums(after.astype(np.float64), network.contains[now.rows])
    branches = []
    for cause, members in _by_leader(marginal):
        n = int(members[np.argsort(marginal[members, cause])[len(members) // 2]])
        believed = learnt(network, now, reading_of(knowledge, first.id), outcomes.weight[n])
        then = _then(knowledge, workup, rest, believed, float(marginal[n, cause]), first, record)
        branches.append(
            {
                "points_to": network.causes[cause],
                "chance": len(members) / len(after),
                "probability": float(marginal[members, cause].mean()),
                "shown_by": _typical(knowledge, first, outcomes, members, cause),
                "next": then,
            }
        )
    return ({"test": first.id, "branches": branches},)


def _by_leader(marginal: Floats) -> list[tuple[int, Any]]:
    """The outcomes grouped by the cause that leads after them, the commonest group first."""
    leader = marginal.argmax(axis=1)
    causes, counts = np.unique(leader, return_counts=True)
    kept = [(int(c), n) for c, n in zip(causes, counts, strict=True) if n >= _LEAST_BRANCH * len(leader)]
    kept.sort(key=lambda pair: (-pair[1], pair[0]))
    return [(c, np.flatnonzero(leader == c)) for c, _ in kept[:MOST_BRANCHES]]


def _then(
    knowledge: Knowledge,
    workup: Workup,
    rest: Sequence[Option],
    believed: Belief,
    leading: float,
    done: Test,
    record: Record,
) -> list[str]:
    """At most two tests after a result, best first; only what a flag orders when the leading cause is sure enough by then."""
    ordered = [o.test.id for o in rest if o.flag and not o.barred]
    if leading >= workup.enough.value or len(ordered) >= MOST_NEXT:
        return ordered[:MOST_NEXT]
    network = compiled(knowledge)
    open_ = _open(knowledge, network, record)
    open_[[network.findings[id_] for id_ in done.reads]] = 0.0
    free = [o for o in rest if not o.flag]
    following = next_steps(knowledge, workup, free, believed, open_, record.facts)
    return [*ordered, *(test for test, _ in following)][:MOST_NEXT]


def next_steps(
    knowledge: Knowledge,
    workup: Workup,
    options: Sequence[Option],
    believed: Belief,
    open_: Floats,
    facts: Mapping[str, Fact],
) -> list[tuple[str, float]]:
    """The next two tests worth doing with their bits, best first; a later phase waits while an earlier one has enough to do."""
    outcomes = sample(compiled(knowledge), believed, open_, BRANCH_OUTCOMES)
    steps: list[tuple[str, float]] = []
    for phase in workup.phases:
        possible = [o for o in options if o.test.id in phase.tests and not o.barred]
        if possible and len(steps) < MOST_NEXT:
            told = bits(knowledge, believed, outcomes, [o.test for o in possible])
            steps += [
                (o.test.id, told[o.test.id]) for o in worthwhile(workup, arranged(workup, possible, told, facts), told)
            ]
    return steps[:MOST_NEXT]


def _typical(knowledge: Knowledge, test: Test, outcomes: Outcomes, members: Any, cause: int) -> list[str]:
    """The findings of the test that are seen more in these outcomes than in the others, and that the cause brings about."""
    network = compiled(knowledge)
    read = np.array([network.findings[id_] for id_ in test.reads])
    read = read[network.link[cause, network.shown_by[read]] > 0.0]
    counted = outcomes.yes[:, read] * (outcomes.weight[:, read] != 0.0)
    more = counted[members].mean(axis=0) - counted.mean(axis=0)
    best = [int(read[i]) for i in np.argsort(-more, kind="stable")[:MOST_NAMED] if more[i] > 0.0]
    return [knowledge.findings[f].id for f in best]


# In words ------------------------------------------------------------------------------------------------------------


def _document(workup: Workup, o: Option, told: float, record: Record) -> dict[str, Any]:
    """One entry of `next_tests`: what the contract names, and what else planning knows of the test."""
    return {
        "id": o.test.id,
        "information_bits": told,
        "settles": _settled(o.test, record),
        "burden": o.test.burden,
        "why": _why(workup, o, told, record),
        "blocked_by": [bar for bar in o.bars if bar["blocks"] != "caution"],
        "cautions": [bar["why"] for bar in o.bars if bar["blocks"] == "caution"],
        "ask_first": list(o.ask),
        "ordered_by": o.flag.id if o.flag else None,
        "effort": o.effort,
        "recommended": not o.barred and bool(o.flag or (_tells_enough(workup, o, told) and not _clear(workup, record))),
    }


def _settled(test: Test, record: Record) -> list[str]:
    """The causes the test can settle, most probable first."""
    return [cause.id for cause in record.ranked.causes if cause.id in test.settles]


def _why(workup: Workup, o: Option, told: float, record: Record) -> str:
    if o.flag:
        return f"Red flag: {o.flag.name}. {o.flag.action} Time limit: {o.flag.time_limit}."
    probability = {cause.id: cause for cause in record.ranked.causes}
    open_ = [probability[id_] for id_ in _settled(o.test, record)]
    named = [cause for cause in open_ if cause.probability >= _LEAST_NAMED] or open_[:1]
    about = ", ".join(f"{cause.name} ({cause.probability:.0%})" for cause in named[:MOST_NAMED])
    rules = [phase.why for phase in workup.phases if o.test.id in phase.tests]
    rules += [rule.why for rule in workup.after if rule.test == o.test.id]
    note = " The leading cause is clear enough without it." if _clear(workup, record) else ""
    if not note and not o.barred and not _tells_enough(workup, o, told):
        note = " That is little for what it asks."
    return f"Expected to tell {told:.2f} bits.{note} Bears on {about}. {' '.join(rules)}"
