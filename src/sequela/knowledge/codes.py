"""The codes of coding systems, and what each says in the words of the knowledge base. Data: `codes.yaml`.

`load()` gives one immutable `Codes`; `Codes.meanings(system, code)` answers what a code says. Nothing here decides medicine:
a code that is not in the file says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from sequela.knowledge.cache import Cache, signature
from sequela.knowledge.codes_model import Analyte, CodesFile, Group, Medication, Score, Side, Status

FILE = Path(__file__).with_name("codes.yaml")
Kind = Literal["finding", "cause", "procedure", "implant", "event"]
_DELIMITED = r"(?<![^\W_]){}(?![^\W_])"


class CodesError(ValueError):
    """codes.yaml does not fit; the text names file, line, key and the mend."""


class Meaning(msgspec.Struct, frozen=True):
    """What one code says. id: finding, cause, procedure, implant or kind of event, by `kind`."""

    kind: Kind
    id: str
    label: str = ""
    status: Status = "present"
    level: str | None = None
    side: Side | None = None
    needs_site: bool = False
    past_counts: bool = False
    verified: bool = True


class Codes:
    """codes.yaml, ready to be asked. Build it with `load()`."""

    def __init__(self, file: CodesFile) -> None:
        self.file = file
        self._systems = {
            name.rstrip("/").lower(): system for system in file.systems for name in (*system.names, system.id)
        }
        self._exact: dict[tuple[Kind, str, str], Meaning | None] = {}
        self._prefix: dict[tuple[Kind, str], list[tuple[str, re.Pattern[str] | None, Meaning | None]]] = {}
        sections: Mapping[Kind, tuple[Group, ...]] = {
            "finding": file.findings,
            "cause": file.causes,
            "procedure": file.procedures,
            "implant": file.implants,
            "event": file.events,
        }
        for kind, groups in sections.items():
            for group in groups:
                self._index(kind, group)
        for entries in self._prefix.values():
            entries.sort(key=lambda entry: -len(entry[0].replace("?", "")))
        self._analytes = {code: a for a in file.analytes for code in (*a.loinc, *a.loinc_unverified)}
        self._analyte_names = {name: a for a in file.analytes for name in a.names}
        self._scores = {code: s for s in file.scores for code in s.loinc}
        self._drug_names = _words([name for m in file.medications for name in m.names])

    def _index(self, kind: Kind, group: Group) -> None:
        name = getattr(group, kind)
        if not isinstance(name, str):
            raise CodesError(f"{FILE.name}: a group among the {kind}s does not name its {kind}; add `{kind}:`")
        for code in group.codes:
            meaning = None
            if code.role != "exclude":
                meaning = Meaning(
                    kind,
                    name,
                    group.label or code.label,
                    code.status,
                    code.level,
                    code.side,
                    group.needs_site,
                    group.past_counts,
                    code.verified,
                )
            for text in _several(code.code):
                self._exact[kind, code.system, self._plain(code.system, text)] = meaning
            for text in _several(code.prefix):
                prefix = self._plain(code.system, text)
                pattern = re.compile(re.escape(prefix).replace(r"\?", ".")) if "?" in prefix else None
                self._prefix.setdefault((kind, code.system), []).append((prefix, pattern, meaning))

    def _plain(self, system: str, code: str) -> str:
        code = code.strip().upper()
        known = self._systems.get(system)
        return code if known is None or known.dots else code.replace(".", "")

    def system(self, name: str) -> str | None:
        """Our name of a coding system from its address or object identifier."""
        known = self._systems.get(name.strip().rstrip("/").lower().removeprefix("urn:oid:"))
        return known.id if known else None

    def meanings(self, system: str, code: str) -> tuple[Meaning, ...]:
        """What the code says, at most one meaning of each kind; empty when it is not known."""
        ours = self.system(system)
        if ours is None:
            return ()
        plain = self._plain(ours, code)
        found = (self._meaning(kind, ours, plain) for kind in ("finding", "cause", "procedure", "implant", "event"))
        return tuple(meaning for meaning in found if meaning is not None)

    def _meaning(self, kind: Any, system: str, code: str) -> Meaning | None:
        if (kind, system, code) in self._exact:
            return self._exact[kind, system, code]
        for prefix, pattern, meaning in self._prefix.get((kind, system), ()):
            if code.startswith(prefix) if pattern is None else pattern.match(code):
                return meaning
        return None

    def answer(self, question: Iterable[tuple[str, str]], answer: Iterable[tuple[str, str]]) -> Meaning | None:
        """The finding that a coded answer to a coded question states. Both are (system, code) pairs."""
        asked = {(self.system(system), code) for system, code in question}
        given = {(self.system(system), code) for system, code in answer}
        for entry in self.file.answers:
            if (entry.question.system, entry.question.code) in asked:
                for code in entry.codes:
                    if code.finding and any((code.system, text) in given for text in _several(code.code)):
                        return Meaning("finding", code.finding, code.label, code.status)
        return None

    def analyte(self, codings: Iterable[tuple[str, str]], name: str = "") -> Analyte | None:
        """The measured quantity by LOINC number, else by its name as written ("CRP", "C-reactive protein (mg/L)")."""
        for system, code in codings:
            if self.system(system) == "loinc" and code in self._analytes:
                return self._analytes[code]
        plain = re.sub(r"\s*[\[(].*$", "", name).strip().lower()
        return self._analyte_names.get(plain)

    def score(self, codings: Iterable[tuple[str, str]]) -> Score | None:
        for system, code in codings:
            if self.system(system) == "loinc" and code in self._scores:
                return self._scores[code]
        return None

    def medication(self, codings: Iterable[tuple[str, str]], text: str) -> Medication | None:
        """The group of a drug by ATC or RxNorm code, else by an ingredient named in its text."""
        lower = text.lower()
        for system, code in codings:
            ours = self.system(system)
            for group in self.file.medications:
                by_atc = ours == "atc" and code.upper().startswith(group.atc)
                if by_atc or (ours == "rxnorm" and code in (*group.rxnorm, *group.rxnorm_unverified)):
                    return None if _excluded(group, lower) else group
        named = {match[1] for match in self._drug_names.finditer(lower)}
        return next((g for g in self.file.medications if named.intersection(g.names) and not _excluded(g, lower)), None)

    def level(self, codings: Iterable[tuple[str, str]]) -> str | None:
        given = {code for system, code in codings if self.system(system) == "snomed"}
        return next((entry.level for entry in self.file.levels if given.intersection(entry.snomed)), None)

    def side(self, codings: Iterable[tuple[str, str]]) -> Side | None:
        given = {code for system, code in codings if self.system(system) == "snomed"}
        return next((entry.side for entry in self.file.sides if given.intersection(entry.snomed)), None)

    def side_word(self, text: str) -> Side | None:
        """The side a table cell names: "L", "left", "both"; None when it names none."""
        word = text.strip().strip(".").lower()
        return next((s.side for s in self.file.sides if word in s.words or word.upper() in s.codes), None)

    def is_lumbar(self, codings: Iterable[tuple[str, str]], text: str) -> bool:
        """True when a site code or a word says the lumbar region."""
        given = {self._plain("opcs4", code) for system, code in codings if self.system(system) == "opcs4"}
        if given.intersection(self._plain("opcs4", code) for code in self.file.lumbar.opcs4):
            return True
        lower = text.lower()
        return any(word in lower for word in self.file.lumbar.words)

    def document_kind(self, codings: Iterable[tuple[str, str]], title: str) -> str | None:
        """The kind of a document by LOINC number, else by the first kind named in its title."""
        given = {code for system, code in codings if self.system(system) == "loinc"}
        for kind in self.file.document_kinds:
            if given.intersection(kind.loinc):
                return kind.kind
        return next((k.kind for k in self.file.document_kinds if _words(k.words).search(title.lower())), None)

    def line_start(self, codings: Iterable[tuple[str, str]]) -> str:
        """The words that every line of a section is read behind: "Family history: "; empty for most."""
        given = {code for system, code in codings if self.system(system) == "loinc"}
        return next((s.before for s in self.file.sections if given.intersection(s.loinc)), "")

    def modality_kind(self, modality: str) -> str | None:
        """The kind of a report by the DICOM modality: MR -> mri."""
        return next((k.kind for k in self.file.document_kinds if modality.upper() in k.modalities), None)


def _several(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


@lru_cache(maxsize=256)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(_DELIMITED.format("(" + "|".join(map(re.escape, longest_first)) + ")"))


def _words(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of the words as whole words; group 1 is the word."""
    return _pattern(tuple(words))


def _excluded(group: Medication, text: str) -> bool:
    return any(route in text for route in group.not_routes)


def find_words(words: tuple[str, ...], text: str) -> re.Match[str] | None:
    """The first of the words in the text as a whole word, whatever its case."""
    return _pattern(words).search(text.lower()) if words else None


def read(path: Path) -> Codes:
    """The codes of one file, from the cache where it is unchanged. Raises CodesError naming file, line, key and the mend."""
    try:
        cache = Cache(path, signature([path]))
        known = cache.get("codes", CodesFile)
        if known is None:
            known = _parsed(path)
            cache.put("codes", msgspec.msgpack.encode(known))
        return Codes(known)
    except (OSError, UnicodeDecodeError) as error:
        raise CodesError(f"{path.name}: cannot be read ({error}); put the file there as UTF-8 text") from None


def _parsed(path: Path) -> CodesFile:
    import yaml  # here: a warm start must not pay for importing a YAML parser

    try:
        return msgspec.convert(yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader), CodesFile)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise CodesError(_place(path, error)) from None


def _place(path: Path, error: Exception) -> str:
    """`codes.yaml:12: findings[0].codes[3].label: what; mend`."""
    from sequela.knowledge.documents import Place
    from sequela.knowledge.documents import read as read_document

    document, problems = read_document(path.parent, path.name)
    if problems:
        return str(problems[0])
    what, _, at = str(error).partition(" - at `$")
    place = Place(document)
    for name, index in re.findall(r"\.([A-Za-z_]\w*)|\[(\d+)\]", at):
        place = place / (int(index) if index else name)
    return str(place.problem(what, "write a value of the expected kind"))


@lru_cache(maxsize=1)
def load() -> Codes:
    """The codes shipped with the package, read once."""
    return read(FILE)
