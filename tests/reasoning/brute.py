"""The reasoning model once more, in plain Python and the slowest way: every hypothesis times every state of the manifestations.

Shares no code with the package, so that an error would have to be made twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product
from math import log, prod

from sequela.knowledge.model import Knowledge


def posterior(
    knowledge: Knowledge, reports: Mapping[str, str], weight: Mapping[str, float] | None = None
) -> dict[frozenset[str], float]:
    """P(set of causes | reports), with the `any` column as weights unless given."""
    weight = weight or {cause.id: cause.prior["any"] for cause in knowledge.causes}
    joint = {h: p * _fit(knowledge, h, reports) for h, p in prior(knowledge, weight).items()}
    total = sum(joint.values())
    return {h: p / total for h, p in joint.items()}


def prior(knowledge: Knowledge, weight: Mapping[str, float]) -> dict[frozenset[str], float]:
    sizes = knowledge.priors.sizes
    chance: dict[frozenset[str], float] = {}
    for size, share in enumerate((sizes.none, sizes.one, sizes.two, sizes.three)):
        sets = [frozenset(c) for c in combinations(sorted(weight), size)]
        products = {s: prod(weight[c] for c in s) for s in sets}
        whole = sum(products.values())
        chance |= {s: share * p / whole if whole else 0.0 for s, p in products.items()}
    total = sum(chance.values())
    return {s: p / total for s, p in chance.items()}


def _fit(knowledge: Knowledge, hypothesis: frozenset[str], reports: Mapping[str, str]) -> float:
    total = 0.0
    for states in product((True, False), repeat=len(knowledge.manifestations)):
        chance = 1.0
        for m, there in zip(knowledge.manifestations, states, strict=True):
            silent = (1.0 - m.leak) * prod(1.0 - m.caused_by.get(c, 0.0) for c in hypothesis)
            chance *= 1.0 - silent if there else silent
        state = {m.id: there for m, there in zip(knowledge.manifestations, states, strict=True)}
        for f, numbers in zip(knowledge.findings, knowledge.likelihoods, strict=True):
            if f.id in reports:
                chance *= getattr(numbers, reports[f.id])[0 if state[f.manifestation] else 1]
        total += chance
    return total


def marginal(after: Mapping[frozenset[str], float], cause: str) -> float:
    return sum(p for h, p in after.items() if cause in h)


def log_odds(after: Mapping[frozenset[str], float], cause: str) -> float:
    return log(marginal(after, cause)) - log(sum(p for h, p in after.items() if cause not in h))
