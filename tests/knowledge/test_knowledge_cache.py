"""A warm start parses no YAML; a stale, damaged or foreign cache is rebuilt; versions follow the content."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.knowledge.conftest import Copy

from sequela.knowledge import load, loader, sources
from sequela.knowledge.model import Knowledge

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def no_yaml(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, parsing YAML is an error."""

    class Forbidden:
        def __init__(self, *_: object) -> None:
            raise AssertionError("YAML was parsed")

    return lambda: monkeypatch.setattr(yaml, "CSafeLoader", Forbidden)


def _again(root: Path) -> Knowledge:
    loader.forget()
    return load(root)


def test_a_process_loads_once(copy: Copy) -> None:
    assert load(copy.root) is load(copy.root)


def test_a_warm_start_parses_no_yaml_and_gives_the_same(copy: Copy, no_yaml: Callable[[], None]) -> None:
    first, rows = load(copy.root), sources(copy.root)
    no_yaml()
    assert _again(copy.root) == first
    assert sources(copy.root) == rows


def test_a_warm_start_does_not_even_import_the_parser() -> None:
    import subprocess

    script = "import sys; from sequela.knowledge import load; load(); print('yaml' in sys.modules)"
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=_env())
        for _ in "12"
    ]
    assert [run.stdout.strip() for run in runs] == ["True", "False"]


def _env() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(loader.HERE.parents[1])}


def test_a_change_of_content_is_seen_and_changes_the_version(copy: Copy) -> None:
    before = load(copy.root)
    copy.edit("causes.yaml", "A worn disc hurts.", "A worn disc can hurt.")
    after = _again(copy.root)
    assert after.version != before.version
    assert next(c.plain for c in after.causes if c.plain.startswith("A worn disc")) == "A worn disc can hurt."


def test_a_new_date_alone_changes_nothing_but_the_cache(copy: Copy) -> None:
    before = load(copy.root)
    os.utime(copy.root / "causes.yaml", ns=(1, 1))
    assert _again(copy.root) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:20],
        lambda data: data[:-100],
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda data: b"\x00" * len(data),
    ],
    ids=["empty", "no header", "cut off", "one bit", "zeros"],
)
def test_a_damaged_cache_is_rebuilt(damage: Callable[[bytes], bytes], copy: Copy, own_cache: Path) -> None:
    first = load(copy.root)
    (file,) = own_cache.glob("knowledge-*")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert _again(copy.root) == first
    assert file.read_bytes() == whole


def test_a_cache_that_does_not_fit_the_types_is_rebuilt(copy: Copy) -> None:
    first = load(copy.root)
    cache = loader._cache(copy.root)
    cache.put("knowledge", b"\x93\x01\x02\x03")
    assert cache.get("knowledge", Knowledge) is None
    assert _again(copy.root) == first


def test_nothing_half_written_is_left_behind(copy: Copy, own_cache: Path) -> None:
    load(copy.root)
    assert sorted(path.name.split("-")[0] for path in own_cache.iterdir()) == ["knowledge", "sources"]


def test_a_place_that_cannot_be_written_falls_back(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_yaml: Callable[[], None]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    first = load(copy.root)
    assert list((tmp_path / "temporary").glob("sequela-*/knowledge-*"))
    no_yaml()
    assert _again(copy.root) == first


def test_without_any_place_it_still_loads(copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("sequela.knowledge.cache._folders", lambda: iter([tmp_path / "file" / "sequela"]))
    assert load(copy.root).causes


def test_a_folder_open_to_others_is_not_trusted(copy: Copy, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sequela.knowledge.cache._folders", lambda: iter([own_cache]))
    load(copy.root)
    own_cache.chmod(0o777)
    assert loader._cache(copy.root).get("knowledge", Knowledge) is None


def test_broken_knowledge_is_never_cached(copy: Copy, own_cache: Path) -> None:
    copy.edit("manifestations.yaml", "  leak: 0.02\n", "  leak: 1.04\n")
    with pytest.raises(Exception, match=r"1\.04"):
        load(copy.root)
    assert not own_cache.exists()
