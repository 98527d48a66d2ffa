"""The knowledge base as arrays: every hypothesis, and how probable each manifestation is under it.

C causes, H hypotheses (the sets of at most three causes, the empty set included: 4,992 for 31 causes), G manifestations,
F findings. All numbers are probabilities in 0..1.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from sequela.knowledge.model import Knowledge

Floats = NDArray[np.float64]
Indexes = NDArray[np.int64]

MOST = 3
"""Largest number of causes that act together; part of the model (see design.md), not a shortcut."""

STATUSES = ("present", "absent", "uncertain")

FLOOR = 1e-6
"""No report is taken as impossible: a likelihood of zero would let one misread word outvote the whole record."""


class Network(msgspec.Struct, frozen=True, eq=False):
    """Compiled knowledge.

    members [H, 3]: indexes of the causes of each hypothesis, smallest first, padded in front with C (nobody).
    size [H]: number of causes. contains [H, C]: 1.0 where the cause is in the hypothesis.
    leak [G]; link [C + 1, G]: P(manifestation | this cause alone, no leak), last row nobody = 0.
    present [H, G]: P(manifestation | hypothesis). likelihood [F, 3, 2]: P(report | manifestation present, absent) for the
    reports present, absent, uncertain. shown_by [F]: index of the manifestation a finding shows.
    implied, excluded: all findings that a present finding makes present (followed to the end), and those it makes absent.
    """

    causes: tuple[str, ...]
    manifestations: tuple[str, ...]
    findings: dict[str, int]
    members: Indexes
    size: Indexes
    contains: Floats
    leak: Floats
    link: Floats
    present: Floats
    likelihood: Floats
    shown_by: Indexes
    implied: dict[str, frozenset[str]]
    excluded: dict[str, frozenset[str]]


_cache: dict[str, tuple[Knowledge, Network]] = {}


def compiled(knowledge: Knowledge) -> Network:
    """The network of this knowledge base, built once per object and kept for the latest object of each version."""
    held = _cache.get(knowledge.version)
    if held is None or held[0] is not knowledge:
        held = _cache[knowledge.version] = (knowledge, build(knowledge))
    return held[1]


def build(knowledge: Knowledge) -> Network:
    """Arrays from the typed objects; about 10 ms for the full knowledge base."""
    causes = tuple(cause.id for cause in knowledge.causes)
    manifestations = tuple(m.id for m in knowledge.manifestations)
    members = hypotheses(len(causes))
    leak = np.array([m.leak for m in knowledge.manifestations])
    link = links(knowledge)
    column = {id_: g for g, id_ in enumerate(manifestations)}
    return Network(
        causes=causes,
        manifestations=manifestations,
        findings={finding.id: f for f, finding in enumerate(knowledge.findings)},
        members=members,
        size=np.count_nonzero(members < len(causes), axis=1),
        contains=membership(members, len(causes)),
        leak=leak,
        link=link,
        present=noisy_or(leak, link, members),
        likelihood=likelihoods(knowledge),
        shown_by=np.array([column[f.manifestation] for f in knowledge.findings], dtype=np.int64),
        implied=implications(knowledge),
        excluded={f.id: frozenset(f.excludes) for f in knowledge.findings if f.excludes},
    )


def hypotheses(n: int) -> Indexes:
    """All sets of at most three of n causes as [H, 3] indexes, padded in front with n.

    Order: the empty set, singles, pairs, triples; pairs and triples by their largest member, then the next. So the triples
    with largest member i stand in one run, and their first two members run through the first i(i-1)/2 pairs in order, which
    the population kernel relies on.
    """
    high, low = np.tril_indices(n, -1)
    runs = np.arange(n) * (np.arange(n) - 1) // 2
    top = np.repeat(np.arange(n), runs)
    pair = np.arange(len(top)) - np.repeat(np.cumsum(runs) - runs, runs)
    nobody = np.full(n + 1, n)
    return np.concatenate(
        [
            np.stack([nobody[:1], nobody[:1], nobody[:1]], axis=1),
            np.stack([nobody[:n], nobody[:n], np.arange(n)], axis=1),
            np.stack([np.full(len(low), n), low, high], axis=1),
            np.stack([low[pair], high[pair], top], axis=1),
        ]
    )


def membership(members: Indexes, n: int) -> Floats:
    """[H, C]: 1.0 where the hypothesis holds the cause."""
    contains = np.zeros((len(members), n + 1))
    np.put_along_axis(contains, members, 1.0, axis=1)
    return contains[:, :n]


def links(knowledge: Knowledge) -> Floats:
    """[C + 1, G]: P(manifestation | this cause alone); the last row is the nobody that pads small hypotheses."""
    row = {cause.id: c for c, cause in enumerate(knowledge.causes)}
    link = np.zeros((len(row) + 1, len(knowledge.manifestations)))
    for g, manifestation in enumerate(knowledge.manifestations):
        for cause, probability in manifestation.caused_by.items():
            link[row[cause], g] = probability
    return link


def noisy_or(leak: Floats, link: Floats, members: Indexes) -> Floats:
    """[H, G] leaky noisy-OR, net form: 1 - (1 - leak) * product over the hypothesis's causes of (1 - link).

    Net means that a link is what the cause adds by itself, with the leak kept apart (pyAgrum: addNoisyORNet; in its compound
    form, addNoisyOR, a weight would contain the leak). Under one cause P is therefore a little above its link.
    """
    silent = 1.0 - link
    return 1.0 - (1.0 - leak) * silent[members[:, 0]] * silent[members[:, 1]] * silent[members[:, 2]]


def sums(joint: Floats, of: Floats) -> Floats:
    """[..., N] sums over hypotheses: joint [..., H] times the columns of `of` [H, N].

    Not the matrix product: for one patient a threaded BLAS saves nothing, and on a busy machine its threads wait for each
    other for half a second.
    """
    return np.asarray(np.einsum("...h,hn->...n", joint, of), dtype=np.float64)


def likelihoods(knowledge: Knowledge) -> Floats:
    """[F, 3, 2] P(report | manifestation present, absent); reports in the order of STATUSES."""
    solved = [(one.present, one.absent, one.uncertain) for one in knowledge.likelihoods]
    return np.clip(np.array(solved, dtype=np.float64).reshape(-1, len(STATUSES), 2), FLOOR, 1.0)


def implications(knowledge: Knowledge) -> dict[str, frozenset[str]]:
    """Per finding that implies others, everything that follows from it, over any number of steps.

    Raises ValueError when findings imply each other in a circle: each would then leave the other uncounted.
    """
    direct = {finding.id: finding.implies for finding in knowledge.findings if finding.implies}
    closed = {}
    for start in direct:
        reached: set[str] = set()
        open_ = list(direct[start])
        while open_:
            step = open_.pop()
            if step not in reached:
                reached.add(step)
                open_.extend(direct.get(step, ()))
        if start in reached:
            raise ValueError(f"finding {start} implies itself by way of {', '.join(sorted(reached - {start}))}")
        closed[start] = frozenset(reached)
    return closed
