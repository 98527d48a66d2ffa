"""The same posterior as `reasoning.differential`, for populations: compiled, float32, patients in parallel.

Exact, and fast for this reason. Scaled so that the empty hypothesis has t = 1, the factor of manifestation g under a set of
causes is t(set) = alpha + (1 - alpha) Q(set), with alpha = a / (b + (a - b) leak) and Q the product of (1 - link) over the
set. Adding cause i to a smaller set p multiplies Q by q = 1 - link_i, so

    t(p + i) / t(p) = q + alpha (1 - q) / t(p).

The product over g for p + i is therefore the product for p times one such ratio per manifestation that i can bring about,
and nothing for all the others. Hypotheses are ordered by their largest member (`network.hypotheses`), so the sets with
largest member i are i joined to a prefix of the smaller sets: contiguous arrays, one multiply-add and one multiply per
hypothesis and link. A manifestation that only one cause brings about is a single factor on that cause's weight. Terms are
positive and are multiplied and added only, so float32 keeps its digits.

Imports numba: never import this module on the way to a single assessment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from sequela.knowledge.model import Sizes
from sequela.reasoning.network import Floats, Network

Floats32 = NDArray[np.float32]
Integers = NDArray[np.int32]

CHUNK = 256
"""Patients per task: enough to forget the cost of its scratch arrays, few enough to keep every core busy to the end."""

LANES = 8
"""Numbers a vector register holds. Rows are padded to a multiple of it with sets that no evidence touches, so that no loop
ends in a tail of single steps."""

ROOM = 1e25
"""Largest evidence left unscaled: far enough below the end of float32 (3e38) for weights and sums."""


class Marginals(NamedTuple):
    """causes [n, C]: probability that the cause is among those that act. none [n]: that no modelled cause does."""

    causes: Floats32
    none: Floats32


class Tables(NamedTuple):
    """What the kernel needs of a network: C causes and P pairs in the order of `network.hypotheses`, padded to LANES.

    causes: C unpadded. leak [G]. quiet [G, C], quiet_pair [G, P]: P(no cause of the set brings g about), without the leak.
    parents: the causes that can bring g about are parents[first[g]:first[g + 1]]. sizes [4]: P(number of causes that act).
    """

    causes: int
    leak: Floats32
    quiet: Floats32
    quiet_pair: Floats32
    parents: Integers
    first: Integers
    sizes: NDArray[np.float64]


class Scratch(NamedTuple):
    """One task's working arrays, for the S manifestations that are observed and have several parents.

    weight [C]: prior weight times the factors that concern that cause alone. upper [C]: the most that the evidence can favour
    the cause, in double precision. links [C], link [C, S]: how many, and which, of
    the S a cause brings about. shared [S]: their g. alpha [S]. inverse [S, P]: 1 / t of every pair.
    single [C], pair [P]: joint of the sets of one and two causes. above [P]: joint of all triples on top of the pair.
    block [P]: one run of triples.
    """

    weight: Floats32
    upper: Floats
    links: Integers
    link: Integers
    shared: Integers
    alpha: Floats32
    inverse: Floats32
    single: Floats32
    pair: Floats32
    above: Floats32
    block: Floats32


Kernel = TypeVar("Kernel", bound=Callable[..., object])


def _compiled(*fastmath: str, parallel: bool = False) -> Callable[[Kernel], Kernel]:
    """Machine code, kept on disk. fastmath: what the compiler may rearrange, where that lets a loop use the vector unit.

    Division as in numpy: Python's check for zero would keep loops from being vectorised.
    """
    decorate: Callable[[Kernel], Kernel] = njit(
        cache=True, error_model="numpy", parallel=parallel, fastmath=set(fastmath) or False
    )
    return decorate


def tables(network: Network, sizes: Sizes) -> Tables:
    """The kernel's tables of a network; about a millisecond."""
    n = len(network.causes)
    quiet = 1.0 - network.link[:n].T
    high, low = np.tril_indices(n, -1)
    linked = network.link[:n].T > 0.0
    return Tables(
        causes=n,
        leak=network.leak.astype(np.float32),
        quiet=_padded(quiet),
        quiet_pair=_padded(quiet[:, low] * quiet[:, high]),
        parents=np.nonzero(linked)[1].astype(np.int32),
        first=np.concatenate([[0], np.cumsum(linked.sum(axis=1))]).astype(np.int32),
        sizes=np.array([sizes.none, sizes.one, sizes.two, sizes.three], dtype=np.float64),
    )


def _padded(rows: Floats) -> Floats32:
    """[G, N] with N filled up to a multiple of LANES by ones."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % LANES)), constant_values=1.0)
    return np.ascontiguousarray(padded, dtype=np.float32)  # rows in one piece: half the speed hangs on it


def marginals(on: Tables, a: ArrayLike, b: ArrayLike, weights: ArrayLike) -> Marginals:
    """Posterior of every cause for n patients.

    a, b [n, G]: P(reports | manifestation present), P(reports | absent), of any common scale; equal where nothing is known.
    weights [n, C], or [C] for all: prior weight of each cause (`reasoning.prior.weights`), 0 where impossible.
    """
    a32, b32 = np.ascontiguousarray(a, dtype=np.float32), np.ascontiguousarray(b, dtype=np.float32)
    shape = (len(a32), on.causes)
    weighted = np.ascontiguousarray(np.broadcast_to(np.asarray(weights, dtype=np.float32), shape))
    out = np.empty((shape[0], shape[1] + 1), dtype=np.float32)
    _population(on, a32, b32, weighted, out)
    return Marginals(out[:, 1:], out[:, 0])


@_compiled(parallel=True)
def _population(on: Tables, a: Floats32, b: Floats32, weights: Floats32, out: Floats32) -> None:
    """out [n, 1 + C]: none of these, then the causes. Each task takes CHUNK patients and owns its scratch arrays."""
    patients = len(a)
    for task in prange((patients + CHUNK - 1) // CHUNK):
        work = _scratch(on)
        for x in range(task * CHUNK, min((task + 1) * CHUNK, patients)):
            _patient(on, work, a[x], b[x], weights[x], out[x])


@_compiled()
def _scratch(on: Tables) -> Scratch:
    most, singles = on.quiet.shape
    pairs = on.quiet_pair.shape[1]
    return Scratch(
        weight=np.empty(on.causes, np.float32),
        upper=np.empty(on.causes, np.float64),
        links=np.empty(on.causes, np.int32),
        link=np.empty((on.causes, most), np.int32),
        shared=np.empty(most, np.int32),
        alpha=np.empty(most, np.float32),
        inverse=np.empty((most, pairs), np.float32),
        single=np.zeros(singles, np.float32),
        pair=np.zeros(pairs, np.float32),
        above=np.empty(pairs, np.float32),
        block=np.empty(pairs, np.float32),
    )


@_compiled()
def _patient(on: Tables, work: Scratch, a: Floats32, b: Floats32, weights: Floats32, out: Floats32) -> None:
    """Posterior of one patient into out [1 + C]."""
    one, two, three = _size_factors(on, work, weights)
    observed, scale = _observe(on, work, a, b)
    _singles_and_pairs(on, work, observed, scale)
    singles, pairs = _total(work.single), _total(work.pair)
    for c in range(on.causes):
        out[1 + c] = one * work.single[c]
    triples = _triples(on, work, three, out)
    _fold(on, work, two, three, out)
    out[0] = on.sizes[0] * scale
    share = np.float32(1.0) / (out[0] + one * singles + two * pairs + three * triples)
    for c in range(len(out)):
        out[c] *= share


@_compiled()
def _size_factors(on: Tables, work: Scratch, weights: Floats32) -> tuple[np.float32, np.float32, np.float32]:
    """Sets the prior weights, summing to one; returns P(size) over the total weight of all sets of 1, 2 and 3 causes."""
    whole = 0.0
    for w in weights:
        whole += w
    share = 1.0 / whole
    e1, e2, e3 = 0.0, 0.0, 0.0
    for c in range(len(weights)):
        w = weights[c] * share
        work.weight[c] = w
        e3 += w * e2
        e2 += w * e1
        e1 += w
    two = on.sizes[2] / e2 if e2 > 0.0 else 0.0
    three = on.sizes[3] / e3 if e3 > 0.0 else 0.0
    return np.float32(on.sizes[1] / e1), np.float32(two), np.float32(three)


@_compiled()
def _observe(on: Tables, work: Scratch, a: Floats32, b: Floats32) -> tuple[int, float]:
    """Takes in what is observed; returns how many shared manifestations, and the scale that keeps joints within float32.

    A manifestation with one parent goes straight into that cause's weight; one with several is listed under each of them.
    """
    work.links[:] = 0
    work.upper[:] = 1.0
    count, bound = 0, 1.0
    for g in range(len(a)):
        start, end = on.first[g], on.first[g + 1]
        if a[g] == b[g] or start == end:
            continue
        alpha = max(a[g] / (b[g] + (a[g] - b[g]) * on.leak[g]), np.float32(1e-30))
        bound *= max(alpha, 1.0)
        for i in range(start, end):
            c = on.parents[i]
            t = alpha + (np.float32(1.0) - alpha) * on.quiet[g, c]
            work.upper[c] *= max(t, 1.0)
            if end == start + 1:
                work.weight[c] *= t
            else:
                work.link[c, work.links[c]] = count
                work.links[c] += 1
        if end > start + 1:
            work.shared[count], work.alpha[count] = g, alpha
            count += 1
    return count, min(1.0, ROOM / min(bound, _three_largest(work.upper)))


@_compiled()
def _three_largest(upper: Floats) -> float:
    """Product of the three largest: no set's t exceeds the product of its members' t where those are above 1."""
    x, y, z = 1.0, 1.0, 1.0
    for u in upper:
        if u > x:
            x, y, z = u, x, y
        elif u > y:
            y, z = u, y
        elif u > z:
            z = u
    return x * y * z


@_compiled()
def _singles_and_pairs(on: Tables, work: Scratch, observed: int, scale: float) -> None:
    """Joint of every set of one and two causes, without the size factor; and 1 / t of the pairs for the triples."""
    single, pair, weight, inverse, quiet, quiet_pair = (
        work.single,
        work.pair,
        work.weight,
        work.inverse,
        on.quiet,
        on.quiet_pair,
    )
    start = 0
    for c in range(on.causes):
        single[c] = np.float32(scale) * weight[c]
        for j in range(c):
            pair[start + j] = single[j] * weight[c]
        start += c
    for s in range(observed):
        _explain_singles(single, work.alpha[s], quiet, work.shared[s])
        _explain_pairs(pair, inverse, s, work.alpha[s], quiet_pair, work.shared[s])


@_compiled("contract")
def _explain_singles(single: Floats32, alpha: np.float32, quiet: Floats32, g: int) -> None:
    """One manifestation's factor t on every single cause."""
    rest = np.float32(1.0) - alpha
    for c in range(len(single)):
        single[c] *= alpha + rest * quiet[g, c]


@_compiled("contract")
def _explain_pairs(pair: Floats32, inverse: Floats32, s: int, alpha: np.float32, quiet: Floats32, g: int) -> None:
    """One manifestation's factor t on every pair, and its inverse."""
    rest = np.float32(1.0) - alpha
    for p in range(len(pair)):
        t = alpha + rest * quiet[g, p]
        pair[p] *= t
        inverse[s, p] = np.float32(1.0) / t


@_compiled()
def _triples(on: Tables, work: Scratch, three: np.float32, out: Floats32) -> np.float32:
    """Runs of triples by largest member: their total goes to that member, each of them to the pair below it.

    Returns the joint of all triples, without the size factor.
    """
    block, above, pair, inverse, weight = work.block, work.above, work.pair, work.inverse, work.weight
    links, link, shared, alpha, table = work.links, work.link, work.shared, work.alpha, on.quiet
    above[:] = np.float32(0.0)
    whole = np.float32(0.0)
    for c in range(2, on.causes):
        if weight[c] == np.float32(0.0):
            continue
        run = c * (c - 1) // 2
        count = (run + LANES - 1) // LANES * LANES
        _scaled(block, weight[c], pair, count)
        for i in range(links[c]):
            s = link[c, i]
            quiet = table[shared[s], c]
            _ratio(block, quiet, alpha[s] * (np.float32(1.0) - quiet), inverse, s, count)
        for p in range(run, count):  # pairs that hold c itself or a later cause: no triples of this run
            block[p] = np.float32(0.0)
        total = _add(block, above, count)
        out[1 + c] += three * total
        whole += total
    return whole


@_compiled()
def _scaled(block: Floats32, by: np.float32, pair: Floats32, count: int) -> None:
    for p in range(count):
        block[p] = by * pair[p]


@_compiled("contract")
def _ratio(block: Floats32, quiet: np.float32, rest: np.float32, inverse: Floats32, s: int, count: int) -> None:
    """The factor t(pair + c) / t(pair) of one manifestation on a run of triples."""
    for p in range(count):
        block[p] *= quiet + rest * inverse[s, p]


@_compiled("reassoc")
def _add(block: Floats32, above: Floats32, count: int) -> np.float32:
    """Adds a run of triples to the pairs below; returns its total."""
    total = np.float32(0.0)
    for p in range(count):
        above[p] += block[p]
        total += block[p]
    return total


@_compiled("reassoc")
def _total(values: Floats32) -> np.float32:
    total = np.float32(0.0)
    for p in range(len(values)):
        total += values[p]
    return total


@_compiled()
def _fold(on: Tables, work: Scratch, two: np.float32, three: np.float32, out: Floats32) -> None:
    """Gives every pair, with the triples on top of it, to its two members."""
    start = 0
    for c in range(1, on.causes):
        own = np.float32(0.0)
        for j in range(c):
            both = two * work.pair[start + j] + three * work.above[start + j]
            out[1 + j] += both
            own += both
        out[1 + c] += own
        start += c
