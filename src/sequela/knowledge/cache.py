"""Compiled knowledge on disk, so that a warm start parses no YAML.

A cache file is: 32 bytes signature of the files it was built from, 32 bytes hash of the body, body (msgpack). Anything
that does not fit is ignored and rebuilt; nothing in it is ever executed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")
_SIZE = 32


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_SIZE).digest()


def signature(files: Sequence[Path], version: str = "") -> bytes:
    """Changes whenever one of the files changes, comes or goes (path, size and time of each), or the version does."""
    lines = [version]
    for path in files:
        stat = path.stat()
        lines.append(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n")
    return _digest("".join(lines).encode())


class Cache:
    """The cache files of one knowledge folder under one signature."""

    def __init__(self, root: Path, signed: bytes) -> None:
        self._signed = signed
        self._stem = _digest(str(root).encode()).hex()[:16]

    def get(self, name: str, kind: type[T]) -> T | None:
        """What was stored, or None when there is nothing, or something old, foreign or damaged."""
        for folder in _folders():
            try:
                data = (folder / self._name(name)).read_bytes()
                body = data[2 * _SIZE :]
                if data[: 2 * _SIZE] == self._signed + _digest(body) and _ours(folder):
                    return msgspec.msgpack.decode(body, type=kind)
            except (OSError, msgspec.MsgspecError):
                continue
        return None

    def put(self, name: str, body: bytes) -> None:
        """Store, in the first folder that lets us; without one, the next start is slow and nothing else."""
        for folder in _folders():
            with contextlib.suppress(OSError):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if _ours(folder):
                    _write(folder / self._name(name), self._signed + _digest(body) + body)
                    return

    def _name(self, name: str) -> str:
        return f"{name}-{self._stem}.msgpack"


def _folders() -> Iterator[Path]:
    """Where cache files may lie, the best place first."""
    home = os.environ.get("XDG_CACHE_HOME")
    if home and Path(home).is_absolute():
        yield Path(home) / "sequela"
    else:
        with contextlib.suppress(RuntimeError):  # an account without a home
            yield Path.home() / ".cache" / "sequela"
    import tempfile  # here: slow to import, and seldom needed on a warm start

    yield Path(tempfile.gettempdir()) / f"sequela-{os.getuid()}"


def _ours(folder: Path) -> bool:
    """Nobody else may put medicine into our cache: the folder is ours and not open to other writers."""
    stat = folder.stat()
    return stat.st_uid == os.getuid() and not stat.st_mode & 0o022


def _write(path: Path, data: bytes) -> None:
    """All or nothing: readers see the old file or the new one."""
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
