"""``treino judge``: reads the trials of any tool's search, and says how much of the best score is luck."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_judge", Path(__file__).parent / "locale")
