"""Pictures of a run: a file for each family of pictures, each with its own table PICTURES."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from treino.errors import TreinoError
from treino.records.stored_run import StoredRun
from treino.words import _

File = tuple[str, bytes]  # its name in pictures/, its content


@dataclass(frozen=True)
class RunPicture:
    """An entry of PICTURES. draw(run) -> its files. files: their names, patterns too; default: NAME.png."""

    draw: Callable[[StoredRun], Iterable[File]]
    files: tuple[str, ...] = ()


@contextmanager
def network_errors(run: StoredRun) -> Iterator[None]:
    """A network of one's own may fail on rows that nobody has: shuffled, or in between."""
    try:
        yield
    except (AssertionError, IndexError, RuntimeError, TreinoError, ValueError) as failure:
        error: BaseException = failure
        if isinstance(failure, TreinoError) and failure.rule == "net_evaluation":
            error = failure.__cause__ or failure
        elif isinstance(failure, TreinoError) or run.spec.net == "mlp":
            raise
        raise TreinoError(
            "net_refuses_rows",
            _("The network fails on rows that are made up for the picture: {kind}: {error}").format(
                kind=type(error).__name__, error=str(error).partition("\n")[0]
            ),
            _(
                "Inputs that are numbers of words or classes can't lie in between; look at "
                "[[what=confusion]]."
            ),
        ) from None
