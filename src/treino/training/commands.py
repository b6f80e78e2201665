"""Commands to the process that trains a run: change a hyper-parameter from a step on, or stop."""

from collections.abc import Callable
from typing import Any

from treino.engine.hyperparameters import changed_values
from treino.errors import TreinoError
from treino.records.stored_run import StoredRun
from treino.store import RunFolder
from treino.store.database import not_running


def send_setting(run: StoredRun, name: str, value: Any, step: int | None = None) -> None:
    """Ask to change a hyper-parameter from ``step`` on (default: at once). name, value: as for
    ``TrainingLoop.set``.

    Raises:
        TreinoError: an unknown name, a value out of range or that has no meaning for this network, or no
            process that trains.
    """
    _check_running(run.folder)
    settings = run.spec.resolved
    has = {
        "dropout": run.spec.net == "mlp" and bool(settings.dropout or run.spec.asked.get("dropout")),
        "ema": bool(settings.ema or run.spec.asked.get("ema")),
    }
    for each, value_P in changed_values(name, value, 1, settings.optimizer, has).items():
        run.folder.database.add_command(each, value if each == name else float(value_P[0]), step)


def send_stop(folder: RunFolder) -> None:
    """Ask for a checkpoint and the end of the training of a run, a sweep or a study.

    Raises:
        TreinoError: no process trains it.
    """
    send_command(folder, "stop")


def send_command(folder: RunFolder, name: str, value: Any = None) -> None:
    """Send any command to the process that trains a run, a sweep or a study.

    Raises:
        TreinoError: no process trains it, or it is at its end.
    """
    _check_running(folder)
    folder.database.add_command(name, value)


def deliver(send: Callable[[], None]) -> bool:
    """Send a command. Returns whether a process takes it; False: none trains, or it is at its end."""
    try:
        send()
    except TreinoError as error:
        if error.rule != "not_running":
            raise
        return False
    return True


def _check_running(folder: RunFolder) -> None:
    if (status := folder.status) != "running":
        raise not_running(folder.path, status)
