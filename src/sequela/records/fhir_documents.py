"""FHIR resources that carry texts: DiagnosticReport, DocumentReference, Composition, QuestionnaireResponse."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from sequela.case import Document
from sequela.records import fhir_model as fhir
from sequela.records import plain
from sequela.records.collect import Coded, Coding, Value, answer_words, line_of
from sequela.records.fhir_file import FhirFile, Skip, codings, day, words
from sequela.records.gathered import Gathered, refused

_WITHDRAWN = frozenset(("entered-in-error", "cancelled"))
_PICTURED = frozenset(("mri", "ct", "xray"))
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.I)
_LOINC = re.compile(r"(?:^|/)(\d{1,6}-\d)$")
_READABLE_FIRST = ("text/plain", "text/markdown", "text/html", "application/xhtml+xml", "text/xml", "application/xml")
_binary = msgspec.json.Decoder(fhir.Binary, strict=False)


def report(file: FhirFile, key: str, it: fhir.DiagnosticReport) -> None:
    """A report with its conclusion and its attached forms; its generated narrative only where there is neither."""
    if it.status in _WITHDRAWN:
        raise Skip
    owner = file.owner(it)
    title = words(it.code)
    date = day(it.effectiveDateTime, it.effectivePeriod, it.issued)
    kind = _kind(file, (it.code, *(it.category or ())), title)
    documents = _attached(file, key, it.presentedForm or (), owner, kind, date, title)
    codes = [f"Conclusion: {said}" for c in it.conclusionCode or () if (said := words(c))]
    conclusion = (it.conclusion or "").strip()
    if not documents or (conclusion and not any(conclusion in d.text for d in documents)):
        body = "\n".join(filter(None, (conclusion, *codes)))
        if not body and not documents and it.text and it.text.div:
            body = plain.strip_html(it.text.div)
        if body:
            text = f"{title}\n{body}" if title else body
            own = file.collector.document(key, text, kind or plain.kind_of(title, body), date, owner)
            documents += [own] if own else []
    if kind in _PICTURED and documents:  # an imaging report is a point in the patient's story
        said = title if title in documents[0].text else documents[0].text.split("\n", 1)[0]
        file.collector.event("imaging", title or said, date, documents[0], said)


def reference(file: FhirFile, key: str, it: fhir.DocumentReference) -> None:
    """A document: the first of its forms that can be read, since they are the same text in several formats."""
    if it.status == "entered-in-error" or it.docStatus == "entered-in-error" or key in file.superseded:
        raise Skip
    attachments = [c.attachment for c in it.content or () if c.attachment]
    title = words(it.type) or it.description or next((a.title for a in attachments if a.title), "") or ""
    kind = _kind(file, (it.type,), title) or _kind(file, (), it.description or "")
    date = day(it.date, *(a.creation for a in attachments))
    _attached(file, key, attachments, file.owner(it), kind, date, title, first_only=True)


def _kind(file: FhirFile, concepts: Sequence[fhir.Concept | None], title: str) -> str | None:
    return file.collector.codes.document_kind([(c.system, c.code) for c in codings(concepts)], title)


def _attached(
    file: FhirFile,
    key: str,
    attachments: Sequence[fhir.Attachment],
    owner: str | None,
    kind: str | None,
    date: str | None,
    title: str,
    *,
    first_only: bool = False,
) -> list[Document]:
    """The attachments that can be read, kept as documents. Problems are named only when nothing could be read."""
    read: list[Document] = []
    failures: list[Gathered] = []
    for attachment in sorted(attachments, key=_preference):
        data = _data(file, key, attachment)
        if data is None:
            continue
        inner = data if isinstance(data, Gathered) else _read_bytes(file, key, attachment, data, kind, date, title)
        if inner.documents:
            file.collector.absorb(inner, owner)
            read += inner.documents
            if first_only:
                return read
        else:
            failures.append(inner)
    if not read:
        for failure in failures:
            file.collector.absorb(failure, owner)
    return read


def _preference(attachment: fhir.Attachment) -> int:
    media = _media(attachment)
    return _READABLE_FIRST.index(media) if media in _READABLE_FIRST else len(_READABLE_FIRST)


def _media(attachment: fhir.Attachment) -> str:
    return (attachment.contentType or "").split(";")[0].strip().lower()


def _data(file: FhirFile, key: str, attachment: fhir.Attachment) -> bytes | Gathered | None:
    """The bytes of an attachment, also where it points to a Binary of the same file."""
    encoded = attachment.data
    if not encoded and attachment.url:
        raw = file.binary(attachment.url)
        if raw is None:
            file.leave_out(
                "is only a link to a document, not the document", "export it with its content or add the file", key
            )
            return None
        encoded = _binary.decode(raw).data
    if not encoded:
        return None
    try:
        return base64.b64decode(re.sub(r"\s+", "", encoded), validate=True)
    except (binascii.Error, ValueError):
        return refused(f"{file.collector.name}, {key}", "has an attachment that is not valid base64", "export it again")


def _read_bytes(
    file: FhirFile, key: str, attachment: fhir.Attachment, data: bytes, kind: str | None, date: str | None, title: str
) -> Gathered:
    """An attachment read by its content and its media type, under the name of its resource."""
    media = _media(attachment)
    name = f"{file.collector.name}#{key}"
    if data.startswith(b"%PDF-") or media == "application/pdf":
        from sequela.records import pdf

        inner = pdf.read(data, name)
    elif "xml" in media and b"ClinicalDocument" in data[:4000]:
        from sequela.records import ccda

        return ccda.read(data, name)
    elif media.startswith(("image/", "audio/", "video/")):
        return refused(f"{file.collector.name}, {key}", f"is {media}, not text", "give its report as text or PDF")
    else:
        inner = _text(attachment, data, name)
    documents = tuple(
        msgspec.structs.replace(d, kind=kind or plain.kind_of(title, d.text), date=date or d.date)
        for d in inner.documents
    )
    return msgspec.structs.replace(inner, documents=documents)


def _text(attachment: fhir.Attachment, data: bytes, name: str) -> Gathered:
    charset = _CHARSET.search(attachment.contentType or "")
    decoded = plain.decode(data, charset[1] if charset else None)
    if decoded.text is None:
        return refused(name, *(decoded.note or ("is not text", "save it as UTF-8 text")))
    html = "html" in _media(attachment) or plain.looks_like_html(decoded.text)
    return plain.read((plain.strip_html(decoded.text) if html else decoded.text).encode(), name)


def composition(file: FhirFile, key: str, it: fhir.Composition) -> None:
    """The sections of a document bundle, one text each."""
    if it.status == "entered-in-error":
        raise Skip
    owner, date = file.owner(it), day(it.date)
    title = it.title or words(it.type)
    kind = _kind(file, (it.type,), title) or "text"
    for section in _sections(it.section or ()):
        body = plain.strip_html(section.text.div) if section.text and section.text.div else ""
        if body:
            before = file.collector.codes.line_start([(c.system, c.code) for c in codings((section.code,))])
            body = "\n".join(before + line for line in body.split("\n"))
            text = f"{section.title}\n{body}" if section.title else body
            file.collector.document(f"{key}/{section.title or 'section'}", text, kind, date, owner)


def _sections(sections: Sequence[fhir.Section]) -> Iterator[fhir.Section]:
    waiting = list(reversed(sections))
    while waiting:
        section = waiting.pop()
        yield section
        waiting += reversed(section.section or ())


def questionnaire(file: FhirFile, key: str, it: fhir.QuestionnaireResponse) -> None:
    """Questions and answers as text; totals with a LOINC number as scores."""
    if it.status == "entered-in-error":
        raise Skip
    owner, date = file.owner(it), day(it.authored)
    lines = []
    for item in _items(it.item or ()):
        loinc = _LOINC.search(item.linkId or "")
        coded = Coded(key, item.text or "", owner, (Coding("loinc", loinc[1]),) if loinc else (), date)
        for answer in item.answer or ():
            value = _answer(answer)
            if value.number is not None and file.collector.codes.score([("loinc", loinc[1] if loinc else "")]):
                file.collector.result(coded, value)
            elif said := _said(value):
                lines.append(line_of(item.text or "", said))
    file.collector.document(key, "\n".join(lines), "questionnaire", date, owner)


def _items(items: Sequence[fhir.Item]) -> Iterator[fhir.Item]:
    """All items in reading order, also those under answers; a stack, because forms nest deeper than Python calls may."""
    waiting = list(reversed(items))
    while waiting:
        item = waiting.pop()
        yield item
        inner = [*(i for answer in item.answer or () for i in answer.item or ()), *(item.item or ())]
        waiting += reversed(inner)


def _answer(it: fhir.Answer) -> Value:
    if it.valueBoolean is not None:
        return Value(text="yes" if it.valueBoolean else "no")
    number = it.valueDecimal if it.valueDecimal is not None else it.valueInteger
    if number is not None:
        return Value(float(number))
    if it.valueQuantity is not None and it.valueQuantity.value is not None:
        return Value(it.valueQuantity.value, unit=it.valueQuantity.unit or it.valueQuantity.code or "")
    coding = it.valueCoding
    chosen = answer_words(Coding(coding.system or "", coding.code or "", coding.display or "")) if coding else ""
    text = it.valueString or chosen or it.valueDate or it.valueDateTime or ""
    return Value(text=text)


def _said(value: Value) -> str:
    return f"{value.number:.6g} {value.unit}".strip() if value.number is not None else value.text.strip()


DOCUMENT_HANDLERS: dict[str, tuple[type[Any], Callable[[FhirFile, str, Any], None]]] = {
    "DiagnosticReport": (fhir.DiagnosticReport, report),
    "DocumentReference": (fhir.DocumentReference, reference),
    "Composition": (fhir.Composition, composition),
    "QuestionnaireResponse": (fhir.QuestionnaireResponse, questionnaire),
}
