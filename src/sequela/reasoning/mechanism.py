"""Which kind of pain it is: the posterior of the causes, spread over the mechanisms by which each of them hurts."""

from __future__ import annotations

from sequela.knowledge.model import Knowledge
from sequela.reasoning.network import Floats

MECHANISMS = ("mechanical", "neurologic", "inflammatory", "nociplastic", "other")


def mechanisms(knowledge: Knowledge, marginals: Floats) -> dict[str, float]:
    """Share of each mechanism, summing to one. marginals [C]: probability of each cause, in the order of the knowledge base.

    Several causes add up; "none of these" has no mechanism and is left out, so the shares say of the explained pain only.
    """
    share = dict.fromkeys(MECHANISMS, 0.0)
    for cause, probability in zip(knowledge.causes, marginals.tolist(), strict=True):
        for name, part in cause.mechanism.items():
            share[name] += probability * part
    total = sum(share.values())
    if total <= 0.0:
        return share | {"other": 1.0}
    return {name: part / total for name, part in share.items()}
