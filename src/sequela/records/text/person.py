"""Who the patient is, as far as a text says: age and sex."""

from __future__ import annotations

import re

from sequela.case import Patient

_AGE = re.compile(
    r"\b(\d{1,3})[- ]?(?:year|yr|y)s?[- ]?(?:old|o\b)(?! (?:mother|father|sister|brother|daughter|son|wife|husband|partner|injury|fracture|scan))|\baged? (\d{1,3})\b|\b(\d{2})[ ]?(?:yo|y/o|yrs|M|F)\b|\b(?:Mr|Mrs|Ms|Miss|Dr)\.? [A-Z][\w'-]+(?: [A-Z][\w'-]+)?, (\d{2})(?=,|\.| and )"
)
_DECADE = re.compile(
    r"\bin (?:his|her|their) (?:early |mid[- ]?|late )?(twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)\b"
)
_DECADES = {
    w: 25 + 10 * i
    for i, w in enumerate("twenties thirties forties fifties sixties seventies eighties nineties".split())
}
_FEMALE = re.compile(r"\b(she|her|woman|female|lady|Mrs|Ms)\b")
_MALE = re.compile(r"\b(he|his|him|man|male|gentleman|Mr)\b")


def stated_age(text: str) -> tuple[int, int, int] | None:
    """Age in years and where it stands: "63-year-old", "aged 63", "in his sixties" (taken as 65)."""
    match = _AGE.search(text)
    if match:
        return int(next(g for g in match.groups() if g)), match.start(), match.end()
    decade = _DECADE.search(text)
    return (_DECADES[decade[1]], decade.start(), decade.end()) if decade else None


def patient(text: str) -> Patient:
    age = stated_age(text)
    women, men = len(_FEMALE.findall(text)), len(_MALE.findall(text))
    sex = "female" if women > men else "male" if men > women else None
    return Patient(age=age[0] if age else None, sex=sex)  # type: ignore[arg-type]
