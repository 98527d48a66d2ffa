"""Patients per second of the population kernel, and its ratio to pyAgrum's exact inference on one sub-network.

    python -m benchmarks.kernel [--patients 20000]

Everything is measured in one run on one machine, after the answers have been found the same. Patients are simulated from the
knowledge base: a set of causes from the prior, manifestations from it, and 8 to 15 manifestations reported on.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from itertools import combinations

import msgspec
import numba
import numpy as np
import pyagrum as gum
from numpy.typing import NDArray

from sequela.knowledge import load
from sequela.knowledge.model import Knowledge
from sequela.reasoning import batch
from sequela.reasoning.network import Floats, Network, build, compiled
from sequela.reasoning.prior import over_hypotheses

REPEATS = 7
OBSERVED = (8, 15)
SUB_CAUSES, SUB_MANIFESTATIONS, SUB_OBSERVED = 10, 10, (4, 8)
PEER_PATIENTS = 40


def simulate(
    network: Network, prior: Floats, n: int, observed: tuple[int, int], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """a, b [n, G] of simulated patients; manifestations with more findings are reported on more often."""
    rng = np.random.default_rng(seed)
    g_of = network.shown_by
    findings = [np.flatnonzero(g_of == g) for g in range(len(network.leak))]
    often = np.log(np.bincount(g_of, minlength=len(network.leak)) + 1e-9)
    a, b = np.ones((2, n, len(network.leak)), dtype=np.float32)
    drawn = rng.choice(len(prior), n, p=prior)
    for x in range(n):
        k = rng.integers(observed[0], observed[1] + 1)
        # Gumbel trick: k manifestations without replacement, in proportion to their findings.
        for g in np.argsort(-(often + rng.gumbel(size=len(often))))[:k]:
            there = rng.random() < network.present[drawn[x], g]
            for f in rng.choice(findings[g], min(len(findings[g]), rng.integers(1, 3)), replace=False):
                status = 0 if rng.random() < network.likelihood[f, 0, 0 if there else 1] else 1
                a[x, g] *= network.likelihood[f, status, 0]
                b[x, g] *= network.likelihood[f, status, 1]
    return a, b


def direct(network: Network, prior: Floats, a: Floats, b: Floats) -> Floats:
    """[C] the answer of one patient, by the formula of design.md over all hypotheses, in double precision."""
    joint = prior * np.prod(network.present * a + (1.0 - network.present) * b, axis=1)
    return np.asarray(joint @ network.contains / joint.sum(), dtype=np.float64)


def shares(knowledge: Knowledge) -> Floats:
    """[C] prior weights of an unknown operation, summing to one."""
    weight = np.array([cause.prior["any"] for cause in knowledge.causes])
    return weight / weight.sum()


def part(knowledge: Knowledge) -> Knowledge:
    """The sub-network: the most frequent causes, and the manifestations that most of them share."""
    causes = sorted(knowledge.causes, key=lambda one: -one.prior["any"])[:SUB_CAUSES]
    kept = {one.id for one in causes}
    narrowed = [
        msgspec.structs.replace(m, caused_by={c: p for c, p in m.caused_by.items() if c in kept})
        for m in knowledge.manifestations
    ]
    shared = sorted(narrowed, key=lambda m: -len(m.caused_by))[:SUB_MANIFESTATIONS]
    shown = {m.id for m in shared}
    pairs = [
        (f, one) for f, one in zip(knowledge.findings, knowledge.likelihoods, strict=True) if f.manifestation in shown
    ]
    return msgspec.structs.replace(
        knowledge,
        version="part",
        causes=tuple(causes),
        manifestations=tuple(shared),
        findings=tuple(f for f, _ in pairs),
        likelihoods=tuple(one for _, one in pairs),
    )


def as_noisy_or(knowledge: Knowledge) -> tuple[gum.BayesNet, dict[str, list[float]]]:
    """The sub-network as one would draw it: a node per cause, noisy-OR manifestations, and a chain that counts the causes.

    Independent causes with odds equal to their weights, and soft evidence P(size) / (total weight of all sets of that size)
    on the count, give exactly the prior over sets of at most three. Returns the net and that evidence.
    """
    net, weight = gum.BayesNet(), shares(knowledge)
    for cause, odds in zip(knowledge.causes, weight, strict=True):
        net.add(gum.LabelizedVariable(cause.id, "", 2))
        net.cpt(cause.id)[:] = [1.0 / (1.0 + odds), odds / (1.0 + odds)]
    for m in knowledge.manifestations:
        net.addNoisyORNet(gum.LabelizedVariable(m.id, "", 2), m.leak)
        for cause_, link in m.caused_by.items():
            net.addWeightedArc(cause_, m.id, link)
    last = _count(net, [cause.id for cause in knowledge.causes])
    sizes = knowledge.priors.sizes
    wanted = [sizes.none, sizes.one, sizes.two, sizes.three]
    totals = [sum(float(np.prod(c)) for c in combinations(weight.tolist(), k)) for k in range(4)]
    evidence = [share / total if total else 0.0 for share, total in zip(wanted, totals, strict=True)]
    return net, {last: [*(e / max(evidence) for e in evidence), 0.0]}


def _count(net: gum.BayesNet, causes: list[str]) -> str:
    """Adds count_i = min(count_(i-1) + cause_i, 4), a node per cause; returns the last."""
    before = None
    for cause in causes:
        name = f"count_{cause}"
        net.add(gum.LabelizedVariable(name, "", 5))
        net.addArc(cause, name)
        if before is not None:
            net.addArc(before, name)
        for here in (0, 1):
            for so_far in range(5) if before is not None else (0,):
                row = [0.0] * 5
                row[min(so_far + here, 4)] = 1.0
                net.cpt(name)[{cause: here} | ({before: so_far} if before is not None else {})] = row
        before = name
    assert before is not None
    return before


def as_sets(knowledge: Knowledge) -> gum.BayesNet:
    """The same with one node whose states are the hypotheses: the form that is kindest to a general engine."""
    network = build(knowledge)
    net = gum.BayesNet()
    net.add(gum.LabelizedVariable("set", "", len(network.members)))
    net.cpt("set")[:] = over_hypotheses(network, shares(knowledge), knowledge.priors.sizes)
    for g, m in enumerate(knowledge.manifestations):
        net.add(gum.LabelizedVariable(m.id, "", 2))
        net.addArc("set", m.id)
        p = network.present[:, g]
        net.cpt(m.id)[:] = np.stack([1.0 - p, p], axis=1)
    return net


def asked_noisy_or(knowledge: Knowledge) -> Callable[[Floats, Floats], list[float]]:
    """Marginals of one patient by LazyPropagation on the drawn network."""
    net, constraint = as_noisy_or(knowledge)
    engine = gum.LazyPropagation(net)
    names = [cause.id for cause in knowledge.causes]

    def ask(a: Floats, b: Floats) -> list[float]:
        engine.setEvidence(constraint | reports(knowledge, a, b))
        engine.makeInference()
        return [float(engine.posterior(name)[1]) for name in names]

    return ask


def asked_sets(knowledge: Knowledge) -> Callable[[Floats, Floats], list[float]]:
    """Marginals of one patient by LazyPropagation on the network with one node of sets."""
    engine = gum.LazyPropagation(as_sets(knowledge))
    engine.setTargets({"set"})
    contains = build(knowledge).contains

    def ask(a: Floats, b: Floats) -> list[float]:
        engine.setEvidence(reports(knowledge, a, b))
        engine.makeInference()
        found: list[float] = (engine.posterior("set").toarray() @ contains).tolist()
        return found

    return ask


def reports(knowledge: Knowledge, a: Floats, b: Floats) -> dict[str, list[float]]:
    """Soft evidence [absent, present] on the manifestations that are reported on."""
    rows = zip(knowledge.manifestations, a.tolist(), b.tolist(), strict=True)
    return {m.id: [absent, present] for m, present, absent in rows if present != absent}


def timed(call: Callable[[], object]) -> list[float]:
    """Seconds of REPEATS calls after one to warm up."""
    call()
    return [seconds(call) for _ in range(REPEATS)]


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def whole(knowledge: Knowledge, n: int) -> None:
    """The full knowledge base: agreement with double precision, then speed."""
    network = compiled(knowledge)
    weight, sizes = shares(knowledge), knowledge.priors.sizes
    prior = over_hypotheses(network, weight, sizes)
    on = batch.tables(network, sizes)
    print(f"full knowledge base: {len(network.members)} hypotheses x {len(network.leak)} manifestations")
    for label, observed in (("8-15 manifestations", OBSERVED), ("all manifestations", (len(network.leak),) * 2)):
        a, b = simulate(network, prior, n if observed == OBSERVED else n // 20, observed, seed=1)
        found = batch.marginals(on, a[:200], b[:200], weight).causes
        worst = max(float(np.abs(direct(network, prior, a[x], b[x]) - found[x]).max()) for x in range(len(found)))
        a, b = np.tile(a, (10, 1)), np.tile(b, (10, 1))
        taken = timed(lambda a=a, b=b: batch.marginals(on, a, b, weight))
        print(
            f"  {label}: median {len(a) / statistics.median(taken):,.0f} patients/s "
            f"(slowest {len(a) / max(taken):,.0f}, fastest {len(a) / min(taken):,.0f}); target 50,000; "
            f"largest difference from double precision {worst:.1e}"
        )


def against_peer(knowledge: Knowledge) -> None:
    """The sub-network: same answers, then time per patient of each."""
    sub = part(knowledge)
    network = compiled(sub)
    weight = shares(sub)
    on = batch.tables(network, sub.priors.sizes)
    a, b = simulate(network, over_hypotheses(network, weight, sub.priors.sizes), 2000, SUB_OBSERVED, seed=2)
    found = batch.marginals(on, a, b, weight).causes
    many = (np.tile(a, (100, 1)), np.tile(b, (100, 1)))
    ours = statistics.median(timed(lambda: batch.marginals(on, *many, weight))) / len(many[0])
    print(f"sub-network: {SUB_CAUSES} causes, {SUB_MANIFESTATIONS} manifestations, {len(network.members)} hypotheses")
    print(f"  sequela, both cores: {ours * 1e6:.3f} us per patient")
    for label, ask in (("noisy-OR nodes", asked_noisy_or(sub)), ("one node of sets", asked_sets(sub))):
        worst = max(float(np.abs(np.array(ask(a[x], b[x])) - found[x]).max()) for x in range(PEER_PATIENTS))
        if worst > 1e-6:
            raise SystemExit(f"pyAgrum ({label}) and the kernel differ by {worst:.1e}")
        taken = statistics.median(seconds(lambda x=x, ask=ask: ask(a[x], b[x])) for x in range(PEER_PATIENTS))
        print(
            f"  pyAgrum LazyPropagation, {label}: {taken * 1e6:,.0f} us per patient; ratio {taken / ours:,.0f} "
            f"(target 1,000); largest difference {worst:.1e}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--patients", type=int, default=20_000, help="distinct simulated patients; each is run ten times"
    )
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}, "
        f"pyAgrum {gum.__version__}, {os.cpu_count()} cores, {numba.get_num_threads()} numba threads"
    )
    knowledge = load()
    whole(knowledge, options.patients)
    against_peer(knowledge)


if __name__ == "__main__":
    main()
