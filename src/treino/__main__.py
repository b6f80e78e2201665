"""``python -m treino`` is ``treino``."""

from treino.cli import command

command()
