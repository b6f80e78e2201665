"""The text that ``treino show`` prints: of a run, a network of a sweep, a sweep or a study."""

from rich.console import Group, RenderableType

from treino.cli.run_view import run_summary
from treino.cli.sweep_view import member_summary, status_line, study_summary, sweep_summary
from treino.folders import Stored
from treino.tuning.stored_study import StoredStudy
from treino.tuning.stored_sweep import StoredSweep


def summary(found: Stored, width: int) -> RenderableType:
    """The summary by its kind. width: letters in a line of the terminal."""
    if isinstance(found, StoredStudy):
        if (result := found.result) is None:
            return status_line(found.path, found.status)
        return Group(study_summary(result, width), *found.folder.notices)
    if isinstance(found, StoredSweep):
        return Group(sweep_summary(found), *found.folder.notices)
    if found.row is not None:
        return Group(member_summary(found.document), *found.folder.notices)
    return run_summary(found)
