"""C-CDA: the narrative of every section as a document, and the coded entries of problems, procedures, medications and results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from sequela.case import Patient, Status
from sequela.knowledge.codes import load
from sequela.records import dates
from sequela.records.collect import Coded, Coding, Collector, Value
from sequela.records.gathered import Gathered, refused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_BYTES = 100 * 1024 * 1024
"""A parsed document needs ten times its size."""

_V3 = "{urn:hl7-org:v3}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_PROBLEM = "2.16.840.1.113883.10.20.22.4.4"
_PROCEDURES = frozenset(f"2.16.840.1.113883.10.20.22.4.{n}" for n in (12, 13, 14))
_DRUG = "2.16.840.1.113883.10.20.22.4.16"
_RESULTS = frozenset(f"2.16.840.1.113883.10.20.22.4.{n}" for n in (2, 27, 38, 78, 85))
_LABORATORY = "2.16.840.1.113883.10.20.22.4.2"
_STOPPED = frozenset(("aborted", "cancelled", "nullified", "held"))
_SEX: dict[str, str] = {"F": "female", "M": "male"}
_FLAGS = {"H": "high", "HH": "high", "L": "low", "LL": "low", "N": "normal", "A": "abnormal"}
_LINES = frozenset(["paragraph", "list", "table", "thead", "tbody", "tr", "caption", "br"])


def read(data: bytes, name: str, *, today: date | None = None) -> Gathered:
    """Everything a C-CDA document says."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    if len(data) > MOST_BYTES:
        return refused(name, f"is too large ({len(data) // 1024**2} MB)", "export one document per patient")
    try:
        root = fromstring(data)
    except ParseError as error:
        line, column = error.position
        what = f"is not complete XML (line {line}, column {column + 1}: {str(error).split(':')[0]})"
        return refused(name, what, "export or copy it again")
    except DefusedXmlException:
        return refused(name, "declares XML entities, which are not opened for safety", "export it without a DTD")
    except (ValueError, LookupError, RecursionError) as error:
        return refused(name, f"is not readable XML ({' '.join(str(error).split())})", "export it again as UTF-8")
    if root.tag != f"{_V3}ClinicalDocument":
        return refused(name, *_other_xml(root.tag))
    try:
        return _Document(root, Collector(name, load(), today or date.today())).gathered()
    except RecursionError:
        return refused(name, "is nested too deeply to be a C-CDA document", "export it again")


def _other_xml(tag: str) -> tuple[str, str]:
    if "hl7.org/fhir" in tag:
        return "is FHIR in XML", "export it as FHIR JSON"
    return f"is XML but no C-CDA document (it is {tag.rsplit('}', 1)[-1]})", "give a C-CDA ClinicalDocument"


class _Document:
    """One ClinicalDocument being read."""

    def __init__(self, root: Element, collector: Collector) -> None:
        self.root = root
        self.collector = collector
        self.owner: str | None = None
        self._number = 0
        self._narrated: dict[str, str] = {}

    def gathered(self) -> Gathered:
        for role in _children(self.root, "recordTarget/patientRole"):
            self._patient(role)
        written = dates.from_hl7(_attribute(self.root, "effectiveTime", "value"))
        own_kind = self.collector.codes.document_kind(_codes(_child(self.root, "code")), _text(self.root, "title"))
        for section in self.root.iter(f"{_V3}section"):
            self._section(section, own_kind, written)
        for body in _children(self.root, "component/nonXMLBody/text"):
            self._unstructured(body, own_kind)
        return self.collector.gathered()

    def _patient(self, role: Element) -> None:
        """Who it is about, by record number, else by the name of the file. The first patient owns the document."""
        numbers = [i.get("extension") or i.get("root") or "" for i in _children(role, "id") if not i.get("nullFlavor")]
        numbers = [n for n in numbers if n]
        person = _child(role, "patient")
        names = _children(person, "name") if person is not None else []
        parts = [
            " ".join((p.text or "").split()) for p in (names[0] if names else ()) if _tag(p) in ("given", "family")
        ]
        sex = _SEX.get(_attribute(person, "administrativeGenderCode", "code") or "")
        birth = dates.from_hl7(_attribute(person, "birthTime", "value"))
        own = numbers[0] if numbers else self.collector.name
        patient = Patient(own, " ".join(filter(None, parts)) or None, sex, birth)  # type: ignore[arg-type]
        self.collector.patient(patient, numbers)
        self.owner = self.owner or own

    def _section(self, section: Element, own_kind: str | None, written: str | None) -> None:
        code = _child(section, "code")
        title = _text(section, "title") or (code.get("displayName", "") if code is not None else "")
        narrative = _child(section, "text")
        self.collector.narrated = False
        if narrative is not None:
            self._narrated.update(_anchors(narrative))
            body = _narrative(narrative)
            self.collector.narrated = bool(body)
            kind = self.collector.codes.document_kind(_codes(code), "") or own_kind or "text"
            before = self.collector.codes.line_start(_codes(code))
            body = "\n".join(before + line.removeprefix("- ") if before else line for line in body.split("\n"))
            if body:
                key = "-".join(title.lower().split()) or "section"
                self.collector.document(key, f"{title}\n{body}" if title else body, kind, written, self.owner)
        for entry in _children(section, "entry"):
            for element in _statements(entry):
                self._statement(element)

    def _unstructured(self, body: Element, own_kind: str | None) -> None:
        """A document that only wraps a text; other wrapped formats are named."""
        if body.get("representation") == "B64" or body.get("mediaType", "text/plain") not in (
            "text/plain",
            "text/html",
        ):
            media = body.get("mediaType", "a file")
            self.collector.problem(f"wraps {media} instead of sections", "give that file itself")
            return
        text = "".join(body.itertext()).strip()
        self.collector.document("body", text, own_kind or "text", None, self.owner)

    def _statement(self, element: Element) -> None:
        templates = {t.get("root") for t in _children(element, "templateId")}
        if element.get("moodCode", "EVN") not in ("EVN", "INT"):
            return
        if _PROBLEM in templates:
            self._problem(element)
        elif templates & _PROCEDURES and element.get("moodCode", "EVN") == "EVN":
            self._procedure(element)
        elif _DRUG in templates:
            self._drug(element)
        elif templates & _RESULTS:
            self._result(element, "laboratory" if _LABORATORY in templates else "text")

    def _key(self, kind: str) -> str:
        self._number += 1
        return f"{kind}/{self._number}"

    def _problem(self, element: Element) -> None:
        value = _child(element, "value")
        coded = _codings(value)
        text = self._said(value)
        if not coded and not text:
            return
        status: Status = "absent" if element.get("negationInd") == "true" else "present"
        low, high = _interval(element)
        status_codes = {(v.get("code") or "") for v in _children(element, "entryRelationship/observation/value")}
        over = high is not None or bool(status_codes & {"413322009", "73425007"})  # SNOMED CT: resolved, inactive
        key = self._key("problem")
        low = self.collector.begun(key, low, high)
        statement = Coded(key, text, self.owner, coded, low, status, past=over)
        self.collector.condition(statement)

    def _procedure(self, element: Element) -> None:
        if element.get("negationInd") == "true" or _attribute(element, "statusCode", "code") in _STOPPED:
            return
        code = _child(element, "code")
        sites = [s for s in _children(element, "targetSiteCode") if not s.get("nullFlavor")]
        place = ", ".join(filter(None, (s.get("displayName", "") for s in sites)))
        site_codes = tuple(c for s in sites for c in _codings(s))
        devices = _children(element, "participant/participantRole/playingDevice/code")
        implants = tuple(filter(None, (d.get("displayName", "") for d in devices)))
        statement = Coded(
            self._key("procedure"),
            self._said(code),
            self.owner,
            _codings(code),
            _interval(element)[0],
            site=place,
            site_codings=site_codes,
            implants=implants,
        )
        if statement.text or statement.codings:
            self.collector.procedure(statement)

    def _drug(self, element: Element) -> None:
        if element.get("negationInd") == "true" or _attribute(element, "statusCode", "code") in (
            _STOPPED - {"aborted"}
        ):
            return
        code = next(iter(_children(element, "consumable/manufacturedProduct/manufacturedMaterial/code")), None)
        status = _attribute(element, "statusCode", "code")
        low, high = _interval(element)
        over = status in ("completed", "aborted") or (
            high is not None and dates.after(self.collector.today.isoformat(), high)
        )
        route = _child(element, "routeCode")
        notes = (route.get("displayName", ""),) if route is not None and route.get("displayName") else ()
        statement = Coded(self._key("medication"), self._said(code), self.owner, _codings(code), low, notes=notes)
        self.collector.medication(statement, low, high, current=not over)

    def _result(self, element: Element, kind: str) -> None:
        if element.get("negationInd") == "true" or _attribute(element, "statusCode", "code") in _STOPPED:
            return
        code, value = _child(element, "code"), _child(element, "value")
        if value is None or value.get("nullFlavor"):
            return
        low, high = _interval(element)
        coded = Coded(self._key("result"), self._said(code), self.owner, _codings(code), low)
        if value.get(_TYPE, "").endswith(("CD", "CE", "CO")):
            text = self._said(value)
            answers = _codings(value) or ((Coding("", "", text),) if text else ())
            if high is None or kind == "laboratory":  # a habit with an end is history; its words are in the narrative
                self.collector.answer(coded, answers)
            return
        self.collector.result(coded, _value(element, value), kind)

    def _said(self, coded: Element | None) -> str:
        """The words of a coded value: those it points to in the narrative, else its display name."""
        if coded is None:
            return ""
        display = coded.get("displayName") or ""
        original = _child(coded, "originalText")
        if original is not None:
            target = _attribute(original, "reference", "value") or ""
            narrated = self._narrated.get(target.removeprefix("#"), "")
            own = " ".join("".join(original.itertext()).split())
            return own or (display if display else narrated)
        return display


def _value(element: Element, value: Element) -> Value:
    """A physical quantity, an interval or text."""
    flag = next((_FLAGS[c] for i in _children(element, "interpretationCode") if (c := i.get("code", "")) in _FLAGS), "")
    number = _float(value.get("value"))
    if number is not None:
        return Value(number, unit=_unit(value), flag=flag)
    for name, sign in (("low", ">="), ("high", "<=")):
        end = _child(value, name)
        bound = _float(end.get("value")) if end is not None else None
        if end is not None and bound is not None:
            return Value(bound, unit=_unit(end), comparator=sign, flag=flag)
    return Value(text=" ".join("".join(value.itertext()).split()) or value.get("value", ""), flag=flag)


def _unit(value: Element) -> str:
    unit = value.get("unit", "")
    return "" if unit == "1" else unit


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _statements(entry: Element) -> Iterator[Element]:
    """The clinical statements of an entry: itself, and what organizers, concern acts and components hold."""
    waiting = list(reversed(entry))
    while waiting:
        element = waiting.pop()
        tag = _tag(element)
        if tag in ("act", "observation", "procedure", "substanceAdministration", "organizer"):
            yield element
        if tag in ("organizer", "act", "component") or (
            tag == "entryRelationship" and element.get("typeCode") == "SUBJ"
        ):
            waiting += reversed(element)


def _narrative(text: Element) -> str:
    """The narrative as lines: a row or an item each; deleted text is left out."""
    parts: list[str] = []
    _narrate(text, parts)
    lines = (re.sub(r"\s+", " ", line).strip(" ,") for line in "".join(parts).split("\v"))
    return "\n".join(line for line in lines if line)


def _narrate(element: Element, parts: list[str]) -> None:
    """Append the text of an element; a vertical tab marks a line end, since the XML's own line ends mean nothing."""
    if element.get("revised") == "delete":
        return
    tag = _tag(element)
    if tag in _LINES:
        parts.append("\v")
    if tag == "item":
        parts.append("\v- ")
    parts.append((element.text or "").replace("\v", " "))
    for child in element:
        _narrate(child, parts)
        parts.append((child.tail or "").replace("\v", " "))
    if tag in ("td", "th"):
        parts.append(", ")
    if tag in _LINES:
        parts.append("\v")


def _anchors(narrative: Element) -> dict[str, str]:
    """The words of each part of the narrative that has an identifier."""
    found = {}
    for element in narrative.iter():
        name = element.get("ID")
        if name:
            found[name] = " ".join("".join(element.itertext()).split())
    return found


def _interval(element: Element) -> tuple[str | None, str | None]:
    """First and last day of the effective times: a point in time has no last day."""
    low = high = None
    for time in _children(element, "effectiveTime"):
        point = dates.from_hl7(time.get("value"))
        low = low or point or dates.from_hl7(_attribute(time, "low", "value"))
        high = high or dates.from_hl7(_attribute(time, "high", "value"))
    return low, high


def _codings(coded: Element | None) -> tuple[Coding, ...]:
    """The code and its translations."""
    if coded is None:
        return ()
    both = (coded, *_children(coded, "translation"))
    return tuple(
        Coding(c.get("codeSystem", ""), c.get("code", ""), c.get("displayName", "")) for c in both if c.get("code")
    )


def _codes(coded: Element | None) -> list[tuple[str, str]]:
    return [(c.system, c.code) for c in _codings(coded)]


def _tag(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def _children(element: Element | None, path: str) -> list[Element]:
    if element is None:
        return []
    return element.findall("/".join(_V3 + step for step in path.split("/")))


def _child(element: Element | None, name: str) -> Element | None:
    return element.find(_V3 + name) if element is not None else None


def _attribute(element: Element | None, name: str, attribute: str) -> str | None:
    child = _child(element, name)
    return child.get(attribute) if child is not None else None


def _text(element: Element, name: str) -> str:
    child = _child(element, name)
    return " ".join("".join(child.itertext()).split()) if child is not None else ""
