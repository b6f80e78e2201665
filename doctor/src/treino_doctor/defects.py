"""The doctor's own defects: a step of an examination that raises costs its own result and no other."""

from collections.abc import Callable
from typing import TypeVar

from treino_doctor.base.errors import TreinoError

T = TypeVar("T")
S = TypeVar("S")


def attempt(defects: list[str] | None, name: str, work: Callable[[], T], otherwise: S) -> T | S:
    """The result of a step; if it raises, ``otherwise``, and the step's name and its error are a defect.

    defects: gets each defect once; None: it is raised. So is what the user can act on, as a file that can't
    be written.
    """
    try:
        return work()
    except TreinoError:
        raise
    except Exception as error:
        if defects is None:
            raise
        sentence = f"{name}: {type(error).__name__}: {error}"
        if sentence not in defects:
            defects.append(sentence)
        return otherwise


def names(defects: list[str]) -> set[str]:
    """The names of the steps that raised: rules, observers, outputs."""
    return {defect.partition(": ")[0] for defect in defects}
