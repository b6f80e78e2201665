"""Export of runs: a plain PyTorch script, an ONNX model, a torch.export program, or weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from treino.base.words import _
from treino.folders.stored_run import NO_WEIGHTS_YET, StoredRun
from treino.folders.weights import WEIGHTS


class Exported(NamedTuple):
    """Files written by an export, and their check.

    paths: the main file first. rows: number of rows checked. apart: the largest difference from the run's
    predictions, in probability or in standard deviations of the target. Both are None if unchecked. held:
    what the files hold of the training rows.
    """

    paths: tuple[Path, ...]
    rows: int | None = None
    apart: float | None = None
    held: tuple[str, ...] = ()


def has_weights(run: StoredRun) -> bool:
    """Whether the run has kept weights; in an unsealed folder they are from before the run continued."""
    return run.folder.kind == "sweep" or (run.folder.manifest.sealed and run.folder.has(WEIGHTS))


def need_weights(run: StoredRun) -> None:
    """Refuse a run that has kept no weights.

    Raises:
        TreinoError: the run has none; the hint says how to get them.
    """
    if not has_weights(run):
        raise NO_WEIGHTS_YET(run=run.name, status=_(run.status))


def targets_of(run: StoredRun) -> Iterator[tuple[str, StoredRun, slice]]:
    """Yield for each target: a suffix for the names of its outputs, a run of that target alone, and which of
    the network's outputs belong to it."""
    several = len(run.by_target) > 1
    for one, part in zip(run.by_target, run.preparation.output_parts, strict=True):
        yield f"_{one.preparation.target}" if several else "", one, part
