"""``python -m treino_doctor`` is ``treino-doctor``."""

from treino_doctor.command import program

program()
