"""Shared by all tests: where samples made by others lie, and a cache of our own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with samples made by others; tests that need it are skipped with a reason where it is absent."""
    folder = Path(os.environ.get("SEQUELA_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the samples made by others are not on this machine (set SEQUELA_SHARED)")
    return folder
