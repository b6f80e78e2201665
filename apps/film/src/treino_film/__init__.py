"""Films of a run: what its network says over its inputs, from step to step, and before the first one."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_film", Path(__file__).parent / "locale")
