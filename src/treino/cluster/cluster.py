"""The interface of a cluster, which runs functions in its processes, each with one processor or more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class SharedValue:
    """A value stored once in the cluster, as an argument of many tasks. size: of its pickle, in bytes.

    place: the cluster's own reference to it.
    """

    key: str
    size: int
    place: Any


@dataclass(frozen=True, eq=False)
class TaskEnd:
    """A task's result. ticket: returned by ``submit``. seconds: its duration where it ran.

    processor: the kind of processor it ran on, such as ``x86_64 AMD EPYC 7B13, AVX2``.
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
        """Store a value in the cluster, once for all tasks.

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

        function: from a module of treino, without side effects: it runs again if its process is lost.
        name: its name on the cluster's dashboard.
        """

    def ended(self, seconds: float) -> list[TaskEnd]:
        """The tasks that have ended since the last call; if none has, wait for one, at most so many seconds.

        Raises:
            TreinoError: a task raised it; or a process has another version of treino, torch or Python.
        """

    def cancel(self) -> None:
        """End all tasks that run or wait; their results are discarded."""
