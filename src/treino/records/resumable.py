"""Unfinished folders that can be resumed: runs, sweeps and studies."""

from collections.abc import Sequence
from pathlib import Path

from treino.errors import TreinoError
from treino.store import RunFolder
from treino.store.leftover import ended_before_it_began
from treino.words import _


def unfinished(path: str | Path, instead: str, resumed: Sequence[str] = ("interrupted",)) -> RunFolder:
    """The folder at ``path``, opened for reading, if it can be resumed.

    instead: what to do where it is over. resumed: the states that one goes on from. Damaged keyframes are
    passed over: ``RunFolder.unseal`` drops them.

    Raises:
        TreinoError: it is over, is being written by another process, is damaged, or ended before it began.
    """
    folder = RunFolder.open(path, verify=False)
    folder.verify(keyframes=False)
    if folder.status not in resumed:
        raise TreinoError(
            "nothing_to_resume",
            _("{run} is {status}: there is nothing to resume.").format(
                run=folder.path.name, status=_(folder.status)
            ),
            _("Wait until it is over, or stop it with Ctrl-C where it runs.")
            if folder.status == "running"
            else instead,
        )
    if not folder.has(folder.manifest.first):
        raise ended_before_it_began(folder.path)
    return folder
