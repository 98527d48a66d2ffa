"""The measures of alignment and implants, read once. Data: `alignment.yaml`. Apart from the rest, which never needs them to start."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from sequela.knowledge.alignment_model import Alignment
from sequela.knowledge.cache import Cache, signature
from sequela.knowledge.loader import HERE, KnowledgeError

FILE = HERE / "alignment.yaml"


@lru_cache(maxsize=1)
def load() -> Alignment:
    """The measures shipped with the package. Raises KnowledgeError where the file is wrong."""
    return read(FILE)


def read(path: Path) -> Alignment:
    """One file, from the cache where neither it nor its shape has changed. Raises KnowledgeError.

    What it says of findings and sources is checked with the rest of the knowledge base.
    """
    cache = Cache(path, signature([path, *sorted(HERE.glob("alignment*.py"))]))
    known = cache.get("alignment", Alignment)
    if known is None:
        known = _parsed(path)
        cache.put("alignment", msgspec.msgpack.encode(known))
    return known


def _parsed(path: Path) -> Alignment:
    from sequela.knowledge.decode import decode_alignment  # here: a warm start must not pay for importing a YAML parser

    entry, problems = decode_alignment(path.parent)
    if entry is None or problems:
        raise KnowledgeError(map(str, problems))
    return entry.value
