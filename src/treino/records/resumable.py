"""What broke off and can be gone on with: a run, a sweep or a study."""

from collections.abc import Sequence
from pathlib import Path

from treino.errors import TreinoError
from treino.store import RunFolder
from treino.words import _


def unfinished(
    path: str | Path, first: str, instead: str, resumed: Sequence[str] = ("interrupted",)
) -> RunFolder:
    """The folder at ``path``, for reading, if there is something to go on with.

    first: the file without which nothing had begun. instead: what to do where it is over. resumed: the states
    that one goes on from.

    Raises:
        TreinoError: it is over, is being written by another process, is damaged, or ended before it began.
    """
    folder = RunFolder.open(path)
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
    if not folder.has(first):
        raise TreinoError(
            "ended_before_it_began",
            _("{run} ended before its settings were written.").format(run=folder.path.name),
            _("Delete the folder and start again."),
        )
    return folder
