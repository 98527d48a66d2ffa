"""The planner of the next test against a fixed protocol, and calibration, on patients drawn from the model itself.

    python -m benchmarks.workup [--patients 10000] [--plots docs]

Every patient gets causes from the prior of an operation, manifestations from the causes, and an answer of every finding from the
manifestations. A quarter of history and examination is told at the start. The fixed protocol then orders X-ray, MRI, CT, EMG and
blocks in this order; the planner chooses among all tests by `reasoning.workup`, as in an assessment. The protocol is run to its
end, or stops once the leading cause reaches a threshold, which is varied; the planner stops when no test is worth its effort, and
that worth is varied. Because the planner reads records and questionnaires first, which ask almost nothing, a protocol that does so
too is compared as well. It shows what planning saves where the model is true: nothing about patients, for whom it is an estimate.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sequela.case import Case, Operation
from sequela.knowledge import load
from sequela.knowledge.model import Knowledge
from sequela.reasoning import batch
from sequela.reasoning.facts import facts_of
from sequela.reasoning.information import belief, chances, learnt, reading_of
from sequela.reasoning.network import Floats, Network, compiled
from sequela.reasoning.prior import over_hypotheses, weights
from sequela.reasoning.workup import Option, effort, next_steps

PROTOCOL = ("standing_xray", "mri", "ct", "emg_ncs", "diagnostic_blocks")
CHEAP = ("operation_note_review", "questionnaires")
TAKEN = ("history_and_red_flags", "clinical_examination")
OPERATIONS = ("discectomy", "laminectomy", "posterolateral_fusion")
TOLD = 0.25
"""Share of history and examination that the record tells at the start."""

NEVER = 1.01
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, NEVER)
WORTHS = (1.2, 0.8, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.0)
"""Bits per effort below which the planner stops; the last is the planner as it is, which has its own limit in workup.yaml."""
PLAUSIBLE = 0.05
BINS = 10


class Drawn(NamedTuple):
    """n patients of one operation. causes [n, C]: who acts; weight [n, F]: ln likelihood ratio of every answer; told [n, F]."""

    case: Case
    causes: NDArray[np.bool_]
    weight: Floats
    told: NDArray[np.bool_]


Orders = list[list[tuple[str, float]]]
"""Per patient the tests in order, each with its expected bits per effort when it was chosen."""


class Run(NamedTuple):
    """After 0, 1, … tests, one column each: what they asked so far [n, steps + 1], the posterior of every cause
    [n, steps + 1, C], and the worth of the next test [n, steps + 1], 0 where there is none."""

    effort: Floats
    cost: Floats
    dose: Floats
    posterior: NDArray[np.float32]
    worth: Floats


class Stopped(NamedTuple):
    """Means over patients who stop at a threshold. accuracy: the leading cause acts."""

    accuracy: float
    effort: float
    cost: float
    dose: float


def draw(knowledge: Knowledge, procedure: str, n: int, seed: int) -> Drawn:
    """Patients from the model."""
    network, rng = compiled(knowledge), np.random.default_rng(seed)
    case = Case(operations=(Operation(procedure, levels=("L4-L5",)),))
    prior = over_hypotheses(network, weights(case, knowledge, {}), knowledge.priors.sizes)
    sets = rng.choice(len(prior), n, p=prior)
    shown = (rng.random((n, len(network.leak))) < network.present[sets])[:, network.shown_by]
    a, b = chances(network)
    yes = rng.random((n, len(a))) < np.where(shown, a, b)
    weight = np.where(yes, np.log(a / b), np.log((1.0 - a) / (1.0 - b)))
    start = np.isin(np.arange(len(a)), reads(TAKEN))
    return Drawn(case, network.contains[sets] > 0.0, weight, start & (rng.random(weight.shape) < TOLD))


@cache
def reads(tests: tuple[str, ...]) -> NDArray[np.int64]:
    """Indexes of the findings that the tests read."""
    knowledge = load()
    at = compiled(knowledge).findings
    return np.array([at[id_] for test in knowledge.tests if test.id in tests for id_ in test.reads])


def planned(knowledge: Knowledge, drawn: Drawn, patients: range) -> Orders:
    """The tests that the planner orders for each patient, until nothing is worth doing or the leading cause is clear."""
    prior = over_hypotheses(compiled(knowledge), weights(drawn.case, knowledge, {}), knowledge.priors.sizes)
    return [_plan_one(knowledge, drawn, prior, n) for n in patients]


def _plan_one(knowledge: Knowledge, drawn: Drawn, prior: Floats, n: int) -> list[tuple[str, float]]:
    network, workup = compiled(knowledge), knowledge.workup
    assert workup is not None
    told, closed = drawn.weight[n] * drawn.told[n], drawn.told[n].copy()
    held = belief(network, (), prior)
    for test in TAKEN:
        held = learnt(network, held, reading_of(knowledge, test), told)
        told[reads((test,))] = 0.0
        closed[reads((test,))] = True
    options = [Option(t, effort(workup.effort, t), (), ()) for t in knowledge.tests if t.id not in TAKEN]
    facts, done = facts_of(drawn.case, knowledge), list[tuple[str, float]]()
    while (held.p @ network.contains[held.rows]).max() < workup.enough.value:
        following = next_steps(knowledge, workup, options, held, 1.0 - closed, facts)
        if not following:
            break
        test, told_bits = following[0]
        done.append((test, told_bits / next(o.effort for o in options if o.test.id == test)))
        held = learnt(network, held, reading_of(knowledge, test), drawn.weight[n] * ~closed)
        closed[reads((test,))] = True
        options = [o for o in options if o.test.id != test]
    return done


def run(knowledge: Knowledge, drawn: Drawn, orders: Orders) -> Run:
    """What the ordered tests ask and tell; the posterior is the exact one of the population kernel."""
    network, workup = compiled(knowledge), knowledge.workup
    assert workup is not None
    tests = {t.id: t for t in knowledge.tests}
    steps, n = max(map(len, orders), default=0), len(orders)
    asked, worth = np.zeros((3, n, steps + 1)), np.zeros((n, steps + 1))
    told = drawn.told.copy()
    closed = told | np.isin(np.arange(told.shape[1]), reads(TAKEN))
    tables = batch.tables(network, knowledge.priors.sizes)
    prior = weights(drawn.case, knowledge, {})
    posterior = [_posterior(network, tables, prior, drawn.weight, told)]
    for step in range(steps):
        asked[:, :, step + 1] = asked[:, :, step]
        for i, order in enumerate(orders):
            if step < len(order):
                test, worth[i, step] = tests[order[step][0]], order[step][1]
                asked[:, i, step + 1] += (effort(workup.effort, test), test.cost_index, sum(test.radiation_msv) / 2.0)
                found = reads((test.id,))
                told[i, found[~closed[i, found]]] = True
        posterior.append(_posterior(network, tables, prior, drawn.weight, told))
    return Run(*asked, np.stack(posterior, axis=1), worth)


def _posterior(
    network: Network, tables: batch.Tables, prior: Floats, weight: Floats, told: NDArray[np.bool_]
) -> NDArray[np.float32]:
    log_ratio = np.zeros((len(weight), len(network.leak)))
    np.add.at(log_ratio.T, network.shown_by, (weight * told).T)
    top = np.maximum(log_ratio, 0.0)
    return batch.marginals(tables, np.exp(log_ratio - top), np.exp(-top), prior).causes


def stopped(result: Run, causes: NDArray[np.bool_], threshold: float = NEVER, worth: float = 0.0) -> Stopped:
    """Everybody stops at the first step at which the leading cause reaches the threshold, or the next test is worth too little."""
    enough = (result.posterior.max(axis=2) >= threshold) | (result.worth < worth)
    enough[:, -1] = True
    at = enough.argmax(axis=1)
    each = np.arange(len(at))
    leading = result.posterior[each, at].argmax(axis=1)
    return Stopped(float(causes[each, leading].mean()), *(float(x[each, at].mean()) for x in result[:3]))


def calibration(probability: Floats, acts: NDArray[np.bool_]) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error over ten bins of equal width, and per bin: mean probability, share that acts, count."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    rows = [
        (float(probability[bins == b].mean()), float(acts[bins == b].mean()), int((bins == b).sum()))
        for b in range(BINS)
        if (bins == b).any()
    ]
    return sum(abs(p - share) * count for p, share, count in rows) / len(probability), rows


class Result(NamedTuple):
    """planner: by worth. protocol, cheap_first: by threshold; the latter reads records and questionnaires first. errors: of the leading cause, of all plausible ones."""

    planner: dict[float, Stopped]
    protocol: dict[float, Stopped]
    cheap_first: dict[float, Stopped]
    error_leading: float
    error_plausible: float
    reliability: dict[str, list[tuple[float, float, int]]]
    seconds: float


def measure(patients: int, workers: int = 1, seed: int = 1) -> Result:
    """Draw the patients, order their tests both ways, and compare."""
    start, knowledge = time.perf_counter(), load()
    groups = [draw(knowledge, one, patients // len(OPERATIONS), seed + i) for i, one in enumerate(OPERATIONS)]
    plans = [run(knowledge, drawn, orders) for drawn, orders in zip(groups, _orders(groups, workers), strict=True)]
    fixed = {
        order: _joined([_fixed(knowledge, drawn, order) for drawn in groups]) for order in (PROTOCOL, CHEAP + PROTOCOL)
    }
    causes = np.concatenate([drawn.causes for drawn in groups])
    planner = _joined(plans)
    last = planner.posterior[:, -1].astype(np.float64)
    leader = last.argmax(axis=1)
    each = np.arange(len(last))
    leading = calibration(last[each, leader], causes[each, leader])
    first = planner.posterior[:, 0].astype(np.float64)
    both, acts = np.stack([first, last]), np.stack([causes, causes])
    plausible = calibration(both[both >= PLAUSIBLE], acts[both >= PLAUSIBLE])
    return Result(
        {w: stopped(planner, causes, worth=w) for w in WORTHS},
        *({t: stopped(one, causes, t) for t in THRESHOLDS} for one in fixed.values()),
        leading[0],
        plausible[0],
        {"leading cause, after the tests": leading[1], "every plausible cause, before and after": plausible[1]},
        time.perf_counter() - start,
    )


def _fixed(knowledge: Knowledge, drawn: Drawn, order: tuple[str, ...]) -> Run:
    return run(knowledge, drawn, [[(test, 1.0) for test in order]] * len(drawn.weight))


def _joined(runs: list[Run]) -> Run:
    """Runs of several groups as one; who has stopped stays at his last step."""
    steps = max(one.effort.shape[1] for one in runs)
    return Run(
        *(
            np.concatenate(
                [np.take(one[i], np.minimum(np.arange(steps), one.effort.shape[1] - 1), axis=1) for one in runs]
            )
            for i in range(len(Run._fields))
        )
    )


def _orders(groups: list[Drawn], workers: int) -> list[Orders]:
    """The planner's orders for every group, spread over processes."""
    if workers == 1:
        return [planned(load(), drawn, range(len(drawn.weight))) for drawn in groups]
    size = 250
    with ProcessPoolExecutor(workers) as pool:
        jobs = [
            [pool.submit(_part, drawn, slice(at, at + size)) for at in range(0, len(drawn.weight), size)]
            for drawn in groups
        ]
        return [[order for job in group for order in job.result()] for group in jobs]


def _part(drawn: Drawn, rows: slice) -> Orders:
    part = Drawn(drawn.case, drawn.causes[rows], drawn.weight[rows], drawn.told[rows])
    return planned(load(), part, range(len(part.weight)))


def matching(result: Result, goal: Stopped) -> Stopped:
    """The planner where it asks least and is as accurate as the goal; as it is where it never is."""
    equal = [one for one in result.planner.values() if one.accuracy >= goal.accuracy]
    return min(equal, key=lambda one: one.effort) if equal else result.planner[0.0]


def report(result: Result) -> list[str]:
    """The figures in lines, ratios first."""
    lines = []
    for name, goal in (
        ("run to its end", result.protocol[NEVER]),
        ("stopping at 90 %", result.protocol[0.9]),
        ("with records and questionnaires first", result.cheap_first[NEVER]),
        ("with records and questionnaires first, stopping at 90 %", result.cheap_first[0.9]),
    ):
        for which, plan in (("as it is", result.planner[0.0]), ("as accurate", matching(result, goal))):
            lines.append(
                f"planner {which} / protocol {name}: accuracy {plan.accuracy:.3f} / {goal.accuracy:.3f}, "
                f"effort {plan.effort / goal.effort:.0%}, cost {plan.cost / goal.cost:.0%}, radiation {plan.dose / goal.dose:.0%}"
            )
    lines.append(
        f"expected calibration error: leading cause {result.error_leading:.3f}, plausible causes {result.error_plausible:.3f}"
    )
    lines.append(f"{result.seconds:.0f} s")
    return lines


def draw_plots(result: Result, folder: Path) -> None:
    """docs/workup.png and docs/calibration.png."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for axis, name, label in zip(
        axes, ("effort", "cost"), ("burden, dose, cost and delay (effort)", "cost (lumbar MRI = 1)"), strict=True
    ):
        for curve, title, style in (
            (result.planner, "planner", "o-"),
            (result.cheap_first, "fixed protocol, records and questionnaires first", "^:"),
            (result.protocol, "fixed protocol", "s--"),
        ):
            x, y = [getattr(one, name) for one in curve.values()], [one.accuracy for one in curve.values()]
            axis.plot(x, y, style, label=title, markersize=4)
        axis.set_xlabel(f"mean {label} per patient")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("leading cause acts")
    axes[0].legend(loc="lower right")
    figure.suptitle("Simulated patients drawn from the model")
    figure.tight_layout()
    figure.savefig(folder / "workup.png", dpi=110)
    figure, axis = plt.subplots(figsize=(5, 5))
    axis.plot([0, 1], [0, 1], "k:", linewidth=1)
    for name, rows in result.reliability.items():
        axis.plot([p for p, _, _ in rows], [share for _, share, _ in rows], "o-", label=name, markersize=4)
    axis.set(xlabel="probability given", ylabel="share of causes that act", title="Calibration, simulated patients")
    axis.legend(loc="upper left")
    axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(folder / "calibration.png", dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--plots", type=Path, help="folder for workup.png and calibration.png")
    given = parser.parse_args()
    result = measure(given.patients, given.workers)
    print("\n".join(report(result)))
    for name, curve in (("planner", result.planner), ("protocol", result.protocol)):
        for threshold, one in curve.items():
            print(
                f"  {name} {threshold:.2f}: accuracy {one.accuracy:.3f} effort {one.effort:.2f} cost {one.cost:.2f} dose {one.dose:.2f}"
            )
    if given.plots:
        draw_plots(result, given.plots)


if __name__ == "__main__":
    main()
