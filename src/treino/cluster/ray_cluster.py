"""A cluster that Ray runs: a local one is started where there is none."""

import importlib.util
import itertools
import logging
import os
import pickle
import socket
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from treino.cluster.cluster import Cluster, SharedValue, TaskEnd
from treino.cluster.ray_task import TaskReport, nothing, packed, run_task
from treino.engine.torch_context import cpu_cores
from treino.errors import TreinoError, cause
from treino.records.versions import versions
from treino.words import _

FREE_SECONDS = 10.0  # that a cluster may have no free processor
PROBE_SECONDS = 60.0  # until every node has told its versions; those that have not are asked with each task
LOAD_SECONDS = 15.0
REACH_SECONDS = 5.0
GONE_SECONDS = 120.0  # that a cluster may be without any processor in the middle
MOST_LOADED = 256
MOST_LOST = 25  # times that a task's process may end
CLIENT = "ray://"


@contextmanager
def open_cluster(
    on: str | None, gpus_per_chunk: float | None = None, *functions: Callable[..., Any]
) -> Iterator[Cluster | None]:
    """The cluster that ``on`` names, connected to inside; None: no cluster is asked for.

    on: ``ray`` for the one of ``RAY_ADDRESS``, or of this machine, which is started if there is none; or
    ``ray://HOST:PORT``. gpus_per_chunk: GPUs of each task. functions: that will run there.

    Raises:
        TreinoError: Ray is not installed; it can't be reached, or not from this Python; it has no free
            processor or no GPU; other versions of treino or torch.
    """
    if on is None:
        if gpus_per_chunk is not None:
            raise TreinoError(
                "gpus_without_cluster",
                _("A chunk's GPUs are a cluster's, and no cluster is named."),
                _("Add [[on=ray]], or leave them out: [[device=cuda]] trains on this machine's."),
            )
        yield None
        return
    _check(on, gpus_per_chunk)
    begun = _connect(on)
    try:
        cluster = RayCluster(gpus_per_chunk or 0)
        cluster.await_processor()
        cluster.probe()
        cluster.load(functions)
        try:
            yield cluster
        finally:
            cluster.cancel()
    finally:
        if begun:
            import ray

            ray.shutdown()


def _check(on: str, gpus_per_chunk: float | None) -> None:
    """Refuse what can't be meant, before anything is begun."""
    host, colon, port = on.removeprefix(CLIENT).rpartition(":")
    if on != "ray" and not (on.startswith(CLIENT) and host and colon and port.isdigit()):
        raise TreinoError(
            "on_unknown",
            _("{on!r} names no cluster.").format(on=on),
            _("Use [[on=ray]], or the address of a cluster: [[on=ray://HOST:10001]]."),
        )
    if gpus_per_chunk is not None and not gpus_per_chunk > 0:
        raise TreinoError(
            "gpus_per_chunk_range",
            _("A chunk can't have {n:g} GPUs.").format(n=gpus_per_chunk),
            _("Use 1, a share such as 0.5, or leave it out."),
        )
    found = importlib.util.find_spec("ray")
    if found is None or found.origin is None:  # a folder of that name is no package
        raise TreinoError(
            "ray_missing", _("Ray is not installed."), _("Install it: pip install 'treino[ray]'.")
        )


def _connect(on: str) -> bool:
    """-> whether the connection was made here, and is to be closed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        return False
    address = on if on.startswith(CLIENT) else os.environ.get("RAY_ADDRESS")
    options: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is said below
            if address and address not in ("auto", "local"):
                _reach(address)
                ray.init(address=address, **options)
                return True
            try:
                if address == "local":
                    raise ConnectionError
                ray.init(address="auto", **options)
            except ConnectionError:
                ray.init(address="local", num_cpus=cpu_cores(), include_dashboard=False, **options)
    except (RuntimeError, ConnectionError, OSError, ValueError) as error:
        if "ersion" in str(error):
            raise TreinoError(
                "cluster_version",
                _("The cluster runs another version of Python or Ray: {why}").format(
                    why=" ".join(str(error).split())
                ),
                _("Use the cluster's versions here, in an environment of their own."),
            ) from error
        raise _unreachable(address or on, cause(error)) from error
    return True


def _reach(address: str) -> None:
    """Refuse an address where nobody answers, before Ray tries for minutes."""
    host, _colon, port = address.removeprefix(CLIENT).rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
    except (OSError, ValueError) as error:
        raise _unreachable(address, cause(error)) from error


def _unreachable(address: str, why: str) -> TreinoError:
    return TreinoError(
        "cluster_unreachable",
        _("The cluster {address} can't be reached: {why}").format(address=address, why=why),
        _("Is it running, and open to this machine? If it asks for a token, set RAY_AUTH_MODE=token."),
    )


@dataclass
class Order:
    """A task that was given to Ray. lost: how often its process ended."""

    ticket: int
    call: bytes
    shared: Sequence[SharedValue]
    name: str
    processors: int
    lost: int = 0


class RayCluster:
    """The cluster that this process is connected to; see ``Cluster``.

    gpus_per_chunk: GPUs of each task. lost: how many tasks were begun again, for their processes had ended.
    """

    def __init__(self, gpus_per_chunk: float) -> None:
        import ray

        self.ray, self.gpus_per_chunk, self.gpus = ray, gpus_per_chunk, gpus_per_chunk > 0
        self.lost = 0
        self._run: Any = ray.remote(run_task)
        self._expected = versions()
        self._tickets = itertools.count()
        self._orders: dict[Any, Order] = {}
        self._gone: float | None = None  # since when there is no processor

    @property
    def slots(self) -> int:
        found = self.ray.cluster_resources()
        return max(1, int(found.get("GPU", 0) / self.gpus_per_chunk if self.gpus else found.get("CPU", 0)))

    def share(self, value: Any) -> SharedValue:
        import numpy as np

        content = pickle.dumps(value, protocol=5)
        nodes = [node for node in self.ray.nodes() if node["Alive"]]
        room = {n["NodeManagerHostname"]: n["Resources"].get("object_store_memory", 0) for n in nodes}
        host = min(room, key=lambda name: room[name])
        if len(content) > room[host]:
            raise TreinoError(
                "data_too_large_for_cluster",
                _("The rows take {need:.2f} GB, and the object store of {host} holds {room:.2f} GB.").format(
                    need=len(content) / 1e9, host=host, room=room[host] / 1e9
                ),
                _("Start its nodes with a larger object-store-memory (see: ray start), or use fewer rows."),
            )
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
        order = Order(next(self._tickets), packed(function, *arguments), shared, name, processors)
        self._begin(order)
        return order.ticket

    def _begin(self, order: Order) -> None:
        count = order.processors if order.processors == 1 else min(order.processors, self._largest_node())
        options: dict[str, Any] = {"num_cpus": count, "max_retries": 0, "name": order.name}
        if self.gpus:
            options["num_gpus"] = self.gpus_per_chunk
        task = self._run.options(**options)
        self._orders[task.remote(self._expected, order.call, order.shared)] = order

    def ended(self, seconds: float) -> list[TaskEnd]:
        if not self._orders:
            return []
        ready, waiting = self.ray.wait(list(self._orders), num_returns=1, timeout=seconds)
        if ready and waiting:
            ready += self.ray.wait(waiting, num_returns=len(waiting), timeout=0)[0]
        if ready:
            self._gone = None
        else:
            self._check_processors()
        found = []
        for reference in ready:
            order = self._orders.pop(reference)
            report = self._report(reference, order)
            if report is not None:
                value = pickle.loads(report.content)
                found.append(TaskEnd(order.ticket, value, report.seconds, report.processor))
        return found

    def _largest_node(self) -> int:
        """The processors of the largest one: a task that wants more would wait for ever."""
        return max([1, *(int(n["Resources"].get("CPU", 0)) for n in self.ray.nodes() if n["Alive"])])

    def _check_processors(self) -> None:
        """Give up on a cluster whose machines have all been gone for long."""
        kind, need = self._need()
        if self.ray.cluster_resources().get(kind, 0) >= need:
            self._gone = None
            return
        self._gone = time.monotonic() if self._gone is None else self._gone
        if time.monotonic() - self._gone > GONE_SECONDS:
            raise TreinoError(
                "cluster_gone",
                _("For {n:.0f} seconds the cluster has had no {kind}.").format(n=GONE_SECONDS, kind=kind),
                _("What had ended there is kept; treino resume last goes on, with [[on=ray]] or without."),
                status=1,
            )

    def _need(self) -> tuple[str, float]:
        """What a task takes at least, and of what kind."""
        return ("GPU", self.gpus_per_chunk) if self.gpus else ("CPU", 1)

    def _report(self, reference: Any, order: Order) -> TaskReport | None:
        """What the task told; None where its process was lost, and it is begun again."""
        errors = self.ray.exceptions
        try:
            report: TaskReport = self.ray.get(reference)
        except errors.RayTaskError as error:
            raise error.cause from None
        except errors.RayError as error:  # a process, a node, or what it had found is gone
            order.lost += 1
            self.lost += 1
            if order.lost > MOST_LOST:
                raise TreinoError(
                    "worker_lost",
                    _("The process of {name!r} ended {n} times: {why}").format(
                        name=order.name, n=order.lost, why=cause(error)
                    ),
                    _("Is there enough memory? Fewer networks, or smaller ones, need less."),
                    status=1,
                ) from None
            self._begin(order)
            return None
        self._refuse_versions(report, order.name)
        return report

    def _refuse_versions(self, report: TaskReport, where: str) -> None:
        for package, version in self._expected.items():
            if report.versions.get(package) != version:
                raise TreinoError(
                    "worker_version",
                    _(
                        "A process of the cluster has {package} {theirs}, and here is {mine} ({where})."
                    ).format(package=package, theirs=report.versions.get(package), mine=version, where=where),
                    _("Install the same on all: pip install {package}=={version}").format(
                        package=package, version=version
                    ),
                )

    def cancel(self) -> None:
        for reference in self._orders:
            self.ray.cancel(reference, force=True)
        if self._orders:
            self.ray.wait(list(self._orders), num_returns=len(self._orders), timeout=REACH_SECONDS)
        self._orders.clear()

    # ---- before the first task

    def await_processor(self) -> None:
        """Wait for a free one, a little.

        Raises:
            TreinoError: there is none.
        """
        kind, need = self._need()
        begin = time.monotonic()
        while (free := self.ray.available_resources().get(kind, 0)) < need:
            has = self.ray.cluster_resources().get(kind, 0)
            if time.monotonic() - begin > FREE_SECONDS or has < need:
                raise TreinoError(
                    "cluster_full",
                    _("The cluster has {n:g} {kind}, {free:g} of them free; a chunk needs {need:g}.").format(
                        n=has, kind=kind, free=free, need=need
                    ),
                    _("Wait until others end there, or add nodes. Its own word: ray status"),
                )
            time.sleep(0.1)

    def probe(self) -> None:
        """Have every node tell its versions.

        Raises:
            TreinoError: one has others, or no treino.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        asked = {}
        for node in self.ray.nodes():
            if node["Alive"] and node["Resources"].get("CPU", 0) > 0:
                at = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                task = self._run.options(num_cpus=0, scheduling_strategy=at, name="treino: versions")
                asked[task.remote(self._expected, packed(nothing))] = node["NodeManagerHostname"]
        told, _silent = self.ray.wait(list(asked), num_returns=len(asked), timeout=PROBE_SECONDS)
        for reference in told:
            try:
                report = self.ray.get(reference)
            except self.ray.exceptions.RayTaskError as error:
                raise TreinoError(
                    "worker_without_treino",
                    _("{host} of the cluster can't run treino: {why}").format(
                        host=asked[reference], why=cause(error.cause)
                    ),
                    _("Install the same on all: pip install {package}=={version}").format(
                        package="treino", version=self._expected["treino"]
                    ),
                ) from None
            except self.ray.exceptions.RayError:
                continue  # it is gone already
            self._refuse_versions(report, asked[reference])

    def load(self, functions: Sequence[Callable[..., Any]]) -> None:
        """Have as many processes as can be at work load what these functions need, if they are soon free."""
        options: dict[str, Any] = {"num_cpus": 1, "name": "treino: load"}
        if self.gpus:
            options["num_gpus"] = self.gpus_per_chunk
        task = self._run.options(**options)
        begun = [
            task.remote(self._expected, packed(nothing, *functions))
            for _slot in range(min(self.slots, MOST_LOADED))
        ]
        _loaded, waiting = self.ray.wait(begun, num_returns=len(begun), timeout=LOAD_SECONDS)
        for reference in waiting:
            self.ray.cancel(reference)
