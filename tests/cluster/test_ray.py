"""Sweeps on Ray itself: the same bits as without it, whoever is killed; and clusters that can't be used."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cluster.test_distribution import contents
from tests.conftest import Said
from tests.waiting import HANG, until
from treino import cluster as ray_cluster
from treino.cluster import RayCluster, open_cluster
from treino.errors import TreinoError

OWN = os.environ | {"RAY_ADDRESS": "local"}  # not the cluster that another test has begun on this machine
SPACE = ("--space", "lr=1e-3..1:log", "--space", "hidden=8|16,8")
ASKED = (*SPACE, "--members", "12", "--fresh", "2", "--epochs", "30")

KILLED = """
import logging, os, random, sys, threading, time
import psutil, ray
from ray.cluster_utils import Cluster
from treino.tuning import distribution
from treino.tuning.sweep import sweep_events
distribution.TASK_SECONDS, distribution.SHORTEST_TASK = 0.1, 0.05
wanted, chance, kills, over = int(sys.argv[1]), random.Random(0), 0, threading.Event()
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
nodes = [cluster.add_node(num_cpus=1) for _node in range(2)]
ray.init(address=cluster.address, logging_level=logging.CRITICAL, log_to_driver=False)

def kill():
    global kills
    while kills < wanted and not over.wait(chance.uniform(0.05, 0.4)):
        found = [p for p in psutil.process_iter(["name"]) if (p.info["name"] or "").startswith("ray::killed")]
        if found:
            os.kill(chance.choice(found).pid, 9)
            kills += 1
    if not over.is_set():
        cluster.remove_node(nodes[0])

threading.Thread(target=kill, daemon=True).start()
space = {"lr": "1e-3..1:log", "hidden": [(8,), (16, 8)]}
for _event in sweep_events("iris", space, out="killed", on="ray", members=12, fresh=0,
                           strategy="halving", settings={"epochs": 800, "patience": 0}):
    pass
over.set()
ray.shutdown(); cluster.shutdown()
for _event in sweep_events("iris", space, out="whole", members=12, fresh=0,
                           strategy="halving", settings={"epochs": 800, "patience": 0}):
    pass
print(kills)
"""


Family = set[psutil.Process]


def family_of(process: subprocess.Popen[str], true: Callable[[Family], Any]) -> Family:
    """Every process that it begins until this holds: a cluster's among them."""
    found: Family = set()

    def seen() -> Any:
        with contextlib.suppress(psutil.Error):
            found.update(psutil.Process(process.pid).children(recursive=True))
        return true(found)

    until(seen, meanwhile=lambda: time.sleep(0.25))  # a look at all processes takes a processor a while
    return found


def left_of(family: Family) -> list[psutil.Process]:
    """Who of them still runs, and goes on running."""
    assert len(family) > 3
    _gone, left = psutil.wait_procs(family, timeout=HANG)
    return list(left)


@pytest.mark.slow
def test_a_local_cluster_gives_the_same_bits_and_ends_with_the_sweep(
    treino: Callable[..., Said], tmp_path: Path
) -> None:
    code = "import sys; from treino.cli import command; sys.exit(command())"
    words = [
        sys.executable,
        "-W",
        "error",
        "-c",
        code,
        "sweep",
        "iris",
        *ASKED,
        "--name",
        "there",
        "--on",
        "ray",
    ]
    process = subprocess.Popen(
        [*words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=OWN
    )
    family = family_of(process, lambda _family: process.poll() is not None)
    out, err = process.communicate(timeout=HANG)
    assert process.returncode == 0, err
    assert left_of(family) == []
    there, here = json.loads(out), json.loads(treino("sweep", "iris", *ASKED, "--name", "here", "--json").out)
    assert contents(tmp_path / "runs/here") == contents(tmp_path / "runs/there")
    assert there["judge"] == here["judge"]
    ((_kind, members),) = there["processors"].items()
    assert members == list(range(12))


@pytest.mark.slow
def test_processes_and_a_node_are_killed_and_nobody_is_lost(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, "4"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= 1
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.release
def test_ctrl_c_saves_and_leaves_nothing_behind(treino: Callable[..., Said], tmp_path: Path) -> None:
    asked = [*SPACE, "--members", "12", "--fresh", "0", "--epochs", "12000", "--patience", "0", "--seed", "2"]
    words = [sys.executable, "-m", "treino", "sweep", "iris", *asked, "--name", "torn", "--on", "ray"]
    process = subprocess.Popen(
        words,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env=OWN,
    )
    until((tmp_path / "runs/torn/asked.json").exists, process)
    family = family_of(process, lambda family: len(family) > 3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    out, _none = process.communicate(timeout=HANG)
    assert process.returncode == 130, out
    assert left_of(family) == []
    assert treino("resume", "torn").status == 0
    assert treino("sweep", "iris", *asked, "--name", "whole").status == 0
    assert contents(tmp_path / "runs/torn") == contents(tmp_path / "runs/whole")


# ---- clusters that can't be used


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--on", "dask"), "names no cluster"),
        (("--on", "ray://host"), "names no cluster"),
        (("--on", "ray", "--gpus-per-chunk", "0"), "can't have 0 GPUs"),
        (("--gpus-per-chunk", "1"), "no cluster is named"),
        (("--on", "ray", "--device", "cuda"), "--gpus-per-chunk 1"),
        (("--on", "ray://127.0.0.1:9"), "can't be reached"),
    ],
)
def test_what_names_no_cluster_is_refused(
    treino: Callable[..., Said],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    said = treino("sweep", "iris", *ASKED, *words)
    assert said.status == 2
    assert text in said.err
    assert not (tmp_path / "runs").exists()


def test_a_study_names_its_cluster_as_a_sweep_does(treino: Callable[..., Said], tmp_path: Path) -> None:
    said = treino("study", "iris", "--epochs", "2", "--out", tmp_path / "s", "--on", "dask")
    assert said.status == 2
    assert "names no cluster" in said.err
    assert not (tmp_path / "s").exists()


def test_one_network_needs_no_cluster(treino: Callable[..., Said]) -> None:
    assert "Add --seeds 20" in treino("train", "iris", "--on", "ray").err


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(TreinoError, match=r"treino\[ray\]"), open_cluster("ray"):
        pass


class Node:
    """What Ray tells of a cluster, as far as it is asked."""

    def __init__(self, free: float, has: float = 4.0, store: int = 100) -> None:
        self.free, self.has, self.store = free, has, store

    def available_resources(self) -> dict[str, float]:
        return {"CPU": self.free}

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.has}

    def nodes(self) -> list[dict[str, Any]]:
        resources = {"object_store_memory": self.store, "CPU": self.has}
        return [{"Alive": True, "NodeManagerHostname": "node7", "Resources": resources}]


def cluster_of(node: Node) -> RayCluster:
    found = RayCluster.__new__(RayCluster)
    found.ray, found.gpus_per_chunk, found.gpus, found._orders = node, 0.0, False, {}
    found._gone = None
    return found


def test_a_cluster_without_a_free_processor_says_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "FREE_SECONDS", 0.2)
    with pytest.raises(TreinoError, match="has 4 CPU, 0 of them free"):
        cluster_of(Node(free=0)).await_processor()
    cluster_of(Node(free=1)).await_processor()


def test_a_cluster_that_lost_all_its_machines_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(ray_cluster.time, "monotonic", lambda: now)
    node = Node(free=0)
    cluster = cluster_of(node)
    cluster._check_processors()
    node.has = 0
    cluster._check_processors()
    node.has = 1  # a new machine came
    now += ray_cluster.GONE_SECONDS + 1
    cluster._check_processors()
    node.has = 0
    cluster._check_processors()
    now += ray_cluster.GONE_SECONDS + 1
    with pytest.raises(TreinoError, match="has had no CPU"):
        cluster._check_processors()


def test_a_task_asks_for_no_more_processors_than_a_machine_has() -> None:
    cluster, asked = cluster_of(Node(free=1, has=3)), list[int]()

    class Task:
        def options(self, *, num_cpus: int, **_more: Any) -> "Task":
            asked.append(num_cpus)
            return self

        def remote(self, *_arguments: Any) -> object:
            return object()

    cluster._run, cluster._expected = Task(), {}
    for processors in (1, 2, 8):
        cluster._begin(ray_cluster.Order(0, b"", (), "task", processors))
    assert asked == [1, 2, 3]


def test_rows_that_the_object_store_cannot_hold_are_refused() -> None:
    with pytest.raises(TreinoError, match="object store of node7"):
        cluster_of(Node(free=1)).share(b"x" * 1000)


def test_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = cluster_of(Node(free=1))
    cluster._expected = {"treino": "9.9", "torch": "2.13.0"}
    report = ray_cluster.TaskReport(b"", 0.0, "kind", {"treino": "0.1", "torch": "2.13.0"})
    with pytest.raises(TreinoError, match=r"has treino 0\.1, and here is 9\.9 \(node7\)"):
        cluster._refuse_versions(report, "node7")
