"""The command line: thin doors onto the library."""

from sequela.cli.app import main

__all__ = ["main"]
