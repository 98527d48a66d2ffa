"""Which kind of pain it is: the mechanism by which the leading cause of each hypothesis hurts."""

from __future__ import annotations

import numpy as np

from sequela.knowledge.model import Knowledge
from sequela.reasoning.network import Floats, Network

MECHANISMS = ("mechanical", "neurologic", "inflammatory", "nociplastic", "other")


def mechanisms(knowledge: Knowledge, network: Network, posterior: Floats, marginals: Floats) -> dict[str, float]:
    """Share of each mechanism, summing to one. posterior [H] over hypotheses, marginals [C], in the order of the network.

    Of causes that act together the most probable one leads, and its mechanism counts: companions that are in a hypothesis only because they are
    common must not outvote it. "None of these" has no mechanism and is left out, so the shares say of the explained pain only.
    """
    held = network.contains * marginals[None, :]
    led = np.bincount(held.argmax(axis=1)[1:], weights=posterior[1:], minlength=len(marginals))
    share = dict.fromkeys(MECHANISMS, 0.0)
    for cause, probability in zip(knowledge.causes, led.tolist(), strict=True):
        for name, part in cause.mechanism.items():
            share[name] += probability * part
    total = sum(share.values())
    if total <= 0.0:
        return share | {"other": 1.0}
    return {name: part / total for name, part in share.items()}
