"""The JSON documents in a run's, sweep's or study's folder: the type and range of every value.

One file for each document. All reading of folders goes through here: a SHA-256 shows that a file is intact,
but not who wrote it.
"""

from treino.documents.reading import (
    check,
    read_checkpoint,
    read_document,
    read_preparation,
    read_run_result,
    read_run_spec,
    read_spec,
    read_study_result,
    read_study_spec,
    read_sweep_result,
    read_sweep_spec,
    read_tensors,
)

__all__ = [
    "check",
    "read_checkpoint",
    "read_document",
    "read_preparation",
    "read_run_result",
    "read_run_spec",
    "read_spec",
    "read_study_result",
    "read_study_spec",
    "read_sweep_result",
    "read_sweep_spec",
    "read_tensors",
]
