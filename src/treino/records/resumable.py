"""Which runs, sweeps and studies can be resumed, and what is said of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from treino.errors import TreinoError
from treino.store import RunFolder
from treino.store.new_names import ended_before_it_began
from treino.words import N_, _


@dataclass(frozen=True)
class ResumeRule:
    """What one kind of folder is resumed from.

    states: a run that is stopped was asked to stop; a sweep is stopped when its time is over. hint: what to
    do where there is nothing to go on with.
    """

    states: tuple[str, ...]
    hint: str


RULES = {
    "run": ResumeRule(("interrupted", "stopped"), N_("Train a new run, e.g. with more [[epochs]].")),
    "sweep": ResumeRule(
        ("interrupted",), N_("Give it more networks with [[more=64]], or start a new sweep.")
    ),
    "study": ResumeRule(("interrupted",), N_("Start a new study, e.g. with more [[epochs]].")),
}


def unfinished(path: str | Path, also: Sequence[str] = ()) -> RunFolder:
    """The folder at ``path``, opened for reading, if it can be resumed. also: further states in which it can.

    Damaged keyframes are passed over: ``RunFolder.unseal`` drops them.

    Raises:
        TreinoError: it is over, is being written by another process, is damaged, or ended before it began.
    """
    folder = RunFolder.open(path, verify=False)
    if not (folder.manifest.sealed or folder.status == "running" or folder.has(folder.manifest.first)):
        raise ended_before_it_began(folder.path)
    folder.verify(resume=True)
    rule = RULES[folder.kind]
    if folder.status not in (*rule.states, *also):
        raise TreinoError(
            "nothing_to_resume",
            _("{run} is {status}: there is nothing to resume.").format(
                run=folder.path.name, status=_(folder.status)
            ),
            _("Wait until it is over, or stop it with Ctrl-C where it runs.")
            if folder.status == "running"
            else _(rule.hint),
        )
    return folder
