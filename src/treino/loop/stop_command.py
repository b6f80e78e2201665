"""Commands of other processes, sent through the folder, to a training of many networks."""

from collections.abc import Callable

from treino.store import RunFolder
from treino.store.database import Command


def stop_sent(folder: RunFolder, obey: Callable[[Command], bool] = lambda _command: False) -> bool:
    """Whether a command asked to stop since the last call.

    folder: of the training in this process. obey: executes any other command; returns False to refuse it.
    """
    stop = False
    for command in folder.database.poll_commands():
        stops = command.name == "stop"
        folder.database.mark_command(command.id, "applied" if stops or obey(command) else "refused")
        stop |= stops
    return stop
