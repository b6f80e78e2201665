"""Notes of failures after a training (pictures, intervals …), which must not lose the training."""

from collections.abc import Callable
from typing import TypeVar

from treino.errors import TreinoError, cause
from treino.words import _

T = TypeVar("T")


def try_or_note(notes: list[str], what: str, hint: str, work: Callable[[], T]) -> T | None:
    """The result of ``work``; None where it fails, and a sentence more in ``notes``.

    what: what it does, to begin the sentence with. hint: what to type or to know then.

    Raises:
        TreinoError, OSError: the machine fails, which ends everything.
    """
    try:
        return work()
    except OSError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, TreinoError) and error.status == 1:
            raise
        note = _("{what} failed: {why} The training is kept all the same. {hint}").format(
            what=what, why=_reason(error), hint=hint
        )
        if note not in notes:
            notes.append(note)
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, TreinoError):
        return error.message
    return f"{cause(error).rstrip(': .')}."
