"""PDF files by their text layer. A scan without text, a password or a broken file is one problem, never an exception."""

from __future__ import annotations

import logging
import re
from io import BytesIO
from typing import TYPE_CHECKING

from sequela.case import Problem
from sequela.records.gathered import Gathered, refused
from sequela.records.plain import document

if TYPE_CHECKING:
    from pypdf import PdfReader

MOST_BYTES = 200 * 1024 * 1024
MOST_PAGES = 2000
_FEW_LETTERS = 20
"""A page with fewer letters and digits holds a stamp or a page number, not a text."""

_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "\xad": ""})
_BROKEN_WORD = re.compile(r"([a-z]{2})-\n([a-z]{2})")
_OCR = "run text recognition (OCR) on it, or give the report as text"

# pypdf reports every oddity of a file to standard error; a file that matters is named by a Problem instead.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read(data: bytes, name: str) -> Gathered:
    """The text layer of a PDF as one document."""
    if len(data) > MOST_BYTES:
        return refused(name, f"is too large ({len(data) // 1024**2} MB)", "split it into its reports")
    try:
        pages = _pages(data)
    except _Refused as reason:
        return refused(name, *reason.args)
    except Exception as error:  # pypdf raises almost anything on a broken file
        what = f"is a broken PDF ({type(error).__name__})"
        return refused(name, what, "open it in a PDF viewer and print it to a new PDF, or give the report as text")
    empty = [number for number, text in enumerate(pages, 1) if _letters(text) < _FEW_LETTERS]
    if len(empty) == len(pages):
        count = f"{len(pages)} page" + ("s" if len(pages) != 1 else "")
        return refused(name, f"has no text layer ({count}, probably scanned)", _OCR)
    text = _tidy("\n\n".join(pages))
    problems = (Problem(name, f"has no text on {_listed(empty)}, probably scanned", _OCR),) if empty else ()
    return Gathered(documents=(document(name, text),), problems=problems)


class _Refused(Exception):
    """What is wrong with the file, and the mend."""


def _pages(data: bytes) -> list[str]:
    from pypdf import PdfReader  # a tenth of a second that a text note need not wait for
    from pypdf.errors import DependencyError

    reader = PdfReader(BytesIO(data))
    try:
        if reader.is_encrypted and not reader.decrypt(""):
            raise _Refused("is protected by a password", "save a copy without the password")
        pages = list(_texts(reader))
    except DependencyError:
        raise _Refused("is encrypted", "save a copy without encryption") from None
    if not pages:
        raise _Refused("has no pages", "check that the right file was saved")
    return pages


def _texts(reader: PdfReader) -> list[str]:
    if len(reader.pages) > MOST_PAGES:
        raise _Refused(f"has {len(reader.pages)} pages", "split it into its reports")
    texts = []
    for page in reader.pages:
        try:
            texts.append(page.extract_text())
        except Exception as error:  # one broken page must not lose the others; it counts as a page without text
            if type(error).__name__ == "DependencyError":
                raise
            texts.append("")
    return texts


def _letters(text: str) -> int:
    return sum(1 for letter in text if letter.isalnum())


def _tidy(text: str) -> str:
    """The text without the accidents of typesetting: ligatures, soft hyphens, words broken at the line end."""
    text = text.translate(_LIGATURES).encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")
    return _BROKEN_WORD.sub(r"\1\2", text).strip()


def _listed(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:8])) + (" …" if len(pages) > 8 else "")
    return f"page {shown}" if len(pages) == 1 else f"pages {shown}"
