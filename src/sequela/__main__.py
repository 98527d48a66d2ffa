"""`python -m sequela`: the same as the command `sequela`."""

from sequela.cli import main

main()
