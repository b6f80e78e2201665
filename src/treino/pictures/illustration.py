"""The pictures that are drawn at the end of every training: decision boundary and learning curves."""

from collections.abc import Iterator

from treino.errors import TreinoError
from treino.loop import JobEnd, JobEvent, ctrl_c
from treino.pictures.picture_files import draw
from treino.records.stored_run import StoredRun
from treino.training.train import run_of
from treino.words import _


def illustrated(stream: Iterator[JobEvent]) -> Iterator[JobEvent]:
    """The same events; a run that has ended gets its pictures, and is whole without them."""
    for event in stream:
        if isinstance(event, JobEnd):
            with ctrl_c():
                illustrate(run_of(event.job))
        yield event


def illustrate(run: StoredRun) -> None:
    """The pictures of a run that is sealed. One that fails, for whatever reason, is a notice of the run."""
    missing: list[str] = []
    for name in ("boundary", "curves"):
        refused: list[TreinoError] = []
        try:
            draw(run, (name,), None, refused)
        except TreinoError as error:
            refused.append(error)
        except Exception as error:  # a defect, or a broken installation: the training is done and kept
            missing.append(f"{name}: {type(error).__name__}: {error}")
        missing += map(str, refused)
    run.folder.notices += [_("A picture is missing: {why}").format(why=why) for why in dict.fromkeys(missing)]
