"""``treino serve`` and ``treino export --format service``: a run as a web service that needs no treino."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_service", Path(__file__).parent / "locale")
