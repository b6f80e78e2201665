"""``treino explain``: the arithmetic of one update of one weight, by topics, with its numbers and checks."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_microscope", Path(__file__).parent / "locale")
