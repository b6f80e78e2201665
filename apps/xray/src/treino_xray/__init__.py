"""The x-ray of rows: which labels may be wrong, and which training rows made a prediction."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_xray", Path(__file__).parent / "locale")
