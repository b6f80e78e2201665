"""What Ray is asked and what becomes of its answers, with a stand-in: the same bits whoever is lost, starts
that fail, and clusters that can't be used."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.conftest import Treino, refusal_of

from apps.cluster.tests import ray_stand_in
from apps.cluster.tests.ray_stand_in import Ray
from apps.cluster.tests.test_distribution import swept
from treino.base.errors import TreinoError
from treino.settings.options import ClusterOptions
from treino_cluster import cluster as ray_cluster
from treino_cluster import distribution
from treino_cluster.cluster import Cluster, open_cluster

ASKED = ("--space", "lr=1e-3..1:log", "--members", "4", "--epochs", "2")
SILENT = "The current node timed out during startup."
Use = Callable[..., Ray]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """``use(...)`` puts the stand-in ``Ray(...)`` in the place of Ray."""

    def put(**more: Any) -> Ray:
        ray = Ray(**more)
        monkeypatch.setitem(sys.modules, "ray", ray)
        strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda *_a, **_k: None)
        monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
        return ray

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    yield put
    while ray_stand_in.SERVERS:
        server = ray_stand_in.SERVERS.pop()
        server.kill()
        server.wait()


def refused(rule: str, on: str = "ray") -> TreinoError:
    """The refusal to open this cluster, which has this rule."""
    with pytest.raises(TreinoError) as caught, open_cluster(ClusterOptions(on=on)):
        pass
    assert caught.value.rule == rule
    return caught.value


@pytest.mark.slow
def test_processes_are_lost_and_no_bit_is(use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = swept(tmp_path / "whole", "halving", 0)
    monkeypatch.setattr(distribution, "TASK_SECONDS", 0.002)
    monkeypatch.setattr(distribution, "SHORTEST_TASK", 0.0002)
    ray = use(losses=4)
    assert swept(tmp_path / "lost", "halving", 0, "ray") == whole
    assert ray.losses == 0
    assert not ray.is_initialized()
    assert ray_stand_in.SERVERS[-1].poll() is not None


# ---- a start that fails


@pytest.mark.parametrize(
    "fault", [Exception(SILENT), OSError(SILENT), AssertionError(SILENT), KeyboardInterrupt()]
)
@pytest.mark.parametrize("runs", [False, True])
def test_a_start_that_fails_is_said_and_leaves_nothing(use: Use, fault: BaseException, runs: bool) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    ray_stand_in.SERVERS.append(other)
    ray = use(fault=fault, runs=runs)
    if isinstance(fault, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt), open_cluster(ClusterOptions(on="ray")):
            pass
    else:
        error = refused("cluster_unreachable" if runs else "cluster_start")
        assert SILENT in error.message
        assert error.hint
        assert error.__cause__ is fault
    assert [server.poll() is None for server in ray_stand_in.SERVERS] == [True, False]
    ray.fault = None
    with open_cluster(ClusterOptions(on="ray")) as cluster:
        assert cluster.slots == 2


def test_another_version_of_ray_is_named(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    monkeypatch.setattr(ray_cluster, "_reach", lambda _address: None)
    use(runs=True, fault=RuntimeError("Version mismatch: Ray 2.40\nPython 3.12"))
    assert "Ray 2.40 Python 3.12" in refused("cluster_version").message


# ---- clusters that can't be used


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        (("--on", "dask"), "on_unknown"),
        (("--on", "ray://host"), "on_unknown"),
        (("--on", "ray", "--gpus-per-chunk", "0"), "gpus_per_chunk_range"),
        (("--gpus-per-chunk", "1"), "gpus_without_cluster"),
        (("--on", "ray", "--device", "cuda"), "device_on_cluster"),
        (("--on", "ray://127.0.0.1:9"), "cluster_unreachable"),
    ],
)
def test_what_names_no_cluster_is_refused(
    use: Use, treino: Treino, tmp_path: Path, asked: tuple[str, ...], rule: str
) -> None:
    use()
    said = treino("sweep", "iris", *ASKED, *asked, "--json")
    assert said.status == 2
    assert said.document["error"]["rule"] == rule
    assert not (tmp_path / "runs").exists()


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster.importlib.util, "find_spec", lambda _name: None)
    assert "treino[ray]" in refused("ray_missing").hint


def test_a_cluster_without_a_free_processor_says_what_it_has(
    use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "FREE_SECONDS", 0.2)
    use(free=0, has=4)
    assert "has 4 CPU, 0 of them free" in refused("cluster_full").message


def test_a_task_whose_process_is_lost_again_and_again_is_given_up(use: Use) -> None:
    use(losses=100)
    cluster = Cluster(0)
    cluster.submit(ray_cluster.nothing, name="task")
    for _loss in range(ray_cluster.MOST_LOST):
        assert cluster.ended(1) == []
    assert "'task' ended 26 times" in str(refusal_of(cluster.ended, 1))


def test_rows_that_the_object_store_cannot_hold_are_refused(use: Use) -> None:
    use(store=100)
    assert "object store of node7" in str(refusal_of(Cluster(0).share, b"x" * 1000))


def test_another_version_is_named(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ray_cluster.versions()
    answers = iter([here | {"treino": "9.9"}])
    monkeypatch.setattr(ray_cluster, "versions", lambda: next(answers, here))
    use()
    assert f"has treino {here['treino']}, and here is 9.9 (node7)" in refused("worker_version").message
