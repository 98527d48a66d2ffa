"""What a test is expected to tell: bits about the hypotheses, by the model itself.

Outcomes of all tests are sampled together: a hypothesis from the posterior, its manifestations given record and hypothesis, then
the answers given the manifestations. So signs of one manifestation stay correlated and ten of them do not count ten times. For
each sampled outcome the posterior is exact; the information is the entropy now less the mean entropy after.

N outcomes, K hypotheses kept, G manifestations, F findings. The noise is counted, not drawn from a generator's state: the same
record gives the same numbers on every machine.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import msgspec
import numpy as np

from sequela.knowledge.model import Knowledge, Test
from sequela.reasoning.evidence import Evidence
from sequela.reasoning.intervals import Floats32, matter, uniform
from sequela.reasoning.missing import manifest
from sequela.reasoning.network import Floats, Indexes, Network, compiled

OUTCOMES = 64
_CELLS = 130_000
"""Most outcomes times hypotheses: a vague record keeps thousands of hypotheses and gets fewer outcomes, so a plan stays quick."""
_LEAST_CHANCE = 1e-6
_LEAST = np.float32(1e-30)
"""Keeps logarithms of vanished hypotheses finite; times their zero weight it adds nothing."""


class Belief(msgspec.Struct, frozen=True, eq=False):
    """The hypotheses that matter. rows [K] in the network; p [K], summing to one; state [G, K] P(manifestation | record, h)."""

    rows: Indexes
    p: Floats
    state: Floats32


class Outcomes(msgspec.Struct, frozen=True, eq=False):
    """Sampled answers. drawn [N]: the hypothesis of each, an index into the belief.

    yes [N, F]: what was answered. weight [N, F]: ln P(answer | manifestation) / P(answer | no manifestation); 0 where an answer
    is known already, cannot be, or follows from another.
    """

    drawn: Indexes
    yes: Indexes
    weight: Floats


class Reading(msgspec.Struct, frozen=True, eq=False):
    """A test as the network sees it. by [g -> findings it reads]; classes [H]: hypotheses alike in all its manifestations."""

    findings: dict[int, Indexes]
    classes: Indexes


def belief(network: Network, evidence: Sequence[Evidence], after: Floats) -> Belief:
    """The belief after the record; after [H]: its posterior."""
    rows = matter(network, after)
    p = after[rows]
    return Belief(rows, p / p.sum(), np.ascontiguousarray(manifest(network, evidence, rows).T, dtype=np.float32))


def sample(network: Network, held: Belief, open_: Floats, most: int = OUTCOMES) -> Outcomes:
    """Outcomes of asking everything at once. open_ [F]: 1.0 where the answer is not known yet and can be found."""
    count = max(most // 2, min(most, _CELLS // len(held.p)))
    manifest_noise, answer_noise = _noise(count, len(held.state), len(open_))
    ladder = (np.arange(count) + 0.5) / count
    drawn = np.minimum(np.searchsorted(np.cumsum(held.p), ladder), len(held.p) - 1)
    shown = (manifest_noise < held.state[:, drawn].T)[:, network.shown_by]
    a, b = chances(network)
    yes = np.asarray(answer_noise < np.where(shown, a, b))
    said, denied = np.log(a / b), np.log((1.0 - a) / (1.0 - b))
    weight = np.where(yes, said, denied) * open_
    for x, y in _follows(network):
        weight[:, y] *= ~(yes[:, x] & (open_[x] > 0.0))
        weight[:, x] *= yes[:, x] | yes[:, y] | (open_[y] == 0.0)
    return Outcomes(drawn, yes.astype(np.int64), weight)


def bits(knowledge: Knowledge, held: Belief, outcomes: Outcomes, tests: Collection[Test]) -> dict[str, float]:
    """Expected information of each test, in bits about the hypotheses."""
    readings = _readings(knowledge)
    told = {}
    for test in tests:
        reading = readings[test.id]
        _, rows, alike = np.unique(reading.classes[held.rows], return_index=True, return_inverse=True)
        p = np.bincount(alike, weights=held.p).astype(np.float32)
        fit = fits(held.state, rows, reading, outcomes, alike[outcomes.drawn])
        told[test.id] = 0.0 if fit is None else max(0.0, float(entropy(p[None, :])[0] - entropy(p * fit).mean()))
    return told


def fits(state: Floats32, rows: Indexes, reading: Reading, outcomes: Outcomes, drawn: Indexes) -> Floats32 | None:
    """[N, len(rows)] P(outcome | hypothesis) by that under the drawn one (an index into rows); None when nothing is left to tell.

    rows: which hypotheses of state [G, K].
    """
    fit: Floats32 | None = None
    for g, findings in reading.findings.items():
        weight = outcomes.weight[:, findings].sum(axis=1)
        if not weight.any():
            continue
        chance = state[g, rows]
        top = np.maximum(weight, 0.0)
        present, absent = np.exp(weight - top), np.exp(-top)
        own = absent + (present - absent) * chance[drawn]
        base, slope = (absent / own).astype(np.float32), ((present - absent) / own).astype(np.float32)
        if fit is None:
            fit, term = np.ones((2, len(weight), len(chance)), dtype=np.float32)
        np.multiply(
            slope[:, None], chance, out=term
        )  # in place: fresh memory for every term would cost more than the sums
        term += base[:, None]
        fit *= term
    return fit


def entropy(joint: Floats32) -> Floats:
    """[N] bits of each row of joint [N, K], of any scale."""
    total = joint.sum(axis=1, dtype=np.float64)
    spread = np.einsum("nk,nk->n", joint, np.log2(joint + _LEAST))
    return np.asarray(np.log2(total) - spread / total, dtype=np.float64)


def learnt(network: Network, held: Belief, reading: Reading, weight: Floats) -> Belief:
    """The belief after one outcome of a test; weight [F]: as in `Outcomes`."""
    p, state = held.p.copy(), held.state.copy()
    for g, findings in reading.findings.items():
        told = weight[findings].sum()
        present, absent = np.exp(told - max(told, 0.0)), np.exp(-max(told, 0.0))
        likely = absent + (present - absent) * held.state[g].astype(np.float64)
        p *= likely / likely.max()
        state[g] *= (present / likely).astype(np.float32)
    after = np.zeros(len(network.members))
    after[held.rows] = p / p.sum()
    rows = np.intersect1d(matter(network, after), held.rows)
    kept = np.searchsorted(held.rows, rows)
    return Belief(rows, after[rows] / after[rows].sum(), np.ascontiguousarray(state[:, kept]))


def reading_of(knowledge: Knowledge, test: str) -> Reading:
    return _readings(knowledge)[test]


@lru_cache(maxsize=4)
def _noise(count: int, manifestations: int, findings: int) -> tuple[Floats, Floats]:
    """Uniform [N, G] and [N, F]; a column is the noise of one manifestation or finding, whatever else is asked."""
    size = manifestations + findings
    grid = np.arange(size, dtype=np.uint64)[None, :] * np.uint64(1 << 20) + np.arange(count, dtype=np.uint64)[:, None]
    noise = uniform(grid)
    return noise[:, :manifestations], noise[:, manifestations:]


def chances(network: Network) -> tuple[Floats, Floats]:
    """[F] twice: P(yes | manifestation present) and P(yes | absent). Looked for outright, the answer is yes or no.

    What is not denied; so an answer weighs here exactly what it will weigh as a report.
    """
    denied = np.minimum(network.likelihood[:, 1], 1.0 - _LEAST_CHANCE)
    return 1.0 - denied[:, 0], 1.0 - denied[:, 1]


def _follows(network: Network) -> list[tuple[int, int]]:
    """Pairs of findings of one manifestation, the first of which implies the second: told together they count once."""
    at, shown = network.findings, network.shown_by
    pairs = [(at[x], at[y]) for x, above in network.implied.items() for y in above]
    return [(x, y) for x, y in pairs if shown[x] == shown[y]]


_cache: dict[str, tuple[Knowledge, dict[str, Reading]]] = {}


def _readings(knowledge: Knowledge) -> dict[str, Reading]:
    """Of every test; compiled once per knowledge base, like the network."""
    held = _cache.get(knowledge.version)
    if held is None or held[0] is not knowledge:
        network = compiled(knowledge)
        held = _cache[knowledge.version] = (knowledge, {t.id: _reading(network, t) for t in knowledge.tests})
    return held[1]


def _reading(network: Network, test: Test) -> Reading:
    read = np.array([network.findings[id_] for id_ in test.reads if id_ in network.findings], dtype=np.int64)
    groups = {int(g): read[network.shown_by[read] == g] for g in np.unique(network.shown_by[read])}
    relevant = np.atleast_1d((network.link[:, list(groups)] > 0.0).any(axis=1))
    place = np.where(relevant, np.arange(len(relevant)) + 1, 0)  # causes the test cannot see are nobody to it
    members = np.sort(place[network.members] * relevant[network.members], axis=1)
    key = members @ (len(place) + 1) ** np.arange(members.shape[1])
    return Reading(groups, np.unique(key, return_inverse=True)[1])
