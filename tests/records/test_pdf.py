"""PDF files by their text layer."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader, PdfWriter
from tests.records.builders import pdf, sound

from sequela.records import pdf as reader
from sequela.records.gathered import Gathered

LETTER = "Dear colleague\nLeft leg pain returned two years after the L5-S1 microdiscectomy."


def read(data: bytes) -> Gathered:
    return sound(reader.read(data, "scan.pdf"))


def encrypted(user: str, owner: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf(LETTER))))
    writer.encrypt(user, owner, algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_the_text_layer_is_read() -> None:
    gathered = read(pdf(LETTER, "Second page of the same letter, with plan."))
    assert "L5-S1 microdiscectomy" in gathered.documents[0].text
    assert "Second page" in gathered.documents[0].text
    assert not gathered.problems


def test_a_scan_without_text_is_named() -> None:
    gathered = read(pdf("", ""))
    assert not gathered.documents
    (problem,) = gathered.problems
    assert problem.line().startswith("scan.pdf: has no text layer (2 pages, probably scanned); run text recognition")


def test_a_blank_page_made_by_pypdf_is_a_scan_too() -> None:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    out = BytesIO()
    writer.write(out)
    assert "no text layer (1 page," in read(out.getvalue()).problems[0].what


def test_a_scanned_page_among_others_is_named_and_the_rest_read() -> None:
    gathered = read(pdf(LETTER, ""))
    assert gathered.documents
    assert "no text on page 2" in gathered.problems[0].what


def test_a_password_is_named_and_an_empty_one_is_no_hindrance() -> None:
    assert "protected by a password" in read(encrypted("secret", "secret")).problems[0].what
    assert "microdiscectomy" in read(encrypted("", "owner")).documents[0].text


@pytest.mark.parametrize("data", [b"%PDF-1.4 broken", b"", b"words", pdf(LETTER)[:200]])
def test_a_broken_file_is_named(data: bytes) -> None:
    gathered = read(data)
    assert not gathered.documents
    assert "PDF" in gathered.problems[0].what or "pages" in gathered.problems[0].what


def test_ligatures_and_broken_words_are_mended_but_levels_are_not() -> None:
    assert reader._tidy("ﬁxation, lami-\nnectomy L4-\n5") == "fixation, laminectomy L4-\n5"
