"""When a clause speaks of: before the operation, between operations, or now.

A letter tells a story. A complaint counts only in the state the patient is in now, so everything told before an operation, and the reason
given for it, is set apart. Tense and the place of the operation in the sentence decide; explicit words ("preoperatively") come before both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sequela.records.text.operations import Mention
from sequela.records.text.tokens import Segment, Token

# Present perfect with "had" inside ("has had two operations") is not by itself a statement about now.
_NOW = re.compile(
    r"\b(is|are|has|have|does|complain(?:s|ing)|presents|reports|describes|remains?|continues?|now|today|currently|presently|still|since|"
    r"persists?|persisting|suffers|denies|rates|scores|takes|cannot|walks|attends|comes|finds|referred|seeing|see this|admitted|readmitted|again|returned|recently|ongoing|ha(?:s|ve) developed|"
    r"at the moment|at present|these days|gets|makes|starts|radiates|worsens|wakes|limps|lacks|feels|experiences|came to|come to|brought in|after (?:the|that|this|his|her|it)|following (?:the|that|this|his|her|it)|afterwards|postoperative\w*|post-?op|later)\b",
    re.I,
)  # fmt: skip
_PAST = re.compile(
    r"\b(had|was|were|did|began|started|complained|presented|suffered|became|could|noted|noticed|described|failed|saw|underwent|helped|declined|consulted|went|came|used to)\b",
    re.I,
)
_INDICATION = re.compile(r"\b(for (?!about|almost|nearly|the (?:last|past|next)|a (?:few|couple)|\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|several|many|some) )|because(?: of)?|on account of|owing to|due to|to (?:treat|relieve|address|correct|decompress)|"
    r"(?:the )?(?:working |presumed )?(?:diagnosis|indication) (?:being|was|of)|diagnosed (?:as|with)|with a diagnosis of|as (?:a )?treatment (?:for|of)|indicated (?:by|for))", re.I)  # fmt: skip
_INDICATION_END = re.compile(
    r"(?:,|\band (?:he|she|was|is|has|had|then|did|made|recovered|improved|went|came|developed|the|her|his|now|it)\b|\bbut\b|;|\bwith (?:good|complete|excellent|no|initial|partial|only|relief|little)|\bwhich\b|\bthat\b|\bafter\b|\bfollowing\b|\bwithout\b|\bfrom which\b|\bsince\b|\bhas\b|\bnow\b|\.)",
    re.I,
)


_CLAUSES = 12
"""Clauses of one sentence that are looked back through: a list with semicolons is a sentence without end."""


def narrative(
    tokens: Sequence[Token], parts: Sequence[Segment], found: Sequence[Mention], text: str, fixed: Sequence[bool]
) -> list[bool]:
    """For each token whether it speaks of a time before the (latest) operation.

    fixed: segments whose tense does not follow the story (examination, investigations), left alone.
    """
    before = [False] * len(tokens)
    events = [m for m in found if not m.anaphoric]
    for mention in events:
        _indication(tokens, parts[mention.segment], mention, text, before)
        if not mention.linked:
            _earlier_in_sentence(tokens, parts, mention, text, before)
    story = [m for m in events if not m.linked]
    if story:
        _earlier_sentences(tokens, parts, story, text, fixed, before)
    return before


def _slice(tokens: Sequence[Token], start: int, end: int, text: str) -> str:
    return text[tokens[start].start : tokens[end - 1].end] if end > start else ""


# "Because of back pain and sciatica, he had ...": the reason may also stand ahead of the operation.
_AHEAD = re.compile(
    r"\b(?:because of|on account of|owing to|due to|for)\b[^,;.]+,(?= (?:he|she|they|the patient|I|we)\b)", re.I
)


def _indication(tokens: Sequence[Token], part: Segment, mention: Mention, text: str, before: list[bool]) -> None:
    """The reason given for the operation: "underwent L4-5 discectomy for left sciatica"."""
    ahead = _slice(tokens, part.start, mention.span.start, text)
    reason = _AHEAD.search(ahead)
    if reason:
        base = tokens[part.start].start
        _mark(tokens, base + reason.start(), base + reason.end(), part.start, mention.span.start, before)
    after = _slice(tokens, mention.span.end, part.end, text)
    match = _INDICATION.search(after)
    if not match:
        return
    offset = tokens[mention.span.end].start if mention.span.end < part.end else 0
    end = _INDICATION_END.search(after, match.end() + 3)
    _mark(
        tokens,
        offset + match.start(),
        offset + (end.start() if end else len(after)),
        mention.span.end,
        part.end,
        before,
    )


def _mark(tokens: Sequence[Token], low: int, high: int, start: int, end: int, before: list[bool]) -> None:
    for i in range(start, end):
        if low <= tokens[i].start < high:
            before[i] = True


_LATER = re.compile(r"\blater\b", re.I)
"""Ahead of an operation in its own sentence "later" tells what came before it, not after."""


def _earlier_in_sentence(
    tokens: Sequence[Token], parts: Sequence[Segment], mention: Mention, text: str, before: list[bool]
) -> None:
    """ "He had sciatica and underwent discectomy": what stands before the operation, told in the past, was before it."""
    sentence = parts[mention.segment].sentence
    first = mention.segment
    while first > mention.segment - _CLAUSES and first and parts[first - 1].sentence == sentence:
        first -= 1
    start = parts[first].start
    told = _slice(tokens, start, mention.span.start, text)
    if _PAST.search(told) and not _now(_LATER.sub("", told)):
        for i in range(start, mention.span.start):
            before[i] = True


def _now(told: str) -> bool:
    """A present cue that is not part of the verb phrase of the operation itself ("has had", "now had")."""
    return bool(_NOW.search(re.sub(r"\b(?:has|have) (?:now |since |also )?(?:had|undergone|been)\b", "", told)))


def _earlier_sentences(
    tokens: Sequence[Token],
    parts: Sequence[Segment],
    story: Sequence[Mention],
    text: str,
    fixed: Sequence[bool],
    before: list[bool],
) -> None:
    """Sentences in the past tense that stand before the last operation of the story."""
    last = max(m.segment for m in story)
    for index, part in enumerate(parts):
        if index >= last or fixed[index] or part.sentence == parts[last].sentence:
            continue
        told = _slice(tokens, part.start, part.end, text)
        if _PAST.search(told) and not _NOW.search(told):
            for i in range(part.start, part.end):
                before[i] = True
