"""Plain text, Markdown and HTML."""

from __future__ import annotations

import pytest
from tests.records.builders import sound

from sequela.records import plain
from sequela.records.gathered import Gathered

GERMAN = "Rückenschmerz nach der Operation, Spätfolge – 38,5 °C\nZweite Zeile\n"


def read(data: bytes, name: str = "letter.txt") -> Gathered:
    return sound(plain.read(data, name))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are_need_no_note(encoding: str) -> None:
    gathered = read(GERMAN.encode(encoding))
    assert gathered.documents[0].text == GERMAN
    assert not gathered.problems


@pytest.mark.parametrize(
    ("encoding", "named"), [("cp1252", "Windows-1252"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16")]
)
def test_guessed_encodings_are_read_and_named(encoding: str, named: str) -> None:
    gathered = read(GERMAN.encode(encoding))
    assert gathered.documents[0].text == GERMAN
    (problem,) = gathered.problems
    assert problem.line().startswith("letter.txt: ")
    assert named in problem.what
    assert not problem.fatal


def test_line_ends_are_one_character() -> None:
    assert read(b"one\r\ntwo\rthree").documents[0].text == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"text\x00with NUL", "NUL bytes"),
        (bytes(range(256)) * 10, "NUL bytes"),
        (b"\x01\x02\x03\x04\x05" * 100, "control characters"),
        (b"\x81\x8d\x8f\x90\x9d words", "unknown encoding"),
        (b"PK\x03\x04rest", "a Word, Excel or zip file"),
        (b"{\\rtf1 text}", "an RTF file"),
        (b"\x89PNG\r\n", "an image"),
        (b"\xff\xfe\x00", "marked as utf-16"),
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"<html><script>x</script></html>", "empty"),
    ],
)
def test_what_is_no_text_is_refused_and_named(data: bytes, said: str) -> None:
    gathered = read(data)
    assert not gathered.documents
    assert said in gathered.problems[0].what
    assert gathered.problems[0].mend


def test_a_text_cut_within_a_letter_is_read_and_named() -> None:
    gathered = read("Schmerz in der Höhe ü".encode()[:-1])
    assert gathered.documents[0].text == "Schmerz in der Höhe "
    assert "cut short" in gathered.problems[0].what


def test_a_file_too_large_to_be_a_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "MOST_BYTES", 10)
    assert "too large" in read(b"x" * 11).problems[0].what


def test_html_becomes_lines() -> None:
    page = b"""<!DOCTYPE html><html><head><title>Letter</title><style>p {}</style></head><body>
      <h1>Findings</h1><p>Pain &amp; numbness<br>left</p><ul><li>one</li><li>two</li></ul>
      <table><tr><th>CRP</th><td>85 mg/L</td></tr></table><script>alert()</script></body></html>"""
    text = read(page, "letter.html").documents[0].text
    assert "p {}" not in text
    assert "alert" not in text
    assert [line for line in text.split("\n") if line] == [
        "Letter", "Findings", "Pain & numbness", "left", "- one", "- two", "CRP, 85 mg/L"
    ]  # fmt: skip


@pytest.mark.parametrize("page", ["<p>open <b>bold", "<p><![if !x]>words<![endif]>", "<p><![bad[ words", "<p>a < b"])
def test_broken_html_is_read(page: str) -> None:
    assert plain.strip_html(page)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("mri_lumbar_2023.txt", "Findings: scar.", "mri"),
        ("op-note.md", "The patient was placed prone.", "operation_note"),
        ("letter.txt", "Dear colleague", "letter"),
        ("x.txt", "CT LUMBAR SPINE\nFindings", "ct"),
        ("x.txt", "The MRI of last year, which I have now reviewed again with the radiologist, shows scar.", "text"),
    ],
)
def test_the_kind_by_name_or_heading(name: str, text: str, kind: str) -> None:
    assert read(text.encode(), name).documents[0].kind == kind


@pytest.mark.parametrize(
    ("name", "text", "date"),
    [
        ("mri_2023-05-02.txt", "Scar", "2023-05-02"),
        ("20230502_mri.txt", "Scar", "2023-05-02"),
        ("mri.txt", "Date: 2023-05-02\nScar", "2023-05-02"),
        ("mri_2023-15-02.txt", "Scar", None),
        ("mri.txt", "Scar since 2023-05-02", None),
    ],
)
def test_the_date_where_name_or_heading_say_it(name: str, text: str, date: str | None) -> None:
    assert read(text.encode(), name).documents[0].date == date
