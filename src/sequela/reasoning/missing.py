"""What to ask next: what the record does not say and a clinician could find out by asking or examining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sequela.knowledge.model import Finding, Knowledge
from sequela.reasoning.assessment import Question
from sequela.reasoning.differential import Evidence, marginals, parts
from sequela.reasoning.facts import Settled
from sequela.reasoning.network import Floats, Network, compiled, sums
from sequela.reasoning.red_flags import Judged, half_met

ASKED = ("history", "symptom", "examination")
MOST_QUESTIONS = 8
MOST_URGENT = 4
TOP_CAUSES = 5


def questions(
    knowledge: Knowledge,
    known: Mapping[str, Settled],
    judged: Sequence[Judged],
    evidence: Sequence[Evidence],
    after: Floats,
) -> tuple[Question, ...]:
    """At most eight questions, most useful first: what decides a half-met red flag, then what tells most about the causes.

    One question per manifestation, because a second answer about the same thing tells less. after [H]: the posterior.
    """
    network = compiled(knowledge)
    order = np.argsort(-information(network, evidence, after), kind="stable")
    urgent = [network.findings[id_] for id_ in half_met(judged, known) if id_ in network.findings]
    answered = _answered(network, known)
    asked: dict[str, Question] = {}
    for chosen, most in ((urgent, MOST_URGENT), (order.tolist(), MOST_QUESTIONS)):
        for f in chosen:
            finding = knowledge.findings[f]
            if len(asked) < most and finding.kind in ASKED and finding.id not in answered:
                asked.setdefault(finding.manifestation, Question(finding.id, _wording(finding)))
    return tuple(asked.values())


def information(network: Network, evidence: Sequence[Evidence], after: Floats) -> Floats:
    """[F] bits that asking for each finding is expected to tell about the most probable causes.

    An approximation: the mutual information with each of the top causes, added up as if they were independent.
    """
    marginal = marginals(network, after)
    top = np.argsort(-marginal, kind="stable")[:TOP_CAUSES]
    p = marginal[top, None]
    yes, no = network.likelihood[:, 0].T, network.likelihood[:, 1].T
    a, b = yes / (yes + no)  # asked outright, the answer is yes or no
    shown = _shown(network, evidence, after, network.contains[:, top])
    with_cause, without = (b + (a - b) * state[:, network.shown_by] for state in shown)
    gain = _entropy(p * with_cause + (1.0 - p) * without) - p * _entropy(with_cause) - (1.0 - p) * _entropy(without)
    return np.asarray(gain.sum(axis=0), dtype=np.float64)


def _shown(network: Network, evidence: Sequence[Evidence], after: Floats, contains: Floats) -> tuple[Floats, Floats]:
    """[T, G] twice, for T causes: P(manifestation | record, cause) and P(manifestation | record, not the cause)."""
    log_a, log_b = parts(network, evidence)
    state = network.present.copy()
    for g in {one.g for one in evidence}:
        against = (1.0 - state[:, g]) * np.exp(min(log_b[g] - log_a[g], 500.0))
        state[:, g] /= state[:, g] + against
    joint = np.concatenate([after[None, :], after * contains.T])
    whole, *inside = sums(joint, state)
    p = joint[1:].sum(axis=1)[:, None]
    return _ratio(np.array(inside), p), _ratio(whole - inside, 1.0 - p)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """A conditional probability; 0.5 under a condition that cannot be (it then weighs nothing)."""
    return np.clip(np.divide(part, whole, out=np.full_like(part, 0.5), where=whole > 1e-12), 0.0, 1.0)


def _entropy(p: Floats) -> Floats:
    """Bits of a yes-or-no question answered yes with probability p."""
    safe = np.clip(p, 1e-12, 1.0 - 1e-12)
    return np.asarray(-safe * np.log2(safe) - (1.0 - safe) * np.log2(1.0 - safe), dtype=np.float64)


def _answered(network: Network, known: Mapping[str, Settled]) -> set[str]:
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
