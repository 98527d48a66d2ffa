"""What to ask next: what the record does not say and a clinician could find out by asking or examining.

Two kinds, in this order: what decides a red flag for which something already speaks, and what tells most about the plausible causes.
Neither is asked when the answer is known or cannot be otherwise: a fresh wound years after the operation, a repeat operation where there was one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sequela.knowledge.leaves import findings_in
from sequela.knowledge.model import Finding, Knowledge, RedFlag
from sequela.reasoning.assessment import Question
from sequela.reasoning.criteria import evaluate
from sequela.reasoning.differential import parts
from sequela.reasoning.evidence import Evidence, marginals
from sequela.reasoning.facts import Fact, Settled
from sequela.reasoning.network import Floats, Indexes, Network, compiled, sums
from sequela.reasoning.red_flags import URGENCIES, Judged

ASKED = ("history", "symptom", "examination")
MOST_QUESTIONS = 8
MOST_URGENT = 4
TOP_CAUSES = 5
PLAUSIBLE = 0.05
"""A cause below this is not asked about, unless it is the most probable one."""
PLAUSIBLE_DANGER = 0.02
"""The same for what a red flag suspects: of a danger less is enough. Both are judgement; they decide what is asked, never what is concluded."""


def questions(
    knowledge: Knowledge,
    known: Mapping[str, Settled],
    facts: Mapping[str, Fact],
    judged: Sequence[Judged],
    evidence: Sequence[Evidence],
    after: Floats,
) -> tuple[Question, ...]:
    """At most eight questions, most useful first; one per manifestation, because a second answer about the same thing tells less.

    after [H]: the posterior.
    """
    network = compiled(knowledge)
    order = np.argsort(-information(network, evidence, after), kind="stable")
    chance = dict(zip(network.findings, _chance(network, evidence, after).tolist(), strict=True))
    probability = dict(zip(network.causes, marginals(network, after).tolist(), strict=True))
    first = deciding(judged, known, facts, chance, probability)
    urgent = [network.findings[id_] for id_ in first if id_ in network.findings]
    told = answered(network, known)
    asked: dict[str, Question] = {}
    for chosen, most in ((urgent, MOST_URGENT), (order.tolist(), MOST_QUESTIONS)):
        for f in chosen:
            finding = knowledge.findings[f]
            if len(asked) == most:
                break
            if finding.kind in ASKED and finding.id not in told and _fits(finding, known, facts):
                asked.setdefault(finding.manifestation, Question(finding.id, _wording(finding)))
    return tuple(asked.values())


def _fits(finding: Finding, known: Mapping[str, Settled], facts: Mapping[str, Fact]) -> bool:
    return finding.asked_if is None or evaluate(finding.asked_if, known, facts).truth != "unmet"


def deciding(
    judged: Sequence[Judged],
    known: Mapping[str, Settled],
    facts: Mapping[str, Fact],
    chance: Mapping[str, float],
    probability: Mapping[str, float],
) -> list[str]:
    """Findings of which one more "yes" raises a flag that something present or suspected already speaks for.

    Order: most urgent flag, then signs that complete what is there before signs that would raise the flag by themselves, the former by
    how likely a "yes" is, the latter as the flag lists them. A sign that suffices by itself is asked only while none such has been denied
    (who denied a numb saddle has been asked about the cauda equina), and a flag only while a suspect of it is plausible.
    chance: of a "yes", by finding; probability: of a cause.
    """
    found: dict[str, tuple[int, bool, float]] = {}
    for flag, verdict in judged:
        speaks = any(known[id_].status != "absent" for id_ in verdict.basis)
        if verdict.truth != "unknown" or not speaks or not _suspected(flag, probability):
            continue
        alone = {id_ for id_ in findings_in(flag.criteria) if _raises(flag, {id_: _YES}, facts)}
        screened = any(known[id_].status == "absent" for id_ in alone & known.keys())
        for id_ in verdict.unknown:
            if _raises(flag, {**known, id_: _YES}, facts) and not (screened and id_ in alone):
                likely = 0.0 if id_ in alone else chance.get(id_, 0.0)
                place = (URGENCIES.index(flag.urgency), id_ in alone, -likely)
                found[id_] = min(found.get(id_, place), place)
    return sorted(found, key=found.__getitem__)


def _suspected(flag: RedFlag, probability: Mapping[str, float]) -> bool:
    """Whether one of the suspects is plausible. What is no cause of the network (cauda equina syndrome) has no probability and always is."""
    return not flag.suspects or max(probability.get(suspect, 1.0) for suspect in flag.suspects) >= PLAUSIBLE_DANGER


_YES = Settled("present")


def _raises(flag: RedFlag, known: Mapping[str, Settled], facts: Mapping[str, Fact]) -> bool:
    return evaluate(flag.criteria, known, facts).truth == "met"


def information(network: Network, evidence: Sequence[Evidence], after: Floats) -> Floats:
    """[F] bits that asking for each finding is expected to tell about the most probable causes, as far as these are plausible.

    An approximation: the mutual information with each of the top causes, added up as if they were independent.
    """
    marginal = marginals(network, after)
    order = np.argsort(-marginal, kind="stable")[:TOP_CAUSES]
    top = order[: max(1, int((marginal[order] >= PLAUSIBLE).sum()))]
    p = marginal[top, None]
    a, b = answers(network)
    shown = _shown(network, evidence, after, network.contains[:, top])
    with_cause, without = (b + (a - b) * state[:, network.shown_by] for state in shown)
    gain = _entropy(p * with_cause + (1.0 - p) * without) - p * _entropy(with_cause) - (1.0 - p) * _entropy(without)
    return np.asarray(gain.sum(axis=0), dtype=np.float64)


def _shown(network: Network, evidence: Sequence[Evidence], after: Floats, contains: Floats) -> tuple[Floats, Floats]:
    """[T, G] twice, for T causes: P(manifestation | record, cause) and P(manifestation | record, not the cause)."""
    state = manifest(network, evidence)
    joint = np.concatenate([after[None, :], after * contains.T])
    whole, *inside = sums(joint, state)
    p = joint[1:].sum(axis=1)[:, None]
    return _ratio(np.array(inside), p), _ratio(whole - inside, 1.0 - p)


def manifest(network: Network, evidence: Sequence[Evidence], rows: Indexes | slice = slice(None)) -> Floats:
    """[H, G] P(manifestation | record, hypothesis), of the hypotheses `rows`."""
    log_a, log_b = parts(network, evidence)
    state = network.present[rows].copy()
    for g in {one.g for one in evidence}:
        against = (1.0 - state[:, g]) * np.exp(min(log_b[g] - log_a[g], 500.0))
        state[:, g] /= state[:, g] + against
    return state


def _chance(network: Network, evidence: Sequence[Evidence], after: Floats) -> Floats:
    """[F] probability of the answer "yes" given the record."""
    a, b = answers(network)
    shown = sums(after, manifest(network, evidence))[network.shown_by]
    return np.asarray(b + (a - b) * shown, dtype=np.float64)


def answers(network: Network) -> tuple[Floats, Floats]:
    """[F] twice: P(yes | manifestation present) and P(yes | absent). Asked outright, the answer is yes or no."""
    yes, no = network.likelihood[:, 0].T, network.likelihood[:, 1].T
    present, absent = yes / (yes + no)
    return present, absent


def _ratio(part: Floats, whole: Floats) -> Floats:
    """A conditional probability; 0.5 under a condition that cannot be (it then weighs nothing)."""
    return np.clip(np.divide(part, whole, out=np.full_like(part, 0.5), where=whole > 1e-12), 0.0, 1.0)


def _entropy(p: Floats) -> Floats:
    """Bits of a yes-or-no question answered yes with probability p."""
    safe = np.clip(p, 1e-12, 1.0 - 1e-12)
    return np.asarray(-safe * np.log2(safe) - (1.0 - safe) * np.log2(1.0 - safe), dtype=np.float64)


def answered(network: Network, known: Mapping[str, Settled]) -> set[str]:
    """Findings that need no question: stated, implied by one that is present, or excluded by one that is absent.

    An uncertain finding is worth asking for.
    """
    absent = {id_ for id_, one in known.items() if one.status == "absent"}
    excluded = {x for x, above in network.implied.items() if above & absent}
    return {id_ for id_, one in known.items() if one.status != "uncertain"} | excluded


def _wording(finding: Finding) -> str:
    if finding.question:
        return finding.question
    first, rest = finding.name[:1], finding.name[1:]
    capital = rest[:1].isupper() or rest[:1].isdigit()  # CRP, L5: keep
    return f"Is there {first if capital else first.lower()}{rest}?"
