"""Whether what imaging shows lies at the nerve that the signs point to.

A disc on the right explains no loss in the left leg. Where the signs of the patient (examination, electrodiagnosis, pain) localise a root
clearly, and a lesion on an image presses another root or the other side, the lesion counts as doubtful for the ranking and the
contradiction is shown. It is never dropped: radiology and examination can both be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sequela.case import Case, Conflict, NerveSign, Observation
from sequela.knowledge.model import Localisation
from sequela.reasoning.localisation import Located, locate

_BEDSIDE = frozenset({"needle", "motor", "sensory", "late", "power", "reflex", "sensation"})
"""Signs of the patient. Pain, stretch tests and roots named in words are too vague, and imaging must not confirm itself."""
_LEAST = 2
"""Abnormal signs without which nothing contradicts a scan."""


def concordant(case: Case, knowledge: Localisation) -> Case:
    """The case with discordant lesions made doubtful and each contradiction noted."""
    signs = [s for s in case.nerve_signs if s.kind in _BEDSIDE]
    if sum(s.status == "present" for s in signs) < _LEAST:
        return case
    located = locate(signs, knowledge)
    if not located.certain:
        return case
    wrong = [o for o in case.observations if _discordant(o, located, knowledge)]
    if not wrong:
        return case
    return msgspec.structs.replace(
        case,
        observations=tuple(
            msgspec.structs.replace(o, status="uncertain") if o in wrong else o for o in case.observations
        ),
        conflicts=(*case.conflicts, *_conflicts(wrong, signs, located, knowledge)),
    )


def pressed(observation: Observation, knowledge: Localisation) -> dict[str, float]:
    """Root -> P(the lesion presses it), from its segment or the root it names; empty where that cannot be said."""
    levels = knowledge.levels
    if observation.level is None:
        return {}
    if observation.id in levels.in_canal:
        by_segment = levels.canal
    elif observation.id in levels.in_foramen:
        by_segment = levels.foramen
    elif observation.id in levels.misplaced:
        by_segment = {}
    else:
        return {}
    return by_segment.get(observation.level, {}) if "-" in observation.level else {observation.level: 1.0}


def _discordant(observation: Observation, located: Located, knowledge: Localisation) -> bool:
    if observation.status != "present" or observation.side not in ("left", "right"):
        return False
    roots = pressed(observation, knowledge)
    if not roots:
        return False
    meets = sum(
        place.probability * max((roots.get(root, 0.0) for root in _roots(place.site, knowledge)), default=0.0)
        for place in located.places
        if place.side in (observation.side, "both")
    )
    hurt = sum(p.probability for p in located.places if _roots(p.site, knowledge))
    return hurt > knowledge.certain and meets < knowledge.discordant


def _roots(site: str, knowledge: Localisation) -> Sequence[str]:
    return next((s.roots for s in knowledge.sites if s.id == site), ())


def _conflicts(
    wrong: Sequence[Observation], signs: Sequence[NerveSign], located: Located, knowledge: Localisation
) -> list[Conflict]:
    names = {s.id: s.name for s in knowledge.sites}
    place = located.places[0]
    where = f"{names[place.site]}, {place.side}" if place.side else names[place.site]
    source = next((s.source for s in signs if s.source and s.status == "present"), None)
    return [
        Conflict(
            o.id,
            f"lies at {o.level} on the {o.side}, but the signs of the nerve point to the {where}; is the side or level right?",
            tuple(s for s in (o.source, source) if s is not None),
        )
        for o in wrong
    ]
