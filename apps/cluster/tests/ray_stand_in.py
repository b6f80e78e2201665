"""Ray in this process, as far as treino asks it: a task runs when it is waited for. It can fail to start, as
Ray does, and lose processes."""

import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any


class RayError(Exception):
    """A process, a node or a result is gone."""


class RayTaskError(RayError):
    """What a task raised."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class Node:
    """Begins its server, and raises what Ray's node does if it doesn't answer."""

    def __init__(self, fault: BaseException | None) -> None:
        self.server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        SERVERS.append(self.server)
        if fault is not None:
            raise fault

    def kill_all_processes(self, check_alive: bool, allow_graceful: bool) -> None:
        self.server.kill()
        self.server.wait()


SERVERS: list["subprocess.Popen[bytes]"] = []


class Reference:
    """What a task will have answered, or a value that is stored. mortal: its process can be lost."""

    def __init__(self, work: Callable[[], Any], mortal: bool = False) -> None:
        self.work, self.mortal = work, mortal


class Ray(ModuleType):
    """The module ``ray``. runs: whether a cluster runs that it can join; fault: raised by its start, or where
    it joins; losses: how many tasks lose their process; free, has: processors; store: bytes of objects.
    """

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(
        self, *, runs: bool = False, fault: BaseException | None = None, losses: int = 0, free: float = 2,
        has: float = 2, store: int = 10**9,
    ) -> None:  # fmt: skip
        super().__init__("ray")
        self.__spec__ = ModuleSpec("ray", None, origin=__file__)
        self.runs, self.fault, self.losses = runs, fault, losses
        self.free, self.has, self.store = free, has, store
        self.node: Node | None = None
        self.asked: list[dict[str, Any]] = []  # the options of each task
        self.chance = random.Random(0)

    def is_initialized(self) -> bool:
        return self.node is not None

    def init(self, address: str, **_options: Any) -> None:
        if address != "local" and not self.runs:
            raise ConnectionError("Could not find any running Ray instance.")
        self.node = Node(self.fault)

    def shutdown(self) -> None:
        if self.node is not None:
            self.node.kill_all_processes(check_alive=False, allow_graceful=True)
        self.node = None

    def available_resources(self) -> dict[str, float]:
        return {"CPU": self.free}

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.has}

    def nodes(self) -> list[dict[str, Any]]:
        resources = {"object_store_memory": self.store, "CPU": self.has}
        return [{"Alive": True, "NodeID": "7", "NodeManagerHostname": "node7", "Resources": resources}]

    def put(self, value: Any) -> Reference:
        return Reference(lambda: value)

    def remote(self, function: Callable[..., Any]) -> Any:
        def options(**asked: Any) -> Any:
            self.asked.append(asked)
            return SimpleNamespace(remote=lambda *arguments: Reference(lambda: function(*arguments), True))

        return SimpleNamespace(options=options)

    def wait(
        self, references: Sequence[Reference], num_returns: int, timeout: float
    ) -> tuple[list[Reference], list[Reference]]:
        ready = self.chance.sample(references, num_returns if timeout else len(references) // 2)
        return ready, [each for each in references if each not in ready]

    def get(self, reference: Reference) -> Any:
        if reference.mortal and self.losses:
            self.losses -= 1
            raise RayError("The worker died unexpectedly.")
        try:
            return reference.work()
        except Exception as error:
            raise RayTaskError(error) from error

    def cancel(self, reference: Reference, force: bool = False) -> None:
        reference.work = lambda: None
