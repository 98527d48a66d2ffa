"""What counts as evidence, and the two ways a posterior over hypotheses is read: as probabilities of causes, and as their log-odds."""

from __future__ import annotations

import msgspec
import numpy as np

from sequela.reasoning.network import Floats, Network, sums


class Evidence(msgspec.Struct, frozen=True):
    """One finding that counts. f, status, g: indexes of the finding, its report (STATUSES) and its manifestation."""

    f: int
    status: int
    g: int
    finding: str


def marginals(network: Network, after: Floats) -> Floats:
    """[C] probability that the cause is among those that act."""
    return np.minimum(sums(after, network.contains), 1.0)


def log_odds(joint: Floats, contains: Floats) -> Floats:
    """[N, C] natural-log odds of each cause from joints [N, H] of any scale; 0.0 where a cause is impossible or certain."""
    inside, outside = sums(joint, contains), sums(joint, 1.0 - contains)
    sure = (inside <= 0.0) | (outside <= 0.0)
    return np.log(np.where(sure, 1.0, inside)) - np.log(np.where(sure, 1.0, outside))
