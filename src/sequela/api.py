"""The Python way in: `sequela.assess("folder/")`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from sequela.case import Case, Document
from sequela.knowledge import load
from sequela.knowledge.model import Knowledge
from sequela.reasoning import reason
from sequela.reasoning.assessment import Assessment
from sequela.records.assemble import assemble
from sequela.records.gather import SEE_ABOVE, gather
from sequela.records.gathered import Gathered
from sequela.records.text.reader import TextReader

if TYPE_CHECKING:
    from sequela.reasoning.what_if import Said, WhatIf


class NothingToRead(ValueError):
    """No document could be read; `problems` says of each why and what to do."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems) or "nothing to read")


@lru_cache(maxsize=4)
def _reader(version: str) -> TextReader:
    del version  # the cache key: one compiled reader per knowledge base
    return TextReader(load())


def read(*paths: str | Path, text: str | None = None, patient: str | None = None) -> Case:
    """Read files, folders or a text into a Case. Raises NothingToRead when nothing could be read."""
    knowledge = load()
    gathered = gather([Path(p) for p in paths], stdin_text=text, patient=patient)
    return _case(gathered, knowledge)


def _case(gathered: Gathered, knowledge: Knowledge) -> Case:
    if any(p.fatal for p in gathered.problems) or not (
        gathered.documents or gathered.observations or gathered.operations
    ):
        said = [p.line() for p in gathered.problems]
        raise NothingToRead(said[:-1] if len(said) > 1 and said[-1].endswith(SEE_ABOVE) else said)
    case = assemble(gathered, knowledge, _reader(knowledge.version))
    if not (case.operations or case.nerve_signs) and all(o.source is None for o in case.observations):
        raise NothingToRead(
            [
                *(p.line() for p in gathered.problems),
                "record: no finding and no operation was recognised; give English clinical text or coded records",
            ]
        )
    return case


class Shown(Assessment, frozen=True):
    """An assessment that a notebook shows as its report."""

    def _repr_html_(self) -> str:
        from sequela.report.html import html

        return f'<iframe srcdoc="{escape(html(self), quote=True)}" style="width:100%;height:48rem;border:0" title="Assessment"></iframe>'

    def what_if(self, changes: Mapping[str, Said]) -> WhatIf:
        """How the ranking would move: `assessment.what_if({"crp": 85, "fever": "absent"})`. Reads nothing. Raises NotUnderstood."""
        from sequela.reasoning.what_if import what_if as assume

        return assume(self, changes, load())


def _shown(assessment: Assessment) -> Shown:
    return Shown(**{name: getattr(assessment, name) for name in assessment.__struct_fields__})


def what_if(case: Case, changes: Mapping[str, Said]) -> WhatIf:
    """The same for a case already read."""
    return _shown(reason(case, load())).what_if(changes)


def assess(*paths: str | Path, text: str | None = None, patient: str | None = None) -> Shown:
    """Assess a patient's records: files or folders (FHIR, C-CDA, text, PDF, CSV), or `text` itself.

    patient: which one, when the record holds several. Raises NothingToRead.
    """
    return _shown(reason(read(*paths, text=text, patient=patient), load()))


def assess_text(text: str, name: str = "text") -> Shown:
    """Assess one text already in memory."""
    knowledge = load()
    gathered = Gathered(documents=(Document(name, text),))
    return _shown(reason(assemble(gathered, knowledge, _reader(knowledge.version)), knowledge))
