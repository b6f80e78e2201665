"""A Ray cluster: processes on other machines that run tasks."""

import importlib.util
import itertools
import logging
import os
import pickle
import socket
import sys
import tempfile
import time
import traceback
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal, TreinoError, cause
from treino.base.machine import cpu_cores
from treino.base.text import whole_number
from treino.folders import versions
from treino.settings import ClusterOptions
from treino.training import processor_kind

CLUSTER_UNREACHABLE = Refusal(
    "The cluster {address} can't be reached: {why}",
    "Is it running, and open to this machine? If it asks for a token, set RAY_AUTH_MODE=token.",
)
ON_UNKNOWN = Refusal(
    "{on!r} names no cluster.", "Use [[on=ray]], or the address of a cluster: [[on=ray://HOST:10001]]."
)
RAY_MISSING = Refusal("Ray is not installed.", "Install it: pip install 'treino[ray]'.")
CLUSTER_START = Refusal(
    "Ray can't start on this machine: {why}",
    "Its logs say more: {folder}. Without [[on=ray]] this process trains the same networks.",
    status=1,
)
CLUSTER_VERSION = Refusal(
    "The cluster runs another version of Python or Ray: {why}",
    "Use the cluster's versions here, in an environment of their own.",
)
DATA_TOO_LARGE_FOR_CLUSTER = Refusal(
    "The rows take {need:.2f} GB, and the object store of {host} holds {room:.2f} GB.",
    "Start its nodes with a larger object-store-memory (see: ray start), or use fewer rows.",
)
WORKER_VERSION = Refusal(
    "A process of the cluster has {package} {theirs}, and here is {mine} ({where}).",
    "Install the same on all: pip install {package}=={version}",
)
CLUSTER_FULL = Refusal(
    "The cluster has {n:g} {kind}, {free:g} of them free; a chunk needs {need:g}.",
    "Wait until others end there, or add nodes. Its own word: ray status",
)
WORKER_LOST = Refusal(
    "The process of {name!r} ended {n} times: {why}",
    "Is there enough memory? Fewer networks, or smaller ones, need less.",
    status=1,
)
WORKER_WITHOUT_TREINO = Refusal(
    "{host} of the cluster can't run treino: {why}",
    "Install the same on all: pip install {package}=={version}",
)

# ---- what is sent to a cluster, and what comes back


@dataclass(frozen=True)
class SharedValue:
    """A value stored once in the cluster, as an argument of many tasks. size: bytes of its pickle.

    place: the cluster's reference to the value.
    """

    key: str
    size: int
    place: Any


@dataclass(frozen=True, eq=False)
class TaskEnd:
    """A task's result. ticket: returned by ``submit``. seconds: the task's duration. processor: the kind of
    processor that ran it."""

    ticket: int
    value: Any
    seconds: float
    processor: str


# ---- a task in a cluster's process

CACHE_BYTES = 1_000_000_000  # maximum bytes of shared values in a process; the oldest are dropped

_cache: dict[str, tuple[int, Any]] = {}


@dataclass(frozen=True, eq=False)
class TaskReport:
    """A task's result. content: the pickled value (bytes pass Ray in a third of the time of tensors); empty
    if versions differ and the task didn't run."""

    content: bytes
    seconds: float
    processor: str
    versions: dict[str, str]


def run_task(expected: dict[str, str], call: bytes, shared: Sequence[SharedValue] = ()) -> TaskReport:
    """Run a function if this process has the versions that the caller expects. call: the pickled function and
    arguments; the shared values are further arguments."""
    mine, content, begin = versions(), b"", time.perf_counter()
    if mine == expected:
        function, arguments = pickle.loads(call)
        arguments = [*arguments, *map(_value, shared)]
        begin = time.perf_counter()
        content = pickle.dumps(function(*arguments), protocol=5)
    return TaskReport(content, time.perf_counter() - begin, processor_kind(), mine)


def packed(function: Callable[..., Any], *arguments: Any) -> bytes:
    """The pickled ``call`` for ``run_task``."""
    return pickle.dumps((function, arguments), protocol=5)


def nothing(*loaded: Any) -> None:
    """A task without work, to report on its process and to load its arguments' modules."""


def _value(shared: SharedValue) -> Any:
    if shared.key not in _cache:
        import ray

        while _cache and sum(size for size, _value in _cache.values()) + shared.size > CACHE_BYTES:
            del _cache[next(iter(_cache))]
        _cache[shared.key] = shared.size, pickle.loads(ray.get(shared.place))
    return _cache[shared.key][1]


# ---- Ray

FREE_SECONDS = 10.0  # longest wait for a free processor at the start
PROBE_SECONDS = 60.0  # longest wait for nodes to report versions; late nodes report with each task
REACH_SECONDS = 5.0
MOST_LOST = 25  # maximum number of lost processes of a task, before it is given up
CLIENT = "ray://"


@contextmanager
def open_cluster(place: ClusterOptions) -> Iterator["Cluster"]:
    """Within the block, connect to the cluster that ``place`` names.

    Raises:
        TreinoError: Ray is not installed; the cluster can't be reached, or not from this Python; it has no
            free processor or GPU, or other versions of treino or torch.
    """
    assert place.on is not None
    host, colon, port = place.on.removeprefix(CLIENT).rpartition(":")
    if place.on != "ray" and not (place.on.startswith(CLIENT) and host and colon and whole_number(port)):
        raise ON_UNKNOWN(on=place.on)
    spec = importlib.util.find_spec("ray")
    if spec is None or spec.origin is None:  # spec.origin None: only a folder of that name
        raise RAY_MISSING()
    with ExitStack() as closing:
        begun = _connect(place.on)
        cluster = Cluster(place.gpus_per_chunk or 0)
        if begun:
            closing.callback(cluster.ray.shutdown)
        closing.callback(cluster.cancel)
        cluster.await_processor()
        cluster.probe()
        yield cluster


def _connect(on: str) -> bool:
    """Connect to Ray; return whether the connection is new, and must be closed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    address = on if on.startswith(CLIENT) else os.environ.get("RAY_ADDRESS") or "auto"
    options: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    here: dict[str, Any] = {"num_cpus": cpu_cores(), "include_dashboard": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the errors below say the same
            import ray

            if ray.is_initialized():
                return False
            if address not in ("auto", "local"):
                _reach(address)
            if address != "local":
                try:
                    ray.init(address=address, **options)
                    return True
                except ConnectionError:
                    if address != "auto":
                        raise
            address = "local"
            ray.init(address=address, **here, **options)
    except TreinoError:
        raise
    except BaseException as error:  # Ctrl-C, too
        _end_begun(error)
        if isinstance(error, Exception):  # of any kind: Ray's timeout is a bare one
            raise _failure(on if address == "auto" else address, error) from error
        raise
    return True


def _end_begun(error: BaseException) -> None:
    """End the servers that Ray had begun in this process when it raised this; it forgets a node that it could
    not complete, whose object is still in the traceback.
    """
    with suppress(Exception):
        sys.modules["ray"].shutdown()
    for frame, _line in traceback.walk_tb(error.__traceback__):
        node: Any = frame.f_locals.get("self")
        if hasattr(type(node), "kill_all_processes"):
            with suppress(Exception):
                node.kill_all_processes(check_alive=False, allow_graceful=True)


def _failure(address: str, error: Exception) -> TreinoError:
    """The message for an error that Ray raised when it connected or, with the address ``local``, started."""
    if address == "local":
        temporary = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
        return CLUSTER_START(why=cause(error), folder=Path(temporary, "ray/session_latest/logs"))
    if "ersion" in str(error):
        return CLUSTER_VERSION(why=" ".join(str(error).split()))
    return CLUSTER_UNREACHABLE(address=address, why=cause(error))


def _reach(address: str) -> None:
    """Refuse an address that doesn't respond; Ray would try for minutes."""
    host, _colon, port = address.removeprefix(CLIENT).rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
    except (OSError, ValueError) as error:
        raise CLUSTER_UNREACHABLE(address=address, why=cause(error)) from error


@dataclass
class Order:
    """A task submitted to Ray. lost: how often its process was lost."""

    ticket: int
    call: bytes
    shared: Sequence[SharedValue]
    name: str
    processors: int
    lost: int = 0


class Cluster:
    """The cluster that this process is connected to, which runs tasks.

    gpus_per_chunk: GPUs per task. gpus: whether every task has one. lost: the number of times that tasks ran
    again after losing their process.
    """

    def __init__(self, gpus_per_chunk: float) -> None:
        import ray

        self.ray, self.gpus_per_chunk, self.gpus = ray, gpus_per_chunk, gpus_per_chunk > 0
        self.lost = 0
        self._run: Any = ray.remote(run_task)
        self._expected = versions()
        self._tickets = itertools.count()
        self._orders: dict[Any, Order] = {}

    @property
    def slots(self) -> int:
        """The number of tasks that run at the same time if nobody else uses the cluster."""
        resources = self.ray.cluster_resources()
        return max(
            1, int(resources.get("GPU", 0) / self.gpus_per_chunk if self.gpus else resources.get("CPU", 0))
        )

    def share(self, value: Any) -> SharedValue:
        """Store a value in the cluster, once for all tasks.

        Raises:
            TreinoError: the value is too large.
        """
        import numpy as np

        content = pickle.dumps(value, protocol=5)
        nodes = [node for node in self.ray.nodes() if node["Alive"]]
        room = {n["NodeManagerHostname"]: n["Resources"].get("object_store_memory", 0) for n in nodes}
        host = min(room, key=lambda name: room[name])
        if len(content) > room[host]:
            raise DATA_TOO_LARGE_FOR_CLUSTER(need=len(content) / 1e9, host=host, room=room[host] / 1e9)
        place = self.ray.put(np.frombuffer(content, dtype=np.uint8))
        return SharedValue(uuid.uuid4().hex, len(content), place)

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        shared: Sequence[SharedValue] = (),
        name: str,
        processors: int = 1,
    ) -> int:
        """Submit ``function(*arguments, *shared)``, called with the shared values; return the task's ticket.

        function: from a module of treino, without side effects: it runs again if its process is lost. name:
        the task's name on the cluster's dashboard.
        """
        order = Order(next(self._tickets), packed(function, *arguments), shared, name, processors)
        self._begin(order)
        return order.ticket

    def _begin(self, order: Order) -> None:
        count = order.processors
        if count > 1:  # a task that needs more than the largest node has would wait for ever
            there = (int(n["Resources"].get("CPU", 0)) for n in self.ray.nodes() if n["Alive"])
            count = min(count, max([1, *there]))
        options: dict[str, Any] = {"num_cpus": count, "max_retries": 0, "name": order.name}
        if self.gpus:
            options["num_gpus"] = self.gpus_per_chunk
        task = self._run.options(**options)
        self._orders[task.remote(self._expected, order.call, order.shared)] = order

    def ended(self, seconds: float) -> list[TaskEnd]:
        """The tasks that have ended since the last call; if none, wait for one, at most ``seconds``.

        Raises:
            TreinoError: raised by a task; or a process has another version of treino, torch or Python.
        """
        if not self._orders:
            return []
        ready, waiting = self.ray.wait(list(self._orders), num_returns=1, timeout=seconds)
        if ready and waiting:
            ready += self.ray.wait(waiting, num_returns=len(waiting), timeout=0)[0]
        ends = []
        for reference in ready:
            order = self._orders.pop(reference)
            report = self._report(reference, order)
            if report is not None:
                value = pickle.loads(report.content)
                ends.append(TaskEnd(order.ticket, value, report.seconds, report.processor))
        return ends

    def _report(self, reference: Any, order: Order) -> TaskReport | None:
        """The report of a task; None if its process was lost and the task runs again."""
        errors = self.ray.exceptions
        try:
            report: TaskReport = self.ray.get(reference)
        except errors.RayTaskError as error:
            raise error.cause from None
        except errors.RayError as error:  # a process, a node or a result is gone
            order.lost += 1
            self.lost += 1
            logging.getLogger("treino").warning("%s: its process was lost, it runs again", order.name)
            if order.lost > MOST_LOST:
                raise WORKER_LOST(name=order.name, n=order.lost, why=cause(error)) from None
            self._begin(order)
            return None
        self._refuse_versions(report, order.name)
        return report

    def _refuse_versions(self, report: TaskReport, where: str) -> None:
        for package, version in self._expected.items():
            if report.versions.get(package) != version:
                raise WORKER_VERSION(
                    package=package,
                    theirs=report.versions.get(package),
                    mine=version,
                    where=where,
                    version=version,
                )

    def cancel(self) -> None:
        """End all tasks that run or wait; their results are discarded."""
        for reference in self._orders:
            self.ray.cancel(reference, force=True)
        if self._orders:
            self.ray.wait(list(self._orders), num_returns=len(self._orders), timeout=REACH_SECONDS)
        self._orders.clear()

    # ---- the start

    def await_processor(self) -> None:
        """Wait a little for a free processor.

        Raises:
            TreinoError: no processor became free.
        """
        kind, need = ("GPU", self.gpus_per_chunk) if self.gpus else ("CPU", 1)
        begin = time.monotonic()
        while (free := self.ray.available_resources().get(kind, 0)) < need:
            has = self.ray.cluster_resources().get(kind, 0)
            if time.monotonic() - begin > FREE_SECONDS or has < need:
                raise CLUSTER_FULL(n=has, kind=kind, free=free, need=need)
            time.sleep(0.1)

    def probe(self) -> None:
        """Check the versions of every node.

        Raises:
            TreinoError: a node has other versions, or no treino.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        hosts = {}
        for node in self.ray.nodes():
            if node["Alive"] and node["Resources"].get("CPU", 0) > 0:
                at = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                task = self._run.options(num_cpus=0, scheduling_strategy=at, name="treino: versions")
                hosts[task.remote(self._expected, packed(nothing))] = node["NodeManagerHostname"]
        ready, _silent = self.ray.wait(list(hosts), num_returns=len(hosts), timeout=PROBE_SECONDS)
        for reference in ready:
            try:
                report = self.ray.get(reference)
            except self.ray.exceptions.RayTaskError as error:
                raise WORKER_WITHOUT_TREINO(
                    host=hosts[reference],
                    why=cause(error.cause),
                    package="treino",
                    version=self._expected["treino"],
                ) from None
            except self.ray.exceptions.RayError:
                continue  # the node is gone
            self._refuse_versions(report, hosts[reference])
