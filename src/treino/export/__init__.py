"""Export of runs: a plain PyTorch script, an ONNX model or weights; what was written and checked."""

from pathlib import Path
from typing import NamedTuple

from treino.errors import TreinoError
from treino.records.stored_run import StoredRun
from treino.records.weights import WEIGHTS
from treino.words import _


class Exported(NamedTuple):
    """paths: the files, the main one first. rows: on how many it was checked; apart: the largest difference
    of an answer to the run's, a probability or a number in deviations of the target; both None: unchecked."""

    paths: tuple[Path, ...]
    rows: int | None = None
    apart: float | None = None


def has_weights(run: StoredRun) -> bool:
    """Whether it has kept any; those in a folder that is not sealed are of before it went on."""
    return run.folder.kind == "sweep" or (run.folder.manifest.sealed and run.folder.has(WEIGHTS))


def need_weights(run: StoredRun) -> None:
    """Refuse a run that has kept no weights.

    Raises:
        TreinoError: with how to come by them.
    """
    if not has_weights(run):
        raise TreinoError(
            "no_weights_yet",
            _("{run} is {status} and has kept no weights yet.").format(run=run.name, status=_(run.status)),
            _("Wait until it is over.")
            if run.status == "running"
            else _("Go on with: treino resume {path}").format(path=run.path),
        )
