"""FHIR R4: a resource, a Bundle or NDJSON (also gzipped), read with partial structs.

A bundle is split into undecoded entries first and each is decoded on its own, so that one odd resource costs only itself and a
bundle of hundreds of megabytes needs little more memory than its bytes.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from typing import Any, NamedTuple

import msgspec

from sequela.knowledge.codes import load
from sequela.records import fhir_model as fhir
from sequela.records.collect import Collector
from sequela.records.fhir_documents import DOCUMENT_HANDLERS
from sequela.records.fhir_facts import FACT_HANDLERS
from sequela.records.fhir_file import FhirFile, Skip
from sequela.records.gathered import Gathered, refused

MOST_BYTES = 2 * 1024**3
"""After unpacking. A larger export has to be split by patient."""

_DEEPEST = 5
_CHUNK = 1 << 20
_BYTE = re.compile(r"\(byte (\d+)\)")
_DAMAGE = (msgspec.DecodeError, UnicodeError, RecursionError, ValueError)
_HANDLERS: dict[str, tuple[type[Any], Callable[[FhirFile, str, Any], None]]] = {**FACT_HANDLERS, **DOCUMENT_HANDLERS}

_bundle = msgspec.json.Decoder(fhir.Bundle)
_head = msgspec.json.Decoder(fhir.Head)
_list = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_decoders = {name: msgspec.json.Decoder(kind, strict=False) for name, (kind, _) in _HANDLERS.items()}
_medication = msgspec.json.Decoder(fhir.Medication, strict=False)
_document = msgspec.json.Decoder(fhir.DocumentReference, strict=False)
_patient = msgspec.json.Decoder(fhir.Patient, strict=False)


class _Part(NamedTuple):
    """One resource, still undecoded. place: where it stands, for messages."""

    place: str
    url: str | None
    raw: bytes | msgspec.Raw


class _NotFhir(Exception):
    """what, mend."""


def read(data: bytes, name: str, *, today: date | None = None) -> Gathered:
    """Everything a FHIR file says, of all its patients."""
    collector = Collector(name, load(), today or date.today())
    try:
        data = _utf8(_unpacked(data), collector)
        parts = _parts_of(data, name)
        _read_all(FhirFile(collector), parts, collector)
    except _NotFhir as reason:
        return refused(name, *reason.args)
    return collector.gathered()


def unpacked(data: bytes) -> bytes | None:
    """The content of a gzip file; None when it is damaged or far too large."""
    try:
        return _unpacked(data)
    except _NotFhir:
        return None


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    pieces: list[bytes] = []
    size = 0
    try:
        with gzip.open(BytesIO(data)) as stream:
            while piece := stream.read(_CHUNK):
                pieces.append(piece)
                size += len(piece)
                if size > MOST_BYTES:
                    raise _NotFhir(f"unpacks to more than {MOST_BYTES // 1024**3} GB", "split the export by patient")
    except (OSError, EOFError, zlib.error):
        what = f"is a gzip file cut short or damaged (after {size} unpacked bytes)"
        raise _NotFhir(what, "copy or export it again") from None
    return b"".join(pieces)


def _utf8(data: bytes, collector: Collector) -> bytes:
    """The data in UTF-8, which JSON has to be; other encodings are converted, with a note."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError:
            raise _NotFhir("is damaged UTF-16", "save or export it again as UTF-8") from None
    data = data.removeprefix(codecs.BOM_UTF8)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):  # in pieces: the whole as a string would need four times its size
            decoder.decode(data[start : start + _CHUNK])
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
        except UnicodeError:
            raise _NotFhir("is not UTF-8", "export it again as UTF-8, which FHIR requires") from None
        collector.problem("is not UTF-8 and was read as Windows-1252, a guess", "export it again as UTF-8")
        return text.encode()
    return data


def _parts_of(data: bytes, name: str) -> Callable[[], Iterator[_Part]]:
    """A function that goes through the resources of the file, as often as needed."""
    if not data.strip():
        raise _NotFhir("is empty", "check that the right file was exported")
    if re.search(r"\.(ndjson|jsonl)(\.gz)?$", name.lower()) or _is_lines(data):
        return lambda: _lines(data)
    try:
        first = data.lstrip()[:1]
        whole = _list.decode(data) if first == b"[" else (_whole(data),)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _NotFhir(*_damage(data, error)) from None
    return lambda: _flat(whole, 0)


def _whole(data: bytes) -> msgspec.Raw:
    """The one value of the file; checks that it is complete."""
    raw = msgspec.json.decode(data, type=msgspec.Raw)
    if _head_of(raw) is None:
        raise _NotFhir("is JSON but no FHIR resource (it has no resourceType)", "give a FHIR R4 resource or Bundle")
    return raw


def _damage(data: bytes, error: Exception) -> tuple[str, str]:
    """What is wrong with the JSON, with the byte."""
    again = "export or copy it again"
    at = _BYTE.search(str(error))
    if "truncated" in str(error):
        return f"is truncated JSON: it ends at byte {len(data)} in the middle of a value", again
    if isinstance(error, RecursionError):
        return "is nested too deeply to be FHIR", again
    if at:
        what = str(error).removeprefix("JSON is malformed: ").split(" (byte")[0]
        return f"is not valid JSON at byte {at[1]} ({what})", again
    return f"is not FHIR JSON ({' '.join(str(error).split())})", "give a FHIR R4 resource or Bundle"


def _is_lines(data: bytes) -> bool:
    """True when the first line is a whole JSON object and more follow: NDJSON under another name."""
    first, _, rest = data.lstrip().partition(b"\n")
    if not first.rstrip().endswith(b"}") or not rest.strip().startswith(b"{"):
        return False
    try:
        _head.decode(first)
    except _DAMAGE:
        return False
    return True


def _lines(data: bytes) -> Iterator[_Part]:
    start, number = 0, 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        number += 1
        line = data[start:end].strip()
        start = end + 1
        if line:
            yield _Part(f"line {number}", None, line)


def _flat(raws: tuple[msgspec.Raw, ...], depth: int) -> Iterator[_Part]:
    """The resources, with bundles opened."""
    for number, raw in enumerate(raws, 1):
        yield from _opened(_Part(f"entry {number}" if len(raws) > 1 else "", None, raw), depth)


def _opened(part: _Part, depth: int) -> Iterator[_Part]:
    head = _head_of(part.raw)
    if head is None or head.resourceType != "Bundle" or depth >= _DEEPEST:
        yield part
        return
    try:
        entries = _bundle.decode(part.raw).entry or ()
    except _DAMAGE:
        yield part  # it is named when its turn comes
        return
    for number, entry in enumerate(entries, 1):
        if entry is not None and memoryview(entry.resource).nbytes > 4:  # not absent and not `null`
            place = f"{part.place}, entry {number}" if part.place else f"entry {number}"
            yield from _opened(_Part(place, entry.fullUrl, entry.resource), depth + 1)


def _head_of(raw: bytes | msgspec.Raw) -> fhir.Head | None:
    try:
        head = _head.decode(raw)
    except _DAMAGE:
        return None
    return head if head.resourceType else None


def _read_all(file: FhirFile, parts: Callable[[], Iterator[_Part]], collector: Collector) -> None:
    """Twice through the file: first who and what is referred to, then the facts."""
    newest: dict[str, tuple[str, int]] = {}
    found = False
    for number, part in enumerate(parts()):
        head = _head_of(part.raw)
        if head is None:
            what, mend = _unreadable(part)
            collector.problem(what, mend, part.place)
            continue
        found = True
        if head.resourceType == "Bundle":  # one that could be opened would not stand here
            collector.problem("is a bundle whose entries cannot be opened", "export it again", part.place)
        _note(file, head, part)
        if head.id:
            key, version = f"{head.resourceType}/{head.id}", (head.meta.lastUpdated if head.meta else None) or ""
            if key not in newest or version > newest[key][0]:
                newest[key] = (version, number)
    if not found and not collector.problems:
        raise _NotFhir("holds no resources", "check the export")
    for number, part in enumerate(parts()):
        head = _head_of(part.raw)
        if head is None or head.resourceType not in _HANDLERS:
            continue
        key = f"{head.resourceType}/{head.id or number + 1}"
        if not head.id or newest[key][1] == number:
            _read_one(file, head.resourceType, key, part, collector)
    file.finish()


def _unreadable(part: _Part) -> tuple[str, str]:
    raw = bytes(part.raw)
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
        _head.decode(raw)
    except msgspec.ValidationError as error:
        if b'"resourceType"' in raw:
            return _misshapen(error)
    except UnicodeError:
        pass
    except (msgspec.DecodeError, RecursionError) as error:
        return _damage(raw, error)
    return "is no FHIR resource (it has no resourceType)", "remove it or export the file again"


def _note(file: FhirFile, head: fhir.Head, part: _Part) -> None:
    """Remember what other resources point to."""
    key = f"{head.resourceType}/{head.id}" if head.id else (part.url or "")
    try:
        if head.resourceType == "Patient":
            file.patient(_patient.decode(part.raw), part.url)
        elif head.resourceType == "Medication":
            file.medications.update({name: _medication.decode(part.raw).code for name in (key, part.url) if name})
        elif head.resourceType == "Binary":
            file.binaries.update({name: part.raw for name in (key, part.url) if name})
        elif head.resourceType == "DocumentReference":
            file.replaces(_document.decode(part.raw))
    except _DAMAGE as error:
        if head.resourceType not in _HANDLERS:
            file.collector.problem(*_misshapen(error), part=f"{head.resourceType}/{head.id or '?'}")


def _read_one(file: FhirFile, kind: str, key: str, part: _Part, collector: Collector) -> None:
    try:
        resource = _decoders[kind].decode(part.raw)
        _HANDLERS[kind][1](file, key, resource)
    except Skip:
        return
    except _DAMAGE as error:
        collector.problem(*_misshapen(error), part=key)


def _misshapen(error: Exception) -> tuple[str, str]:
    what = " ".join(str(error).split()) or type(error).__name__
    return f"was not read ({what})", "correct the resource or export it again"
