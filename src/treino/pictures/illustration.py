"""Pictures at a training's end: the boundary and the curves of each run that has ended."""

from collections.abc import Iterator

from treino.errors import TreinoError
from treino.loop.interrupt import ctrl_c
from treino.loop.loop import Ended, Event
from treino.pictures.picture_files import draw
from treino.records.run import Run
from treino.training.train import run_of
from treino.words import _


def illustrated(stream: Iterator[Event]) -> Iterator[Event]:
    """The same events; a run that has ended gets its pictures, and is whole without them."""
    for event in stream:
        if isinstance(event, Ended):
            with ctrl_c():
                illustrate(run_of(event.job))
        yield event


def illustrate(run: Run) -> None:
    """The pictures of a run that is sealed; it is whole without them."""
    missing: list[TreinoError] = []
    try:
        draw(run, ("boundary", "curves"), None, missing)
    except TreinoError as error:
        missing.append(error)
    run.notices += [_("A picture is missing: {why}").format(why=why) for why in missing]
