"""The JSON documents in the folder of a run, sweep or study, with the type and range of every value.

Every document is read and checked through this package: a SHA-256 shows that a file is intact, but not who
wrote it.
"""

from treino.folders.documents.reading import (
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
    read_verification,
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
    "read_verification",
]
