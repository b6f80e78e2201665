"""Pictures of a run: one file for each family of pictures; ``picture_files.PICTURES`` lists them all."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from traceback import walk_tb
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from treino.base.errors import Refusal, TreinoError
from treino.folders.stored_run import StoredRun
from treino.inspection.boundary import sight
from treino.inspection.input_planes import InputAxes, Split
from treino.settings.network_settings import LAYERS

NET_REFUSES_ROWS = Refusal(
    "The network fails on rows that are made up for the picture: {kind}: {error}",
    "Inputs that are numbers of words or classes can't lie in between; look at [[what=confusion]].",
)

File = tuple[str, bytes]  # name in pictures/, content


@dataclass(frozen=True)
class RunPicture:
    """An entry of PICTURES. draw: returns a run's files. files: names or patterns; default: NAME.png. After
    it is drawn, older files of a pattern are removed.

    choices: what a reader may choose, as keyword arguments of ``draw``: ``row``, ``cell``, ``every``. whole:
    shows all targets together; else it shows one of several targets, which a reader may choose too (``of``).
    every_member: shows all networks of an ensemble; else a reader may choose one (``member``).
    announcement: takes the run, the folder and the choices before anything is drawn, and returns a sentence
    on it; it refuses a disk without room.
    """

    draw: Callable[..., Iterable[File]]
    files: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    whole: bool = False
    every_member: bool = False
    announcement: Callable[..., str] | None = None


def drawn_by(module: str, function: str) -> Callable[..., Any]:
    """Return this function of a module, which is imported when it is called."""

    def draw(*args: Any, **choices: Any) -> Any:
        return getattr(import_module(module), function)(*args, **choices)

    return draw


def shown_splits(run: StoredRun) -> tuple[Split, ...]:
    """Return the splits whose rows may be shown: no test rows if the run may continue."""
    return (
        ("train", "validation", "test") if run.status in ("finished", "diverged") else ("train", "validation")
    )


Measured = TypeVar("Measured")


def once(measure: Callable[[StoredRun], Measured]) -> Callable[[StoredRun], Measured]:
    """Keep what is measured of a run for as long as the run is open: several pictures show it."""
    known: WeakKeyDictionary[StoredRun, Measured] = WeakKeyDictionary()

    @wraps(measure)
    def kept(run: StoredRun) -> Measured:
        if run not in known:
            known[run] = measure(run)
        return known[run]

    return kept


@once
def plane_of(run: StoredRun) -> InputAxes:
    """Return the plane over the inputs on which the pictures of the run's kept network are drawn."""
    return sight(run.module, run.data, item_shape=run.item_shape)


@contextmanager
def network_errors(run: StoredRun) -> Iterator[None]:
    """Explain errors of a user's network on rows made up for a picture: shuffled or interpolated."""
    try:
        yield
    except (AssertionError, IndexError, RuntimeError, TreinoError, ValueError) as failure:
        error: BaseException = failure
        if isinstance(failure, TreinoError) and failure.rule == "net_evaluation":
            error = failure.__cause__ or failure
        else:
            calls = [frame.f_code.co_name for frame, _line in walk_tb(failure.__traceback__)]
            if isinstance(failure, TreinoError) or run.spec.net in LAYERS or "_call_impl" not in calls:
                raise  # not while a module computed, but while something was drawn
        raise NET_REFUSES_ROWS(kind=type(error).__name__, error=str(error).partition("\n")[0]) from None
