"""Plain text, Markdown and HTML: bytes in an unknown encoding to readable text, or a reason why not."""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser
from pathlib import PurePath
from typing import NamedTuple

from sequela.case import Document, Problem
from sequela.knowledge.codes import load
from sequela.records import dates
from sequela.records.gathered import Gathered, refused

MOST_BYTES = 50 * 1024 * 1024
"""No clinical text is longer; a larger file is something else."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a Word, Excel or zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file"),
    (b"{\\rtf", "an RTF file"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"II*\x00", "an image"),
    (b"MM\x00*", "an image"),
    (b"\x1f\x8b", "a gzip file"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "br",
        "tr",
        "li",
        "ul",
        "ol",
        "table",
        "thead",
        "tbody",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "section",
        "article",
        "header",
        "footer",
        "pre",
        "blockquote",
        "dt",
        "dd",
        "hr",
    ]
)
_SILENT = frozenset(("script", "style", "template"))
_FILE_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)(?!\d)")
_HEADING_DATE = re.compile(r"^\W*date\W{1,4}(\d{4}-\d\d-\d\d)\b", re.I | re.M)
_HEADING_LENGTH = 60


class Decoded(NamedTuple):
    """text, or why there is none. note: what was guessed, for the user to check."""

    text: str | None
    note: tuple[str, str] | None = None


def decode(data: bytes, charset: str | None = None) -> Decoded:
    """Bytes to text: by the named charset, a byte order mark, as UTF-8, or guessed as Windows-1252; binary is refused."""
    kind = foreign(data)
    if kind:
        return Decoded(None, (f"is {kind}, not text", "save it as text or PDF"))
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _strictly(data, encoding)
    if charset and _known(charset):
        named = _strictly(data, charset)
        if named.text is not None:
            return named
    halves = _utf16_without_mark(data)
    if halves:
        return _guessed(data, halves, "UTF-16 without a byte order mark")
    if b"\x00" in data:
        return Decoded(None, ("holds NUL bytes, so it is not text", "save it as UTF-8 text or PDF"))
    return _utf8_or_windows(data)


def decode_start(data: bytes) -> str:
    """The first characters of a text in whatever encoding, to tell what it is."""
    sample = data[:4096]
    encoding = next(
        (e for bom, e in _BOMS if data.startswith(bom)), _utf16_without_mark(data[: len(data) & ~1]) or "utf-8"
    )
    return sample.decode(encoding, "replace").lstrip("\ufeff \t\r\n")


def foreign(data: bytes) -> str | None:
    """What a file is that is surely no text, by its first bytes."""
    if data[128:132] == b"DICM":
        return "a DICOM image"
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)


def _known(charset: str) -> bool:
    try:
        codecs.lookup(charset)
    except (LookupError, ValueError):
        return False
    return True


def _strictly(data: bytes, encoding: str) -> Decoded:
    """Decoded in an encoding that is known to be meant; binary content is refused all the same."""
    try:
        text = data.decode(encoding)
    except (UnicodeError, LookupError, ValueError):
        return Decoded(None, (f"is marked as {encoding} but is not", "save it again as UTF-8 text"))
    if not isinstance(text, str):  # codecs such as "hex" do not yield text
        return Decoded(None, ("is in an encoding that is not text", "save it as UTF-8 text"))
    return _readable(text)


def _utf16_without_mark(data: bytes) -> str | None:
    """Western text in UTF-16 has a zero in nearly every second byte."""
    sample = data[:4096]
    if len(sample) < 4 or len(data) % 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    most = len(sample) // 2 * 0.6
    if odd > most and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > most and odd == 0 else None


def _utf8_or_windows(data: bytes) -> Decoded:
    try:
        return _readable(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and len(data) - error.start < 4 and error.start:
            cut = _readable(data[: error.start].decode("utf-8"))
            note = ("ends in the middle of a letter, so it may be cut short", "check that the whole file arrived")
            return cut if cut.text is None else Decoded(cut.text, note)
    return _guessed(data, "cp1252", "Windows-1252")


def _guessed(data: bytes, encoding: str, name: str) -> Decoded:
    try:
        text = data.decode(encoding)
    except UnicodeError:
        return Decoded(None, ("is in an unknown encoding or not text", "save it as UTF-8 text or PDF"))
    readable = _readable(text)
    if readable.text is None:
        return readable
    note = (f"is not UTF-8 and was read as {name}, a guess", "check letters with accents, or save it as UTF-8")
    return Decoded(readable.text, note)


def _readable(text: str) -> Decoded:
    """The text with plain line ends, unless control characters show that it is none."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    strange = len(_CONTROL.findall(text[:65536]))
    if "\x00" in text or strange > max(2, len(text[:65536]) // 200):
        return Decoded(None, ("holds control characters, so it is not text", "save it as UTF-8 text or PDF"))
    return Decoded(_CONTROL.sub(" ", text).encode("utf-8", "replace").decode("utf-8"))


class _Stripper(HTMLParser):
    """HTML to its text: one line per block, table cells apart, scripts and styles left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(", ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def strip_html(markup: str) -> str:
    """The readable text of HTML, also of broken HTML."""
    stripper = _Stripper()
    try:
        stripper.feed(markup)
        stripper.close()
        text = "".join(stripper.parts)
    except (AssertionError, ValueError, RecursionError):  # the standard parser gives up on some broken declarations
        text = re.sub(r"<[^>]*>", " ", markup)
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip(" ,") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def looks_like_html(text: str) -> bool:
    """True when the text opens as an HTML page or fragment does."""
    return bool(
        re.match(
            r"\s*(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|body|div|p|table|h[1-6]|span|b|pre)\b",
            text[:2000],
            re.I | re.S,
        )
    )


def read(data: bytes, name: str) -> Gathered:
    """One text, Markdown or HTML file as one document."""
    if len(data) > MOST_BYTES:
        return refused(name, f"is too large to be a text ({len(data) // 1024**2} MB)", "split it, or export it as FHIR")
    decoded = decode(data)
    if decoded.text is None:
        what, mend = decoded.note or ("is not text", "save it as UTF-8 text")
        return refused(name, what, mend)
    text = strip_html(decoded.text) if looks_like_html(decoded.text) else decoded.text
    if not text.strip():
        return refused(name, "is empty", "check that the right file was saved")
    problems = (Problem(name, *decoded.note),) if decoded.note else ()
    return Gathered(documents=(document(name, text),), problems=problems)


def document(name: str, text: str) -> Document:
    """A free text as a document, with its kind and date where the file name or the heading says them."""
    return Document(name, text, kind_of(name, text), _date_of(name, text))


def kind_of(name: str, text: str) -> str:
    """The kind of a text by its file name, else by a short first line."""
    codes = load()
    title = re.sub(r"[_\-.]+", " ", PurePath(name).stem)
    first = next((line.strip(" #*=-\t") for line in text.split("\n", 20) if line.strip(" #*=-\t")), "")
    heading = first if len(first) <= _HEADING_LENGTH else ""
    return codes.document_kind((), title) or codes.document_kind((), heading) or "text"


def _date_of(name: str, text: str) -> str | None:
    heading = _HEADING_DATE.search(text[:1000])
    if heading:
        return dates.from_iso(heading[1])
    named = _FILE_DATE.search(PurePath(name).stem)
    return dates.from_iso("-".join(named.groups())) if named else None
