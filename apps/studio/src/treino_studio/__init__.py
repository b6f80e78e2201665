"""The studio: watch and steer a training in a page of a server on this machine, or of a notebook's kernel."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_studio", Path(__file__).parent / "locale")
