"""Whose a text is: the birth date, record number and name that letters and reports state, compared with the other records.

Two people are told apart by birth dates that cannot be the same day, or, where a birth date is missing, by names without a common word.
Record numbers only join: one person has several (of the hospital, of the insurer).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from sequela.case import Document, Patient, Problem
from sequela.records import dates
from sequela.records.gathered import Gathered

_SEARCHED = 4000
"""Characters in which a text says whose it is."""

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DATE = rf"""(?:(?P<iso>\d{{4}}-\d\d-\d\d)|(?P<one>\d{{1,2}})[/.\-](?P<two>\d{{1,2}})[/.\-](?P<year>\d{{4}})
    |(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s\-.]*{_MONTH}[\s,\-]*(?P<year2>\d{{4}})
    |{_MONTH.replace("month", "month_first")}\s*(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?,?\s*(?P<year3>\d{{4}}))"""
_NAME = r"(?-i:[A-Z][\w'’\-]+,?(?:[ ]+[A-Z]\.)?(?:[ ]+[A-Z][\w'’\-]+){1,3})"
_TITLE = r"(?:mr|mrs|ms|miss|mx)\b\.?[ ]+"
_DOB = r"\b(?:d\.?o\.?b\b\.?|date[ ]of[ ]birth|birth[ ]?date)"
_BIRTH = re.compile(rf"(?:{_DOB}|(?-i:[A-Z][\w'’\-]+)[ ]*[,(][ ]*born(?:[ ]on)?)\W{{0,4}}{_DATE}", re.I | re.X)
_NUMBER = re.compile(
    r"\b(?:mrn|nhs[ ](?:no|number)|(?:hospital|patient|record|case)[ ](?:no|number|id)|patient[ ]?id)\b\W{0,4}(?P<number>[a-z]{0,4}[\d][\d \-/]{2,14}\d)",
    re.I,
)
_NAMED = re.compile(
    rf"""^\W*(?:patient(?:'s)?[ ]name|name[ ]of[ ]patient|name)[ ]*:[ ]*(?:{_TITLE})?(?P<labelled>{_NAME})
    | ^\W*(?:re|patient)[ ]*:[ ]*{_TITLE}(?P<titled>{_NAME}|(?-i:[A-Z][\w'’\-]+))
    | (?:{_TITLE})?(?P<born>{_NAME})\W{{1,3}}(?:{_DOB}|born\b)""",
    re.I | re.X | re.M,
)
_NO_NAME = frozenset("patient name re mr mrs ms miss mx dr date birth dob of the and hospital clinic ward".split())


class Identity(NamedTuple):
    """births: every day (ISO) that the written birth date may mean. numbers without blanks. name: its words in lower case."""

    births: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    name: frozenset[str] = frozenset()
    written: str = ""

    def agrees(self, other: Identity) -> bool:
        """Surely the same person."""
        if self.numbers & other.numbers:
            return True
        return not self.differs(other) and (bool(self.births & other.births) or len(self.name & other.name) >= 2)

    def differs(self, other: Identity) -> bool:
        """Surely another person."""
        if self.numbers & other.numbers:
            return False
        if self.births and other.births and not self.births & other.births:
            return True
        return bool(self.name and other.name) and not self.name & other.name

    def with_(self, other: Identity) -> Identity:
        births = self.births & other.births or self.births or other.births
        return Identity(births, self.numbers | other.numbers, self.name | other.name, self.written or other.written)


class _Person(NamedTuple):
    id: str
    identity: Identity


def of_patient(patient: Patient, numbers: Iterable[str] = ()) -> Identity:
    """Who a structured patient is; a birth date without its day tells nobody apart."""
    births = {patient.birth_date} if patient.birth_date and len(patient.birth_date) == len("2000-01-01") else set()
    own = {_plain(number) for number in (patient.id or "", *numbers) if number}
    return Identity(frozenset(births), frozenset(own), words(patient.name or ""), patient.name or "")


def stated(text: str) -> Identity:
    """Who a text says it is about; empty where it does not say."""
    head = text[:_SEARCHED]
    birth = _BIRTH.search(head)
    numbers = {_plain(match["number"]) for match in _NUMBER.finditer(head)}
    named = next(
        (said for m in _NAMED.finditer(head) if words(said := m["labelled"] or m["titled"] or m["born"] or "")), ""
    )
    return Identity(_days(birth) if birth else frozenset(), frozenset(numbers), words(named), " ".join(named.split()))


def words(name: str) -> frozenset[str]:
    """The words by which a name is recognised, in whatever order: "Smith, John" and "Mr John Smith" have the same two."""
    return frozenset(re.findall(r"[^\W\d_][\w'’\-]+", name.lower())) - _NO_NAME


def _plain(number: str) -> str:
    return re.sub(r"[\s\-/]", "", number).lower()


def _days(match: re.Match[str]) -> frozenset[str]:
    """The days a written date may mean: 3/4/1960 is the third of April or the fourth of March."""
    if match["iso"]:
        found = [match["iso"]]
    elif match["one"]:
        one, two, year = match["one"].zfill(2), match["two"].zfill(2), match["year"]
        found = [f"{year}-{two}-{one}", f"{year}-{one}-{two}"]
    else:
        month = _MONTHS.index((match["month"] or match["month_first"]).lower()[:3]) + 1
        found = [f"{match['year2'] or match['year3']}-{month:02d}-{(match['day'] or match['day3']).zfill(2)}"]
    return frozenset(day for written in found if (day := dates.from_iso(written)))


def told_apart(gathered: Gathered, people: Iterable[tuple[str, ...]], *, always: bool = False) -> Gathered:
    """The records with an owner for each text that says whose it is; without a second person nothing has to be told apart.

    people: the ids of each structured patient. always: give owners also where there is only one person.
    """
    persons = [_structured(gathered, ids) for ids in people]
    known = len(persons)
    owners: dict[str, str] = {}
    for document in gathered.documents:
        identity = stated(document.text)
        if document.name in gathered.owners or identity == Identity():
            continue
        own = next((i for i, person in enumerate(persons) if person.identity.agrees(identity)), None)
        if own is None and all(person.identity.differs(identity) for person in persons):
            own = len(persons)
            persons.append(_Person(_called(identity, {p.id for p in persons}), identity))
        if own is not None:
            persons[own] = persons[own]._replace(identity=persons[own].identity.with_(identity))
            owners[document.name] = persons[own].id
    if len(persons) < 2 and not always:
        return gathered
    added = [Patient(p.id, p.identity.written or None, None, _birth(p.identity)) for p in persons[known:]]
    return msgspec.structs.replace(
        gathered, patients=(*gathered.patients, *added), owners={**gathered.owners, **owners}
    )


def misfiled(gathered: Gathered) -> list[Problem]:
    """Texts that a record files under its patient although they state somebody else's birth date or name."""
    numbers = gathered.identifiers
    known = {p.id: of_patient(p, numbers.get(p.id, ())) for p in gathered.patients if p.id is not None}
    return [
        Problem(
            document.name, "states another birth date or name than its patient's", "check that it is this patient's"
        )
        for document in gathered.documents
        if (patient := known.get(gathered.owners.get(document.name, ""))) and patient.differs(stated(document.text))
    ]


def unnamed(documents: Iterable[Document]) -> Problem:
    """Texts left out because they do not say to which of several people they belong."""
    names = list(dict.fromkeys(document.name.split("#")[0] for document in documents))
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    said = "does not say whose it is and was" if len(names) == 1 else "do not say whose they are and were"
    return Problem(shown, f"{said} left out", "put the records of each patient in a folder of their own")


def _structured(gathered: Gathered, ids: tuple[str, ...]) -> _Person:
    identity = Identity()
    for patient in gathered.patients:
        if patient.id in ids:
            identity = identity.with_(of_patient(patient, gathered.identifiers.get(patient.id or "", ())))
    return _Person(ids[0], identity)


def _called(identity: Identity, taken: set[str]) -> str:
    """An id for a person that only letters name: the number, else the name, else the birth date."""
    birth = _birth(identity) or ""
    candidates = [*sorted(identity.numbers), identity.written, birth, f"{identity.written} {birth}".strip()]
    return next((c for c in candidates if c and c not in taken), f"patient {len(taken) + 1}")


def _birth(identity: Identity) -> str | None:
    return next(iter(identity.births)) if len(identity.births) == 1 else None
