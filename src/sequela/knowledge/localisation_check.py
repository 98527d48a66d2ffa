"""What can be wrong between the entries of localisation.yaml."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import get_args

from sequela.knowledge.decode import Entry
from sequela.knowledge.documents import Place, Problem, closest
from sequela.knowledge.model import Localisation, SignKind, Structure

_TOLERANCE = 0.005


def check_localisation(entry: Entry[Localisation], findings: Collection[str]) -> Iterator[Problem]:
    """Unknown roots, nerves, muscles and findings, numbers that are no probability, a prior that does not sum to one."""
    known, place = entry.value, entry.place
    roots = {root for site in known.sites for root in site.roots}
    nerves = {site.id for site in known.sites if site.kind == "nerve"}
    total = sum(site.share for site in known.sites)
    if abs(total - 1.0) > _TOLERANCE:
        yield (place / "sites").problem(f"shares sum to {total:.3f}", "make them sum to 1")
    for kind in get_args(SignKind):
        if kind not in known.examinations:
            yield (place / "examinations").problem(f"lacks {kind}", "add abnormal, otherwise and trust")
    muscles = {s.id for s in known.structures if s.kind == "needle"}
    for i, structure in enumerate(known.structures):
        yield from _structure(structure, place / "structures" / i, roots, nerves, muscles)
    levels = known.levels
    for name, ids in (
        ("in_canal", levels.in_canal),
        ("in_foramen", levels.in_foramen),
        ("misplaced", levels.misplaced),
    ):
        for i, id_ in enumerate(ids):
            yield from _unknown(place / "levels" / name / i, id_, findings, "finding")


def _structure(
    structure: Structure, place: Place, roots: Collection[str], nerves: Collection[str], muscles: Collection[str]
) -> Iterator[Problem]:
    for root, weight in structure.roots.items():
        yield from _unknown(place / "roots", root, roots, "root")
        if not 0.0 <= weight <= 1.0:
            yield (place / "roots" / root).problem(f"{weight:g} is not a weight", "write a number from 0 to 1")
    for nerve in structure.nerves:
        yield from _unknown(place / "nerves", nerve, nerves, "nerve")
    for muscle in structure.muscles:
        yield from _unknown(place / "muscles", muscle, muscles, "muscle")
    for root, (abnormal, examined) in structure.proven.items():
        if not 0 <= abnormal <= examined:
            yield (place / "proven" / root).problem(
                f"{abnormal} of {examined}", "write abnormal and examined, in this order"
            )


def _unknown(place: Place, wrong: str, known: Collection[str], kind: str) -> Iterator[Problem]:
    if wrong not in known:
        yield place.problem(f'unknown {kind} "{wrong}"', closest(wrong, known, "use one of localisation.yaml"))
