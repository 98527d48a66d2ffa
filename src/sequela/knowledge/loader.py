"""Load the knowledge base: checked, compiled, cached. The only door to the YAML beside it.

    knowledge = load()          # immutable, typed; a few milliseconds when nothing changed
    rows = sources()            # the published claims, by id; read only when somebody asks for them

A folder that contradicts itself does not load: `KnowledgeError.problems` has one line per problem,
`file:line: key: what is wrong; mend`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec

from sequela.knowledge.cache import Cache, signature
from sequela.knowledge.model import Knowledge, SourceRow

HERE = Path(__file__).parent


class KnowledgeError(Exception):
    """The knowledge base is wrong. problems: one line each, with file, line, key and mend."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def load(path: Path | None = None) -> Knowledge:
    """The knowledge base of a folder (the package's own by default), kept for the life of the process.

    Raises KnowledgeError with all problems when it does not hold together.
    """
    return _load((path or HERE).resolve())


def sources(path: Path | None = None) -> dict[str, SourceRow]:
    """Every published claim by its id. Raises KnowledgeError as `load` does."""
    return _sources((path or HERE).resolve())


def forget() -> None:
    """Look at the files again at the next `load`."""
    _load.cache_clear()
    _sources.cache_clear()


def yaml_files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.yaml"))


@lru_cache(maxsize=8)
def _load(root: Path) -> Knowledge:
    cache = _cache(root)
    return cache.get("knowledge", Knowledge) or _build(root, cache)[0]


@lru_cache(maxsize=8)
def _sources(root: Path) -> dict[str, SourceRow]:
    cache = _cache(root)
    return cache.get("sources", dict[str, SourceRow]) or _build(root, cache)[1]


def _cache(root: Path) -> Cache:
    """The code beside us counts as well: a changed way of solving must not meet old results."""
    return Cache(root, signature([*yaml_files(root), *sorted(HERE.glob("*.py"))]))


def _build(root: Path, cache: Cache) -> tuple[Knowledge, dict[str, SourceRow]]:
    from sequela.knowledge.build import build  # here: a warm start must not pay for importing a YAML parser

    built = build(root, yaml_files(root))
    if built.knowledge is None:
        raise KnowledgeError(built.problems)
    bodies = msgspec.msgpack.encode(built.knowledge), msgspec.msgpack.encode(built.sources)
    cache.put("knowledge", bodies[0])
    cache.put("sources", bodies[1])
    # Decoded again so that a first start and a warm one work on identical values.
    return (
        msgspec.msgpack.decode(bodies[0], type=Knowledge),
        msgspec.msgpack.decode(bodies[1], type=dict[str, SourceRow]),
    )
