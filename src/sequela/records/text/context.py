"""What a clause does to a finding in it: present, denied, uncertain, hypothetical, planned, family, past, or expressly not spoken of.

Triggers act forwards or backwards within a segment until a terminator; words inside a recognised concept ("not united") never trigger.
"""

from __future__ import annotations

from typing import NamedTuple

from sequela.records.text.lexicon import Span
from sequela.records.text.tokens import Token

NEGATED = 1
UNCERTAIN = 2
HYPOTHETICAL = 4
FAMILY = 8
PLANNED = 16
PREOP = 32
PAST = 64
UNSAID = 128

_FORWARD = {
    "!neg_pre": NEGATED,
    "!unc_pre": UNCERTAIN,
    "!hyp_pre": HYPOTHETICAL,
    "!plan": PLANNED,
    "!unsaid_pre": UNSAID,
}
_BACKWARD = {"!neg_post": NEGATED, "!unc_post": UNCERTAIN, "!unsaid_post": UNSAID, "!hyp_post": HYPOTHETICAL}
_WHOLE = {"!family": FAMILY, "!preop": PREOP, "!past": PAST}
_ASKING = frozenset(
    "is are was were could did does do should would can has have what why which who might may will or and".split()
)
"""First words of a question: what it names is asked, not stated ("Is there a recurrent herniation?"; not "?DVT")."""
# A comma ends a negation only where a new statement begins after it.
_SUBJECTS = frozenset("he she the there his her it this these they a an patient now today i we".split())
# "not in the leg, …" ends at the comma, "no weakness, numbness or …" does not; "FADIR +ve, FABER -ve" reaches back only to the comma.
_BRIEF = frozenset("not rather instead".split())
_BARE = frozenset("- negative nil none".split())
_COMPARED = 8
"""Words between a comparison ("the same", "still") and the time before the operation that it speaks of."""
_CHANGE = frozenset(
    "new newly increasing increased worsening worse worsened progressive progressing severe sudden suddenly marked mild persistent ongoing continuing "
    "now but only has have had reports complains describes is was can't cannot unable since for today yesterday still also left right both positive "
    "raised elevated reduced absent".split()
)
"""First words of an item that is stated, not denied, after a denial and a comma."""
_SAYS_MORE = frozenset(
    "from around since getting has have is are was were down into when after in at on with over".split()
)
_JOINS = frozenset({",", "or", "nor", "/"})
_ITEM_WORDS = 7
_LIST_REACH = 14
_LIST_WORDS = 8
_BACK_REACH = 9


class Modality(NamedTuple):
    """Bit flags for each token of a segment, indexed by token position minus the segment's start."""

    start: int
    flags: list[int]

    def of(self, span: Span) -> int:
        """Flags that hold for the span: those of its first and its last word, since a form may begin before the scope does ("of …")."""
        return self.flags[span.start - self.start] | self.flags[span.end - 1 - self.start]


def modality(tokens: list[Token], start: int, end: int, live: list[Span]) -> Modality:
    """Flags of tokens[start:end]. live: the triggers inside it that act."""
    asked = tokens[end - 1].text == "?" and tokens[start].text.lower() in _ASKING
    flags = [HYPOTHETICAL if asked else 0] * (end - start)
    covered = [t for t in live if t.concept == "!pseudo"]
    stops = sorted(t.start for t in live if t.concept == "!stop")
    compared = [t.end for t in live if t.concept == "!compare"]
    for trigger in live:
        if trigger.concept != "!pseudo" and _covered(trigger, covered):
            continue
        if trigger.concept == "!preop" and any(0 <= trigger.start - c <= _COMPARED for c in compared):
            continue  # "still has the pain she had before the operation" is now
        whole = _WHOLE.get(trigger.concept)
        if whole:
            first = trigger.start if tokens[trigger.end - 1].text.lower() == "history" else start
            for i in range(first, end):
                flags[i - start] |= whole
            continue
        bit = _FORWARD.get(trigger.concept)
        if bit:
            for i in range(trigger.end, _forward_end(tokens, trigger, end, stops, bit)):
                flags[i - start] |= bit
        bit = _BACKWARD.get(trigger.concept)
        if bit:
            first = start if bit == UNSAID else _backward_start(tokens, trigger, start, stops)
            for i in range(first, trigger.start):
                flags[i - start] |= bit
    return Modality(start, flags)


def _covered(trigger: Span, pseudo: list[Span]) -> bool:
    """Inside words that only look like a cue. A doubt as long as they are is a doubt: "cannot be ruled out" is no denial, but no statement either."""
    return any(
        p.start <= trigger.start
        and trigger.end <= p.end
        and not (trigger.concept in _DOUBTS and (p.start, p.end) == (trigger.start, trigger.end))
        for p in pseudo
    )


_DOUBTS = frozenset({"!unc_pre", "!unc_post"})


def _forward_end(tokens: list[Token], trigger: Span, end: int, stops: list[int], bit: int) -> int:
    limit = _list_end(tokens, trigger.end, end) if bit in (NEGATED, UNCERTAIN) else end
    brief = bit == NEGATED and tokens[trigger.start].text.lower() in _BRIEF
    for i in range(trigger.end, limit):
        if brief and tokens[i].text == "," and not _listed(tokens, i, limit, stops):
            return i
        if bit == NEGATED and tokens[i].text == "," and _turns(tokens, i, end, stops):
            return i
        if i in stops and i > trigger.end and bit in (NEGATED, UNCERTAIN):
            return i
        if (
            tokens[i].text == ","
            and bit in (NEGATED, UNCERTAIN)
            and i + 1 < end
            and tokens[i + 1].text.lower() in _SUBJECTS
        ):
            return i
        if tokens[i].text == ":" or (tokens[i].text in ")–—" and bit in (NEGATED, UNCERTAIN)):
            return i
    return limit


def _list_end(tokens: list[Token], start: int, end: int) -> int:
    """How far a denial can reach: through a list as long as its items stay short ("denies fever, chills, cough, … or bladder trouble")."""
    reach = start + _LIST_REACH
    for i in range(start, end):
        if i >= reach:
            return i
        if tokens[i].text.lower() in _JOINS:
            reach = max(reach, i + _ITEM_WORDS)
    return end


def _turns(tokens: list[Token], comma: int, end: int, stops: list[int]) -> bool:
    """What follows the comma is stated, not denied: "no fever, new saddle numbness", "no redness, pus from the wound".

    A new item that begins with a change, a verb or a time is a statement. So is one that says more than a name (with a preposition or a
    verb in it), unless the list is closed by "or".
    """
    item: list[str] = []
    for i in range(comma + 1, end):
        if i in stops or tokens[i].text in ",;:.":
            break
        item.append(tokens[i].text.lower())
    if not item:
        return False
    if item[0] in _CHANGE:
        return True
    return not _closed(tokens, comma, end, stops) and bool(_SAYS_MORE & set(item[1:]))


def _closed(tokens: list[Token], comma: int, end: int, stops: list[int]) -> bool:
    """The list that goes on after the comma ends in "or" or "nor"."""
    for i in range(comma + 1, end):
        if i in stops or tokens[i].text in ";:.":
            return False
        if tokens[i].text.lower() in ("or", "nor"):
            return True
    return False


def _listed(tokens: list[Token], comma: int, limit: int, stops: list[int]) -> bool:
    """A list that goes on after the comma and closes with "or": "not red, swollen or tender"."""
    for i in range(comma + 1, min(comma + _LIST_WORDS, limit)):
        if i in stops or tokens[i].text in ";:." or tokens[i].text.lower() in _SUBJECTS:
            return False
        if tokens[i].text.lower() in ("or", "nor"):
            return True
    return False


def _backward_start(tokens: list[Token], trigger: Span, start: int, stops: list[int]) -> int:
    lowest = max(start, trigger.start - _BACK_REACH)
    for i in range(trigger.start - 1, lowest - 1, -1):
        if tokens[i].text in (":", "(") and i < trigger.start - 1:
            return i + 1
        if i in stops:
            return i + 1
        if tokens[i].text == "," and trigger.end - trigger.start <= 2 and tokens[trigger.start].text.lower() in _BARE:
            return i + 1
        if tokens[i].text == "," and i + 1 < trigger.start and tokens[i + 1].text.lower() in _SUBJECTS:
            return i + 1
    return lowest
