"""What a training asks of a cluster: to run functions in its processes, each with one processor or more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class SharedValue:
    """A value that lies in the cluster once, as an argument of many tasks. size: in bytes, of its pickle.

    place: where a cluster finds it.
    """

    key: str
    size: int
    place: Any


@dataclass(frozen=True, eq=False)
class TaskEnd:
    """A task's result. ticket: as ``submit`` gave it. seconds: that it took where it ran.

    processor: the kind that it ran on, such as ``x86_64 AMD EPYC 7B13, AVX2``.
    """

    ticket: int
    value: Any
    seconds: float
    processor: str


class Cluster(Protocol):
    """gpus: whether every task has a GPU."""

    gpus: bool

    @property
    def slots(self) -> int:
        """How many tasks run at the same time, if nobody else uses the cluster."""

    def share(self, value: Any) -> SharedValue:
        """Lay a value into the cluster, once for all tasks.

        Raises:
            TreinoError: it is too large.
        """

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        shared: Sequence[SharedValue] = (),
        name: str,
        processors: int = 1,
    ) -> int:
        """Have ``function(*arguments, *shared)`` run; the shared ones arrive as their values.

        function: of a module of treino's, and without effect beside its result: where its process is lost it
        is run again. name: what the cluster's dashboard shows.
        """

    def ended(self, seconds: float) -> list[TaskEnd]:
        """The tasks that have ended since; where none has, wait for the first, at most for so long.

        Raises:
            TreinoError: of a task; or a process has another version of treino, torch or Python.
        """

    def cancel(self) -> None:
        """End all tasks that run or wait; nothing is heard of them any more."""
