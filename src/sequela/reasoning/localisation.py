"""Where the lesion of a nerve lies: a distribution over roots, plexuses, single nerves and all nerves by length, on each side.

A result (a muscle sampled by needle, a conduction, a reflex, a patch of skin) is abnormal with probability `abnormal` if the
lesion reaches its structure and `otherwise` if it does not; how far each site reaches each structure stands in
knowledge/localisation.yaml with its sources. Given the site, results are independent, with a weight (`trust`) below one for
kinds that repeat each other or mislead after an old lesion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log, prod

import msgspec
import numpy as np

from sequela.case import NerveSign, Side
from sequela.knowledge.model import Examination, Localisation, Site, Structure
from sequela.reasoning.network import Floats

SIDES: tuple[Side, ...] = ("left", "right")
_DOUBT = 0.5
"""Weight of a sign that is only suspected, beside one that is stated."""
TOP_SITES = 8
"""Sites listed in the answer; the rest is summed as "elsewhere"."""


class Place(msgspec.Struct, frozen=True):
    """A site on a side ("both": the same on both sides; None where sides mean nothing) and its probability."""

    site: str
    side: Side | None
    probability: float


class Root(msgspec.Struct, frozen=True):
    """P(the lesion is of this root, alone or with others). side: left, right, both or unknown."""

    root: str
    side: str
    probability: float


class Cell(msgspec.Struct, frozen=True):
    """One row of the chart that explains the answer: a result and the roots that reach its structure (0..1)."""

    structure: str
    name: str
    kind: str
    side: Side | None
    abnormal: bool
    reach: dict[str, float]


class Located(msgspec.Struct, frozen=True):
    """places: most probable first. roots: the same by root. certain: one site leads clearly; else the answer is "cannot be localised".

    activity: active, chronic, active on chronic, or None. ganglion: preganglionic (a root), postganglionic, or None.
    separating: the untested structures that would best tell the two leading sites apart. chart: the results used.
    """

    places: tuple[Place, ...] = ()
    roots: tuple[Root, ...] = ()
    certain: bool = False
    activity: str | None = None
    ganglion: str | None = None
    separating: tuple[str, ...] = ()
    chart: tuple[Cell, ...] = ()


class Hypothesis(msgspec.Struct, frozen=True):
    site: Site
    side: Side | None
    prior: float


def locate(signs: Sequence[NerveSign], knowledge: Localisation) -> Located:
    """The posterior over all sites. No sign of a nerve: an empty answer, not the prior."""
    structures = {s.id: s for s in knowledge.structures}
    used = [s for s in signs if s.structure in structures or s.roots]
    if not used:
        return Located()
    sites = list(hypotheses(knowledge))
    after = posterior(used, sites, structures, knowledge)
    order = np.argsort(-after, kind="stable")
    places = tuple(Place(sites[i].site.id, sites[i].side, float(after[i])) for i in order[:TOP_SITES])
    leading = _leading(sites, after)
    return Located(
        places=places,
        roots=_roots(sites, after),
        certain=leading[0][1] >= knowledge.certain and leading[0][0].kind != "none",
        activity=_activity(used),
        ganglion=_ganglion(used),
        separating=_separating(used, leading, knowledge),
        chart=tuple(_cell(sign, structures, knowledge) for sign in used),
    )


def hypotheses(knowledge: Localisation) -> Iterator[Hypothesis]:
    """Every site on every side it can be on, with its share of the prior."""
    for site in knowledge.sites:
        if site.kind == "none":
            yield Hypothesis(site, None, site.share)
        elif site.kind == "diffuse":
            yield Hypothesis(site, "both", site.share)
        else:
            paired = knowledge.both_sides if site.roots else 0.0
            for side in SIDES:
                yield Hypothesis(site, side, site.share * (1.0 - paired) / 2.0)
            if paired:
                yield Hypothesis(site, "both", site.share * paired)


def posterior(
    signs: Sequence[NerveSign],
    sites: Sequence[Hypothesis],
    structures: Mapping[str, Structure],
    knowledge: Localisation,
) -> Floats:
    """[len(sites)] probabilities that sum to one."""
    away = _unstudied(signs)
    logs = np.log([one.prior * (knowledge.unstudied if one.side == away else 1.0) for one in sites])
    for sign in signs:
        examination = knowledge.examinations[sign.kind]
        trust = examination.trust * (_DOUBT if sign.status == "uncertain" else 1.0)
        logs += trust * np.array([log(_chance(sign, one, examination, structures, knowledge)) for one in sites])
    shares = np.exp(logs - logs.max())
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _unstudied(signs: Sequence[NerveSign]) -> str:
    """The side that a needle study left out, when it studied the other; "" when it studied both or was none."""
    studied = [sum(s.side == side for s in signs if s.kind == "needle") for side in SIDES]
    if max(studied) < _STUDY or min(studied) > 0:
        return ""
    return SIDES[studied.index(0)]


_STUDY = 3
"""Muscles that make a study."""


def _chance(
    sign: NerveSign,
    one: Hypothesis,
    examination: Examination,
    structures: Mapping[str, Structure],
    knowledge: Localisation,
) -> float:
    """P(the result | the lesion)."""
    meets = one.side is not None and (one.side == "both" or sign.side in (None, "both", one.side))
    reached = _reached(sign, one.site, structures, knowledge) if meets else 0.0
    p = examination.abnormal * reached + examination.otherwise * (1.0 - reached)
    return 1.0 - p if sign.status == "absent" else p


def _reached(sign: NerveSign, site: Site, structures: Mapping[str, Structure], knowledge: Localisation) -> float:
    """How surely a lesion at the site reaches what was examined, 0..1."""
    if sign.roots:
        return _by_roots(site, dict(sign.roots))
    return reach(structures[sign.structure], site, structures, knowledge)


def reach(structure: Structure, site: Site, structures: Mapping[str, Structure], knowledge: Localisation) -> float:
    """How surely a lesion at a site reaches a structure, 0..1. A movement is reached through its muscles."""
    if structure.muscles:
        return max(reach(structures[m], site, structures, knowledge) for m in structure.muscles)
    if site.kind == "none":
        return 0.0
    if site.kind == "diffuse":
        return knowledge.length_dependent.get(structure.reach, 0.0)
    if not site.roots:
        return 1.0 if site.id in structure.nerves else 0.0
    return _by_roots(
        site, {root: _by_root(structure, root, knowledge) for root in structure.roots.keys() | structure.proven}
    )


def _by_roots(site: Site, shares: Mapping[str, float]) -> float:
    return 1.0 - prod(1.0 - shares.get(root, 0.0) for root in site.roots)


def _by_root(structure: Structure, root: str, knowledge: Localisation) -> float:
    """The weight of a root, drawn towards the counts in proven lesions of that root where there are any."""
    share = structure.roots.get(root, 0.0)
    if structure.kind != "needle":
        return share if structure.root is None else structure.root * (share > 0.0)
    expected = min(knowledge.full, knowledge.gain * share)
    abnormal, examined = structure.proven.get(root, (0, 0))
    return (abnormal + knowledge.shrink * expected) / (examined + knowledge.shrink)


def _leading(sites: Sequence[Hypothesis], after: Floats) -> list[tuple[Site, float, Side | None]]:
    """Sites with the probability of all their sides together, most probable first, each with its most probable side."""
    total: dict[str, float] = {}
    best: dict[str, tuple[float, Hypothesis]] = {}
    for one, p in zip(sites, after.tolist(), strict=True):
        total[one.site.id] = total.get(one.site.id, 0.0) + p
        if one.site.id not in best or p > best[one.site.id][0]:
            best[one.site.id] = (p, one)
    ranked = sorted(total, key=lambda id_: (-total[id_], id_))
    return [(best[id_][1].site, total[id_], best[id_][1].side) for id_ in ranked]


def _roots(sites: Sequence[Hypothesis], after: Floats) -> tuple[Root, ...]:
    """P(root) with its most probable side, most probable first. "unknown" where no side leads."""
    shares: dict[str, dict[str, float]] = {}
    for one, p in zip(sites, after.tolist(), strict=True):
        for root in one.site.roots:
            sides = shares.setdefault(root, {})
            sides[str(one.side)] = sides.get(str(one.side), 0.0) + p
    found = []
    for root, sides in shares.items():
        total = sum(sides.values())
        side, most = max(sides.items(), key=lambda pair: pair[1])
        found.append(Root(root, side if most > _LEADS * total else "unknown", total))
    return tuple(sorted(found, key=lambda one: (-one.probability, one.root)))


_LEADS = 0.6
"""Share of a root's probability that a side must hold to be named."""


def _activity(signs: Sequence[NerveSign]) -> str | None:
    states = {sign.activity for sign in signs if sign.kind == "needle" and sign.status == "present"} - {None}
    if states >= {"active", "chronic"} or "active on chronic" in states:
        return "active on chronic"
    return next(iter(states)) if len(states) == 1 else None


def _ganglion(signs: Sequence[NerveSign]) -> str | None:
    """Sensory responses stay normal when the lesion lies before the ganglion, in a root."""
    motor = any(s.status == "present" and s.kind in ("needle", "motor") for s in signs)
    sensory = [s for s in signs if s.kind == "sensory"]
    if any(s.status == "present" for s in sensory):
        return "postganglionic"
    return "preganglionic" if motor and sensory else None


def _separating(
    signs: Sequence[NerveSign], leading: Sequence[tuple[Site, float, Side | None]], knowledge: Localisation
) -> tuple[str, ...]:
    """Untested muscles and conductions by how differently the two leading sites would change them."""
    (first, p, _), (second, q, _) = leading[0], leading[1]
    if "none" in (first.kind, second.kind) or q < _RIVAL * p:
        return ()
    structures = {s.id: s for s in knowledge.structures}
    done = {s.structure for s in signs}
    gap = {
        s.id: abs(reach(s, first, structures, knowledge) - reach(s, second, structures, knowledge))
        for s in knowledge.structures
        if s.id not in done and s.kind in ("needle", "motor", "sensory", "late")
    }
    ranked = sorted(gap, key=lambda id_: (-gap[id_], id_))
    return tuple(id_ for id_ in ranked if gap[id_] >= _TELLING)[:_NAMED]


_RIVAL = 0.05
"""A second site below this share of the first needs no further study."""
_TELLING = 0.3
_NAMED = 3


def _cell(sign: NerveSign, structures: Mapping[str, Structure], knowledge: Localisation) -> Cell:
    if sign.roots:
        shares, name = dict(sign.roots), " or ".join(root for root, _ in sign.roots) + " stated"
    else:
        structure = structures[sign.structure]
        name = structure.name
        shares = {
            site.roots[0]: round(reach(structure, site, structures, knowledge), 3)
            for site in knowledge.sites
            if site.kind == "root"
        }
    return Cell(sign.structure, name, sign.kind, sign.side, sign.status == "present", shares)
