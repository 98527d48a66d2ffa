"""How a command ends when it cannot do what was asked: one line per problem on standard error."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer


def fail(*lines: str, code: int) -> NoReturn:
    """Exit with the code: 1 nothing could be read, 2 wrong usage."""
    for line in lines:
        print(f"sequela: {line}", file=sys.stderr)
    raise typer.Exit(code)
