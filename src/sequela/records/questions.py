"""Questions answered with yes or no, as forms write them, read as the statements that the answers make.

"Numbness around the back passage?: no" says that there is none, and "Can you pass urine normally?: no" that something is wrong. So
each question is read as the statement it asks about; a yes makes that statement and a no its opposite. Nothing here knows a finding:
what a statement says, the text reader decides. Questions are rewritten in place, character for character, so that every place in
the rewritten text is the same place in the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeVar

import msgspec

from sequela.case import Document, Observation, Operation, Source, Status
from sequela.records.text.reader import Reading, TextReader

Answer = Literal["yes", "no", "unknown"]
_Fact = TypeVar("_Fact", bound=msgspec.Struct)

_YES = "yes|true|present"
_NO = r"no|none|nil|never|not\ at\ all|false|absent|negative"
_UNKNOWN = (
    r"unknown|not\ known|not\ asked|unanswered|n/a|not\ applicable|don't\ know|do\ not\ know|not\ sure|unsure|declined"
    r"|prefer\ not\ to\ say"
)
_BOX, _EMPTY = r"(?:\[[x✓✔]\]|[☒☑✓✔])", r"(?:\[\ ?\]|[☐□])"
_END = r"(?=\ *(?:$|[\n.;,|()\t•]|[-–—]\ |but\b)|\ \ )"
_ANSWER = rf"""(?:
    {_BOX}\ ?(?P<ticked>yes|no)\b(?:[ \t/]*{_EMPTY}\ ?(?:yes|no)\b)? | {_EMPTY}\ ?(?:yes|no)\b[ \t/]*{_BOX}\ ?(?P<ticked_last>yes|no)\b
    | (?P<blank>{_EMPTY}\ ?(?:yes|no)\b[ \t/]*{_EMPTY}\ ?(?:yes|no)\b | yes[ ]?/[ ]?no\b | y[ ]?/[ ]?n\b)
    | (?P<unknown>{_UNKNOWN}){_END} | (?P<yes>{_YES}){_END} | (?P<no>{_NO}){_END}
)"""
_START = r"(?:\A|(?<=[\n.;!?\t|])|(?<=[\n.;!?|]\s)|(?<=\s\s)|(?<=\bno,\s)|(?<=yes,\s))"
_MARKED = rf"""
    {_START}(?P<asked>[^\n?;!\s](?:[^\n?.;!]|\.(?!\s+(?-i:[A-Z]))){{2,400}}+)(?P<mark>\?)[ \t]*[:,\-–]?\s?[ \t]*
    (?:{_ANSWER} | (?P<yes_more>(?:yes|y)\b) | (?P<no_letter>n\b){_END} | (?=no\ [a-z]))
"""
"""With a question mark: "Fever? No". The look-ahead: the answer is a sentence of its own, "Fever? No fever."."""
_LABELLED = rf"(?:{_START}|(?<=,\s))(?P<label>[^\n?.;,|:\t\s][^\n?.;,|:\t]{{1,120}}?)\ ?(?:[:\t]\ *|(?={_BOX}|{_EMPTY})){_ANSWER.replace('?P<', '?P<l_')}"
_ITEM = re.compile(rf"{_LABELLED}|{_MARKED}", re.I | re.X)

_WHO = r"(?:you|he|she|it|they|there|the\ patient)\b"
_ABILITY = re.compile(rf"\W*(?:\d+\W+)?(?:(?:can|could)\s+{_WHO}|(?:are|is|were|was)\s+{_WHO}\s+able\s+to\b)", re.I)
_OPENING = re.compile(
    rf"\W*(?:\d+\W+)?(?:do|does|did|have|has|had|are|is|were|was|will)\b(?:\s+{_WHO}|\s+your\b|(?=\s))", re.I
)
_SEVERAL = re.compile(r"\band\b|[,/&]", re.I)
_OPPOSITE: dict[Status, Status] = {"present": "absent", "absent": "present"}


class Item(NamedTuple):
    """A question and its answer: text[start:asked] is the question without its mark, text[start:end] both.

    ability: asks whether the patient can do something. several: asks after more than one thing.
    """

    start: int
    asked: int
    end: int
    answer: Answer
    ability: bool = False
    several: bool = False


def read(reader: TextReader, document: Document, known: Sequence[Operation] = ()) -> Reading:
    """What `reader.read` says, with the answered questions of the document taken as statements."""
    items = answered(document.text)
    if not items:
        return reader.read(document, known)
    denied = reader.read(_rewritten(document, items, _denied_words), known)
    understood = {item for place in _places(denied) if (item := _item_at(items, place))}

    def stated_words(item: Item, text: str) -> str | None:
        silent = item.answer == "no" and not item.ability and item not in understood
        return text[item.start : item.end] if silent else _stated_words(item, text)

    stated = reader.read(_rewritten(document, items, stated_words), known)
    return _quoted(stated, document, _joined(stated.observations, denied.observations, items), items)


def answered(text: str) -> list[Item]:
    """The questions of a text that are answered with yes or no, or expressly not answered."""
    found = []
    for match in _ITEM.finditer(text):
        groups = {name.removeprefix("l_"): said for name, said in match.groupdict().items() if said is not None}
        name = "asked" if "asked" in groups else "label"
        start, asked = match.span(name)
        answer = _answer(groups)
        if answer is not None:
            found.append(Item(start, asked, match.end(), answer, *_nature(groups[name])))
        elif _repeated(groups[name], text[match.end() :]):
            found.append(Item(start, asked, asked + 1, "unknown"))
    return found


def _nature(question: str) -> tuple[bool, bool]:
    return bool(_ABILITY.match(question)), bool(_SEVERAL.search(question))


def _repeated(question: str, following: str) -> bool:
    """Whether the next sentence takes up the last word of the question, so that it is the answer: "Fever? No fever."."""
    last = re.findall(r"\w+", question)[-1:]
    return last != [] and last[0].lower() in re.split(r"[\n.;?]", following, maxsplit=1)[0].lower()


def _answer(groups: dict[str, str]) -> Answer | None:
    """The answer by the part of the pattern that met; None for a sentence."""
    ticked = groups.get("ticked") or groups.get("ticked_last")
    if ticked:
        return "yes" if ticked.lower() == "yes" else "no"
    if "yes" in groups or "yes_more" in groups:
        return "yes"
    if "no" in groups or "no_letter" in groups:
        return "no"
    return "unknown" if "unknown" in groups or "blank" in groups else None


# The two texts that are read ------------------------------------------------------------------------------------------


def _stated_words(item: Item, text: str) -> str | None:
    """What the answer states: the statement itself after yes, the denied ability after no; None for nothing."""
    if item.answer == "yes" or (item.answer == "no" and item.ability):
        return _statement(text[item.start : item.asked], able=item.answer == "yes")
    return None


def _denied_words(item: Item, text: str) -> str | None:
    """What the answer denies: the statement itself after no, the denied ability after yes; None for nothing."""
    if item.answer == "no" or (item.answer == "yes" and item.ability):
        return _statement(text[item.start : item.asked], able=item.answer == "no")
    return None


def _statement(question: str, *, able: bool) -> str:
    """The question as a statement of the same length: "Can you walk" -> "    can walk" or " cannot walk"."""
    ability = _ABILITY.match(question)
    opening = ability or _OPENING.match(question)
    if opening is None:
        return question
    said = ("can" if able else "cannot") if ability else ""
    return said.rjust(opening.end()) + question[opening.end() :]


def _rewritten(document: Document, items: Sequence[Item], words_of: Callable[[Item, str], str | None]) -> Document:
    """The document with each item replaced by its words, or by nothing; its length and its lines stay as they are."""
    text, parts, at = document.text, [], 0
    for number, item in enumerate(items):
        following = items[number + 1].start if number + 1 < len(items) else len(text)
        rest = text[item.end : following].split("\n", 1)[0]
        words = words_of(item, text) or ""
        if words and len(words) < item.end - item.start and not any(map(str.isalnum, rest)):
            words += "."  # what is told further in the same line belongs to the statement: "yes, on the left"
        original = text[item.start : item.end]
        kept = "".join("\n" if letter == "\n" else " " for letter in original[len(words) :])
        parts += [text[at : item.start], words + kept]
        at = item.end
    return msgspec.structs.replace(document, text="".join((*parts, text[at:])))


# What they say together -----------------------------------------------------------------------------------------------


def _places(reading: Reading) -> list[Source]:
    sources = (*(o.source for o in reading.observations), *(o.source for o in reading.operations))
    return [source for source in sources if source is not None]


def _item_at(items: Sequence[Item], source: Source | None) -> Item | None:
    """The item that the words touch."""
    if source is None:
        return None
    before = bisect_left(items, source.end, key=lambda item: item.start)  # items stand in their order and never overlap
    return items[before - 1] if before and source.start < items[before - 1].asked else None


def _joined(stated: Sequence[Observation], denied: Sequence[Observation], items: Sequence[Item]) -> list[Observation]:
    """Every finding of the statements, then the opposite of what is denied, each finding of an item once."""
    out, told = [], set()
    for observation in stated:
        item = _item_at(items, observation.source)
        if item and item.ability and item.answer == "no" and observation.status != "present":
            continue  # "cannot pass urine normally" has no normal function in it
        told.add((item, observation.id))
        out.append(observation)
    opposites = [(item, o) for o in denied if (item := _item_at(items, o.source)) and _can_be_denied(item, o)]
    normal: dict[Item, set[str]] = {}
    for item, observation in opposites:
        if observation.status == "absent":
            normal.setdefault(item, set()).add(observation.id)
    for item, observation in opposites:
        if (item, observation.id) in told:
            continue
        told.add((item, observation.id))
        status = _OPPOSITE[observation.status]
        if status == "present" and item.several and len(normal[item]) > 1:
            status = "uncertain"  # "Are strength and feeling normal?: no" leaves open which of them is not
        out.append(msgspec.structs.replace(observation, status=status))
    return out


def _can_be_denied(item: Item, observation: Observation) -> bool:
    """A doubt and a number have no opposite; of a denied ability only the trouble it names counts."""
    if observation.status not in _OPPOSITE or observation.value is not None:
        return False
    return observation.status == "present" or not (item.ability and item.answer == "yes")


def _quoted(
    reading: Reading, document: Document, observations: Sequence[Observation], items: Sequence[Item]
) -> Reading:
    """The reading with the words of the document itself: a finding of a question quotes the question with its answer."""

    def words(source: Source | None) -> Source | None:
        if source is None:
            return None
        item = _item_at(items, source)
        start = min(source.start, item.start) if item else source.start
        end = max(source.end, item.end) if item else source.end
        return Source(source.document, start, end, document.text[start:end])

    def quoting(fact: _Fact) -> _Fact:
        return msgspec.structs.replace(fact, source=words(getattr(fact, "source", None)))

    return reading._replace(
        operations=tuple(map(quoting, reading.operations)),
        observations=tuple(map(quoting, observations)),
        events=tuple(map(quoting, reading.events)),
        course=quoting(reading.course),
        unread=tuple(map(quoting, reading.unread)),
    )
