"""Loss landscapes: around a run's network, along its path, and between two runs."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_landscape", Path(__file__).parent / "locale")
