"""The command ``stop``, which any process can send to a training of many networks through its folder."""

from treino.store import RunFolder


def stop_sent(folder: RunFolder) -> bool:
    """Whether somebody has asked for the end since the last look; other commands are refused.

    folder: of the training in this process.
    """
    found = folder.database.poll_commands()
    for command in found:
        folder.database.mark_command(command.id, "applied" if command.name == "stop" else "refused")
    return any(command.name == "stop" for command in found)
