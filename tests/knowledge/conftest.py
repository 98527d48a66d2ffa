"""Small tools: caches of their own, and copies of the knowledge base that a test may break."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sequela.knowledge import loader
from sequela.knowledge.build import build
from sequela.knowledge.loader import HERE, yaml_files


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees or leaves anything in the cache of the machine."""
    loader.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
    loader.forget()


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test; the folder that the files will lie in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sequela"


class Copy:
    """A copy of the knowledge base in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def edit(self, file: str, old: str, new: str) -> int:
        """Replace the first occurrence; the line (from 1) where the new text begins."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer says {old!r}: mend the test"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    def problems(self) -> tuple[str, ...]:
        return build(self.root, yaml_files(self.root)).problems


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The knowledge base with its sources cut down to what the checks look at, which reads five times faster."""
    root = tmp_path_factory.mktemp("pristine") / "knowledge"
    shutil.copytree(
        HERE, root, ignore=shutil.ignore_patterns("*.py", "__pycache__", "lexicon", "reading", "triggers.yaml")
    )
    for path in (root / "sources").glob("*.yaml"):
        rows = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        lines = [
            f"- {{id: {r['id']}, kind: {r['kind']}, citation: {{}}, verified: {str(r['verified']).lower()}}}"
            for r in rows
        ]
        path.write_text("\n".join(lines), encoding="utf-8")
    return root


@pytest.fixture
def copy(pristine: Path, tmp_path: Path) -> Copy:
    shutil.copytree(pristine, tmp_path / "knowledge")
    return Copy(tmp_path / "knowledge")
