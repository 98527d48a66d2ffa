"""Text to tokens: offsets kept, spelling and inflection folded so that one lexicon form meets all its variants."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_ONE = r"(?:[CTLS]\d{1,2}|D1[0-2])"
# A space between letter and number only before a second number ("L 4-5"): "EHL L 4/5" is a side and a grade.
_LEVEL = (
    rf"(?<![A-Za-z0-9])(?:{_ONE}|[CTLS] \d{{1,2}}(?= ?[-–—] ?\d))"
    r"(?: ?[-–—/] ?[CTDLS]? ?\d{1,2}(?![\d.,]*\s?(?:mm|cm|mg|°|degrees))){0,4}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])L[1-5]S1(?![A-Za-z0-9])|(?<![A-Za-z0-9])L(?:12|23|34|45)(?![A-Za-z0-9])"
)
_PAIR = re.compile(r"l(?:12|23|34|45)")
_TOKEN = re.compile(
    rf"(?P<level>{_LEVEL})"
    r"|(?P<grade>\d[+-]? ?/ ?\d+)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:[.,]\d+)?)"
    r"|(?P<word>[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['’][A-Za-z]+)?)"
    r"|(?P<mark>[^\sA-Za-z\d])"
)
# T1 and T2 are MRI weightings far more often than vertebrae; a partner level or a vertebral word makes them vertebrae.
_WEIGHTED = re.compile(
    r"[ -]?(?:weighted|wi\b|w\b|signal|hyper|hypo|bright|dark|image|sequence|sagittal|axial|fat|stir|tse|post|pre|and t[12]|and|,|/|flair)",
    re.I,
)


class Token(NamedTuple):
    """kind: word, number, grade (3/5), level, mark. keys: what the lexicon may call it. start, end: offsets in the document."""

    text: str
    kind: str
    start: int
    end: int
    keys: tuple[str, ...]


def tokenize(text: str) -> list[Token]:
    """All tokens of the text, in order."""
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "mark"
        word = match.group()
        if kind == "level" and word.replace(" ", "").upper() in ("T1", "T2") and _WEIGHTED.match(text, match.end()):
            kind = "word"
        tokens.append(Token(word, kind, match.start(), match.end(), _keys(word, kind)))
    return tokens


@lru_cache(maxsize=65536)
def _keys(word: str, kind: str) -> tuple[str, ...]:
    if kind == "level":
        name = word.replace(" ", "").lower()
        return (
            name,
            "@level",
            "@vertebra" if len(name) <= 3 and name[1:].isdigit() and not _PAIR.fullmatch(name) else "@segment",
        )
    if kind == "grade":
        return (word.replace(" ", ""), "@grade", "#")
    if kind == "number":
        return (word, "#")
    if kind == "mark":
        return (word,)
    if word.isupper() and 2 <= len(word) <= 6:
        return (stem(word), "=" + word)
    return (stem(word),)


# analysed, localising, stabilises: also folds "raised", which does no harm because lexicon and text fold alike.
_BRITISH = re.compile(r"([iy])s(e|ed|es|ing)$")
# Folding these would make another word of them: metastases, "he met".
_AS_WRITTEN = frozenset({"mets", "pars", "species", "evening", "morning", "during", "nothing"})
_NEGATIVES = frozenset({"not", "non", "no"})  # what "noted", "none" and "nos" must not become
_UNDOUBLED = re.compile(r"([bdfgmnprt])\1$")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Fold British and American spelling, plural, -ed, -ing and final e: haematomas -> hematoma, narrowing -> narrow."""
    word = word.lower().replace("’", "'")
    if word in _AS_WRITTEN:
        return word
    written = word
    word = word[:-2] if word.endswith("'s") else word.replace("'", "")
    word = word.replace("ae", "e").replace("oe", "e").replace("isation", "ization")
    word = _BRITISH.sub(r"\1z\2", word)
    if len(word) > 4:
        if word.endswith("ies"):
            word = word[:-3] + "y"
        elif word.endswith("oses"):
            word = word[:-2] + "is"
        elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    elif len(word) == 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if len(word) > 5 and word.endswith("ing"):
        word = _stripped(word[:-3])
    elif len(word) > 4 and word.endswith("ed") and not word.endswith("eed"):
        word = _stripped(word[:-2])
    folded = _spelling(word)
    return written if folded in _NEGATIVES and written != folded else folded


def _stripped(word: str) -> str:
    """The stem left of -ed or -ing: tipp -> tip, and fus -> fuse, since a short stem lost an e."""
    if _UNDOUBLED.search(word):
        return word[:-1]
    return word + "e" if len(word) == 3 and (word[1] in "aeiou" or word == "ach") else word


def _spelling(word: str) -> str:
    if len(word) > 4 and word.endswith("our"):
        word = word[:-3] + "or"
    if len(word) > 4 and word.endswith("tre"):
        word = word[:-3] + "ter"
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


class Segment(NamedTuple):
    """A clause-like stretch of tokens: text between hard breaks. sentence: running number; first: starts a sentence."""

    start: int
    end: int
    sentence: int
    heading: bool = False


_ABBREVIATION = frozenset(
    "dr mr mrs ms st no vs approx fig e.g i.e eg ie etc yr yrs mo wk hx rt lt pt dx tx appt prof n a mm lig".split()
)
_BREAKING = frozenset("but however although though whereas nevertheless".split())


_LONGEST = 256
"""Words after which a clause ends even without a stop: no clinician writes half as many, an export without punctuation does."""


def segments(text: str, tokens: list[Token]) -> list[Segment]:
    """Split tokens into segments at sentence ends, blank or short lines, semicolons and adversatives."""
    out: list[Segment] = []
    start = sentence = 0
    for i, token in enumerate(tokens):
        if _line_break(text, tokens, i) and start < i:
            out.append(Segment(start, i, sentence))
            start, sentence = i, sentence + 1
        if (token.text in ".!?" and _ends_sentence(text, tokens, i)) or i + 1 - start >= _LONGEST:
            out.append(Segment(start, i + 1, sentence))
            start, sentence = i + 1, sentence + 1
        elif token.text == ";" or (token.kind == "word" and token.text.lower() in _BREAKING and start < i):
            end = i + 1 if token.text == ";" else i
            out.append(Segment(start, end, sentence))
            start = end
    if start < len(tokens):
        out.append(Segment(start, len(tokens), sentence))
    return [s for s in out if s.end > s.start]


def _line_break(text: str, tokens: list[Token], i: int) -> bool:
    """A new line starts a sentence unless it is a soft wrap (long line before it, lower-case word after it)."""
    if i == 0:
        return False
    gap = text[tokens[i - 1].end : tokens[i].start]
    if "\n" not in gap:
        return False
    if gap.count("\n") > 1 or tokens[i].text[:1] in "-*•#":
        return True
    line_start = text.rfind("\n", 0, tokens[i - 1].end) + 1
    soft = tokens[i - 1].end - line_start > 45 and tokens[i - 1].text not in ".:;!?"
    return not soft


def _ends_sentence(text: str, tokens: list[Token], i: int) -> bool:
    token = tokens[i]
    if token.text == "?" and i + 1 < len(tokens) and tokens[i + 1].start == token.end:
        return False  # "?DVT" asks, it does not end
    if token.text != ".":
        return True
    if (
        i >= 2
        and len(tokens[i - 1].text) == 1
        and tokens[i - 2].text == "."
        and tokens[i - 1].start == tokens[i - 2].end
    ):
        return False  # "i.e.", "e.g."
    following = text[token.end : token.end + 1]
    if following and not following.isspace() and following not in "\"')”’":
        return False
    previous = tokens[i - 1] if i else None
    if previous and previous.end == token.start and previous.text.lower() in _ABBREVIATION:
        return (
            i + 1 < len(tokens)
            and tokens[i + 1].text[:1].isupper()
            and previous.text.lower() in ("etc", "yrs", "yr", "mo", "wk")
        )
    return True
