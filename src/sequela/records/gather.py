"""From paths to everything they hold: each file read by what it is, one patient's records kept, impossible dates named."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec

from sequela.case import Patient, Problem
from sequela.records import dates, identity, plain
from sequela.records.gathered import Gathered, filled, refused, together

MOST_BYTES = 1024**3
STDIN = "standard input"

_GZIP = b"\x1f\x8b"
_WORD = "save it as PDF or text"
_NOT_TEXT = {
    "a Word, Excel or zip file": _WORD,
    "an old Word or Excel file": _WORD,
    "an RTF file": _WORD,
    "an image": "run text recognition (OCR) on it, or give its report as text",
    "a DICOM image": "give its report as text or PDF",
}


class _File(NamedTuple):
    """path, and the name it is called by in messages and sources."""

    path: Path
    name: str


SEE_ABOVE = "see the lines above"
"""Mend of the last problem when every file had one of its own."""


def gather(
    paths: Iterable[str | Path],
    *,
    stdin_text: str | None = None,
    patient: str | None = None,
    today: date | None = None,
) -> Gathered:
    """Read files and folders (with their subfolders, hidden ones left out) of one patient.

    stdin_text: a text without a file. patient: the id of the patient whose records are wanted, or several ids of the same person
    separated by commas. Never raises for what a file holds: what could not be read is among the problems.
    """
    today = today or date.today()
    parts: list[Gathered] = []
    if stdin_text is not None:
        parts.append(read_bytes(stdin_text.encode("utf-8", "replace"), STDIN, today=today))
    files, problems = _files([Path(p) for p in paths if str(p) != "-"])
    parts += [_read_file(file, today) for file in files]
    parts.append(Gathered(problems=tuple(problems)))
    everything = together(parts)
    chosen = _of_one_patient(everything, patient)
    if chosen.fatal:
        return chosen
    return _nothing_read(_possible_dates(chosen, today), given=bool(files) or stdin_text is not None)


def _nothing_read(gathered: Gathered, *, given: bool) -> Gathered:
    """A last line when no file gave anything, so that an empty answer is never taken for a healthy patient."""
    if gathered.documents or gathered.fatal:
        return gathered
    if gathered.problems:
        problem = Problem("records", "nothing could be read", SEE_ABOVE, fatal=True)
    elif given:
        mend = "add notes, reports, or a FHIR export with conditions, procedures and observations"
        problem = Problem("records", "nothing about a patient's back could be read", mend, fatal=True)
    else:
        problem = Problem(
            "records", "no file was given", "name a file or folder with the patient's records", fatal=True
        )
    return msgspec.structs.replace(gathered, problems=(*gathered.problems, problem))


# Files ---------------------------------------------------------------------------------------------------------------


def _files(paths: list[Path]) -> tuple[list[_File], list[Problem]]:
    """The files of the paths in a fixed order, each once; two files of the same name keep their folders in their names."""
    found: dict[Path, str] = {}
    problems: list[Problem] = []
    empty: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(_inside(path, problems), key=lambda p: p.relative_to(path).as_posix())
            if not inside:
                empty.append(path)
            for file in inside:
                found.setdefault(file, file.relative_to(path).as_posix())
        elif path.exists():
            found.setdefault(path, path.name)
        else:
            problems.append(Problem(str(path), "does not exist", "check the path"))
    mend = "put the patient's records (FHIR, C-CDA, text, PDF, CSV) there, or name another folder"
    problems += [Problem(str(path), "is an empty folder", mend, fatal=not found) for path in empty]
    names = list(found.values())
    return [_File(p, n if names.count(n) == 1 else p.as_posix()) for p, n in found.items()], problems


def _inside(folder: Path, problems: list[Problem]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        where = str(error.filename or folder)
        problems.append(Problem(where, f"cannot be opened ({error.strerror})", "check its permissions"))

    for root, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root) / name for name in files if not name.startswith("."))


def _read_file(file: _File, today: date) -> Gathered:
    try:
        status = file.path.stat()
        if not stat.S_ISREG(status.st_mode):
            return refused(file.name, "is not a regular file", "give a file or folder")
        if status.st_size > MOST_BYTES:
            return refused(file.name, f"is too large ({status.st_size // 1024**2} MB)", "split it by patient")
        if status.st_size > plain.MOST_BYTES and _suffix(file.name) in _TEXTS:
            megabytes = status.st_size // 1024**2
            return refused(file.name, f"is too large to be a text ({megabytes} MB)", "split it, or export it as FHIR")
        return read_bytes(file.path.read_bytes(), file.name, today=today)
    except OSError as error:
        return refused(file.name, f"cannot be opened ({error.strerror or error})", "check the file and its permissions")
    except MemoryError:
        return refused(file.name, "is too large for the memory of this machine", "split it by patient")


def read_bytes(data: bytes, name: str, *, today: date | None = None) -> Gathered:
    """The content of one file, read by what it is: its first bytes first, then its name."""
    today = today or date.today()
    if not data.strip():
        return refused(name, "is empty", "check that the right file was saved")
    try:
        return _reader(data, name)(data, name, today)
    except Exception as error:  # the last net: a defect of a reader must cost one file, not the patient's whole record
        return refused(
            name, f"could not be read ({type(error).__name__})", "report this file's kind as a defect of Sequela"
        )


_Reader = Callable[[bytes, str, date], Gathered]
_TEXTS = frozenset((".txt", ".text", ".md", ".markdown", ".html", ".htm", ".csv", ".tsv"))
_FHIR = frozenset((".json", ".ndjson", ".jsonl"))


def _reader(data: bytes, name: str) -> _Reader:
    """Which reader: what the content plainly is wins over what the file is called."""
    start = plain.decode_start(data)
    suffix = _suffix(name)
    if data.startswith(b"%PDF-") or (suffix == ".pdf" and b"%PDF-" in data[:1024]):
        return _pdf
    if data.startswith(_GZIP):
        return _unpacked
    foreign = plain.foreign(data)
    if foreign or suffix == ".pdf":
        kind = foreign or "not a PDF, although it is called one"
        return lambda _data, name, _today: refused(name, f"is {kind}", _NOT_TEXT.get(kind, "save it as a PDF again"))
    if suffix in _FHIR or (start.startswith(("{", "[{")) and '"resourceType"' in start):
        return _fhir
    if suffix == ".xml" or start.startswith("<?xml") or "<ClinicalDocument" in start:
        return _page if "<html" in start.lower() else _ccda
    if suffix in (".csv", ".tsv"):
        return _table
    return _page


def _suffix(name: str) -> str:
    return Path(name.lower().removesuffix(".gz")).suffix


def _pdf(data: bytes, name: str, _today: date) -> Gathered:
    from sequela.records import pdf

    return pdf.read(data, name)


def _fhir(data: bytes, name: str, today: date) -> Gathered:
    from sequela.records import fhir

    return fhir.read(data, name, today=today)


def _ccda(data: bytes, name: str, today: date) -> Gathered:
    from sequela.records import ccda

    return ccda.read(data, name, today=today)


def _table(data: bytes, name: str, _today: date) -> Gathered:
    from sequela.records import tables

    return tables.read(data, name)


def _page(data: bytes, name: str, _today: date) -> Gathered:
    return plain.read(data, name)


def _unpacked(data: bytes, name: str, today: date) -> Gathered:
    """A gzipped file: FHIR exports come so. Anything else is unpacked and looked at again."""
    from sequela.records import fhir

    if _suffix(name) in _FHIR:
        return fhir.read(data, name, today=today)
    inner = fhir.unpacked(data)
    if inner is None or inner.startswith(_GZIP):
        return refused(name, "is a gzip file that cannot be unpacked", "unpack it, or copy it again")
    return read_bytes(inner, name.removesuffix(".gz"), today=today)


# Patients ------------------------------------------------------------------------------------------------------------


def _of_one_patient(gathered: Gathered, wanted: str | None) -> Gathered:
    """The records of one patient. Two patients are never mixed: without a choice nothing is kept but the question."""
    gathered = identity.told_apart(gathered, _people(gathered), always=wanted is not None)
    people = _people(gathered)
    if wanted is not None:
        named = _wanted(gathered, people, wanted)
        if not named:
            known = _described(gathered, people)
            mend = f"give --patient one of: {known}" if known else "they name no patient, so leave --patient out"
            return _asked(gathered, f"no patient {wanted} in these records", mend)
        return _kept(gathered, {own for person in named for own in person}, others=len(people) > len(named))
    nameless = sum(1 for p in gathered.patients if p.id is None)
    if len(people) + nameless > 1:
        what = f"the records of {len(people) + nameless} patients"
        return _asked(gathered, what, f"choose one with --patient: {_described(gathered, people)}")
    return _kept(gathered, {own for person in people for own in person})


def _wanted(gathered: Gathered, people: list[tuple[str, ...]], wanted: str) -> list[tuple[str, ...]]:
    """The person of the given ids, or the only one of whom all the given words are said: "Jane Doe", "doe 1960-01-01"."""
    ids = {part.strip() for part in wanted.split(",") if part.strip()}
    by_id = [person for person in people if ids & set(person)]
    if by_id and not ids - {own for person in by_id for own in person}:
        return by_id
    said = set(wanted.lower().replace(",", " ").split())
    by_name = [person for person in people if said and said <= _said_of(_joined(gathered, set(person)))]
    return by_name if len(by_name) == 1 else []


def _said_of(patient: Patient) -> set[str]:
    return {*identity.words(patient.name or ""), patient.birth_date or ""}


def _people(gathered: Gathered) -> list[tuple[str, ...]]:
    """The ids of each person. Ids that share a record number are one person; names and birth dates are never compared."""
    ids = dict.fromkeys([*(p.id for p in gathered.patients if p.id is not None), *gathered.owners.values()])
    person_of: dict[str, list[str]] = {}  # by id and by record number; the members of one person share one list
    for own in ids:
        numbers = (own, *gathered.identifiers.get(own, ()))
        same = {id(person_of[number]): person_of[number] for number in numbers if number in person_of}
        person = [*(member for others in same.values() for member in others), own]
        for member in person:
            for number in (member, *gathered.identifiers.get(member, ())):
                person_of[number] = person
    distinct = {id(person_of[own]): tuple(person_of[own]) for own in ids}
    return list(distinct.values())


def _described(gathered: Gathered, people: list[tuple[str, ...]]) -> str:
    """ "123 (Jane Doe, born 1960-01-01), …": ids as they stand in the records."""
    shown = []
    for person in people[:12]:
        patient = _joined(gathered, set(person))
        about = ", ".join(filter(None, (patient.name, patient.birth_date and f"born {patient.birth_date}")))
        shown.append(f"{person[0]} ({about})" if about else person[0])
    more = [f"and {len(people) - 12} more"] if len(people) > 12 else []
    return ", ".join((*shown, *more))


def _asked(gathered: Gathered, what: str, mend: str) -> Gathered:
    """Only the question: nothing of anybody is handed on."""
    problem = Problem("records", what, mend, fatal=True)
    return Gathered(patients=gathered.patients, problems=(*gathered.problems, problem))


def _joined(gathered: Gathered, ids: set[str]) -> Patient:
    own = [p for p in gathered.patients if p.id in ids]
    first = own[0] if own else Patient(next(iter(ids), None))
    for other in own[1:]:
        first = filled(first, other)
    return first


def _kept(gathered: Gathered, ids: set[str], *, others: bool = False) -> Gathered:
    """What belongs to these ids, with contradictions about the person named.

    others: there are records of other people too; then a text that does not say whose it is may be theirs and is left out.
    """
    unowned = [d for d in gathered.documents if d.name not in gathered.owners]
    names = {d.name for d in gathered.documents if gathered.owners.get(d.name) in ids}
    names.update(d.name for d in unowned if not others)
    own = [p for p in gathered.patients if p.id in ids or p.id is None]
    patients = (_joined(gathered, ids),) if ids else tuple(own[:1])
    problems = [*gathered.problems, *([identity.unnamed(unowned)] if others and unowned else [])]
    births = sorted({p.birth_date for p in own if p.birth_date})
    if len(births) > 1 and any(dates.after(b, births[0]) for b in births):
        what = f"the patient has several birth dates ({', '.join(births)})"
        problems.append(Problem("records", what, "correct the wrong one; none was used"))
        patients = tuple(msgspec.structs.replace(p, birth_date=None) for p in patients)
    kept = msgspec.structs.replace(
        gathered,
        patients=patients,
        documents=tuple(d for d in gathered.documents if d.name in names),
        operations=tuple(o for o in gathered.operations if o.source is None or o.source.document in names),
        observations=tuple(o for o in gathered.observations if o.source is None or o.source.document in names),
        events=tuple(e for e in gathered.events if e.source is None or e.source.document in names),
        nerve_tests=tuple(t for t in gathered.nerve_tests if t.source is None or t.source.document in names),
        owners={name: owner for name, owner in gathered.owners.items() if name in names},
    )
    return msgspec.structs.replace(kept, problems=(*problems, *identity.misfiled(kept)))


# Dates ---------------------------------------------------------------------------------------------------------------


def _possible_dates(gathered: Gathered, today: date) -> Gathered:
    """Dates that cannot be are named and taken out of the facts; the words of the documents keep them."""
    now = today.isoformat()
    problems = list(gathered.problems)
    birth = gathered.patients[0].birth_date if gathered.patients else None
    if birth and dates.after(birth, now):
        problems.append(Problem("records", f"the birth date {birth} is in the future", "correct it; it was not used"))
        birth = None
    named: set[tuple[str, str]] = set()

    def checked(day: str | None, where: str, what: str) -> str | None:
        """The date, or None when it is impossible; each place and date is named once."""
        if day is None:
            return None
        wrong = "is in the future" if dates.after(day, now) else ""
        if not wrong and birth and dates.after(birth, day):
            wrong = f"is before the patient's birth ({birth})"
        if not wrong:
            return day
        if (where, day) not in named:
            named.add((where, day))
            problems.append(Problem(where, f"the date {day} of {what} {wrong}", "correct it; it was not used for time"))
        return None

    set_ = msgspec.structs.replace
    at = _where
    operations = tuple(set_(o, date=checked(o.date, at(o), o.name or o.procedure)) for o in gathered.operations)
    observations = tuple(set_(o, date=checked(o.date, at(o), o.id)) for o in gathered.observations)
    events = tuple(set_(e, date=checked(e.date, at(e), e.label)) for e in gathered.events)
    documents = tuple(set_(d, date=checked(d.date, d.name, "the document")) for d in gathered.documents)
    patients = tuple(set_(p, birth_date=birth) for p in gathered.patients)
    return set_(
        gathered,
        patients=patients,
        documents=documents,
        operations=operations,
        observations=observations,
        events=events,
        problems=tuple(problems),
    )


def _where(fact: object) -> str:
    source = getattr(fact, "source", None)
    return source.document if source is not None else "records"
