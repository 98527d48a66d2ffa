"""How hard a text for patients is to read.

Flesch-Kincaid grade (Kincaid, Fishburne, Rogers and Chissom 1975): US school years needed. Libraries for it fetch a pronouncing dictionary when
first used, which a clinic's machine may not; syllables are therefore counted from the letters, right for about nine English words in ten.
"""

from __future__ import annotations

import re

HIGHEST = 8.0
"""Grade that no patient text may exceed (the house's rule)."""

_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_SENTENCE = re.compile(r"[.!?:;]+(?=\s|$)")
_GROUP = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^laeiouy]es|[^laeiouy]e|[^td]ed)$")
_APART = re.compile(r"(?<![tcsgx])i[ao]|[eid]ea$|rea$|eo|(?<!q)u[ao](?!r)|[aeo]ing|ie(?=nc)|y[ai]")


def grade(text: str) -> float:
    """Flesch-Kincaid grade of a text; 0.0 for a text without words."""
    words = _WORD.findall(text)
    if not words:
        return 0.0
    sentences = max(1, len(_SENTENCE.findall(text)))
    return max(0.0, 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59)


def syllables(word: str) -> int:
    """Syllables of an English word, from its letters."""
    word = word.lower()
    count = len(_GROUP.findall(word)) + len(_APART.findall(word))
    if len(word) > 3 and _SILENT.search(word) and not re.search(r"[^aeiouy]les?$", word):
        count -= 1
    return max(count, 1)
