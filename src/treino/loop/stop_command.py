"""Commands that any process sends, through a folder, to the training of many networks there."""

from collections.abc import Callable

from treino.store import RunFolder
from treino.store.database import Command


def stop_sent(folder: RunFolder, obey: Callable[[Command], bool] = lambda _command: False) -> bool:
    """Whether somebody has asked for the end since the last look.

    folder: of the training in this process. obey: does what another command asks for; False: it is refused.
    """
    stop = False
    for command in folder.database.poll_commands():
        stops = command.name == "stop"
        folder.database.mark_command(command.id, "applied" if stops or obey(command) else "refused")
        stop |= stops
    return stop
