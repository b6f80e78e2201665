"""The text that ``treino show`` prints: of a run, a network of a sweep, a sweep or a study."""

from rich.console import Group, RenderableType

from treino.cli.run_view import run_summary
from treino.cli.sweep_view import member_summary, status_line, study_summary, sweep_summary
from treino.training.stored_results import Stored, StoredStudy, StoredSweep


def summary(stored: Stored, width: int) -> RenderableType:
    """The summary of a run, sweep, study or network. width: columns of the terminal."""
    if isinstance(stored, StoredStudy):
        if (result := stored.result) is None:
            return status_line(stored.path, stored.status)
        return Group(study_summary(result, width), *stored.folder.notices)
    if isinstance(stored, StoredSweep):
        return Group(sweep_summary(stored), *stored.folder.notices)
    if stored.row is not None:
        return Group(member_summary(stored.document), *stored.folder.notices)
    return run_summary(stored)
