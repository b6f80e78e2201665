"""The trials of anybody's search of settings: files of other tools, and how much of the best is luck."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_judge", Path(__file__).parent / "locale")
