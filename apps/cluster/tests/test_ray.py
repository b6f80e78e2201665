"""Sweeps on Ray itself: the same bits as without it, whoever is killed, and nothing that stays behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.conftest import Treino
from tests.waiting import HANG, until

from apps.cluster.tests.test_distribution import contents

pytest.importorskip("ray", reason="needs ray: pip install 'ray[client]'")

RELEASE = pytest.mark.release  # to start Ray takes ten seconds of a processor
SPACE = ("--space", "lr=1e-3..1:log", "--space", "hidden=8|16,8")
ASKED = ("sweep", "iris", *SPACE, "--members", "12")

KILLED = """
import logging, os, random, sys, threading, time
import psutil, ray
from ray.cluster_utils import Cluster
from treino.settings.options import ClusterOptions, SweepOptions
from treino_cluster import distribution
from treino.training.sweeps.request import SweepRequest
from treino.training.sweeps.sweep import sweep_events
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
asked = {"space": space, "options": SweepOptions(members=12, fresh=0, strategy="halving")}
settings = {"epochs": 800, "patience": 0}
place = ClusterOptions(on="ray")
for _event in sweep_events(SweepRequest("iris", {**settings, "out": "killed"}, place=place, **asked)):
    pass
over.set()
ray.shutdown(); cluster.shutdown()
for _event in sweep_events(SweepRequest("iris", {**settings, "out": "whole"}, **asked)):
    pass
print(kills)
"""


class Started:
    """A process that uses a Ray of its own, and all that it begins: a word in the environment tells."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.word = "TREINO_TRIAL", str(folder)
        own = {
            "RAY_ADDRESS": "local",
            "RAY_TMPDIR": "/tmp",
        }  # not a cluster that runs here; sockets' paths are short
        self.process = subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
            env=os.environ | own | dict([self.word]), start_new_session=True,
        )  # fmt: skip

    def family(self) -> list[psutil.Process]:
        """Who of them runs."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(self.word[0]) == self.word[1]:
                    found.append(process)
        return found

    def ended(self) -> tuple[str, str]:
        """What it wrote, once all have ended by themselves."""
        written = self.process.communicate(timeout=HANG)
        _gone, left = psutil.wait_procs(self.family(), timeout=HANG)
        assert left == []
        return written

    def end(self) -> None:
        for process in self.family():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """``start(...)`` begins Python with these words; nothing of it is left for the next test."""
    begun: list[Started] = []

    def begin(*words: str) -> Started:
        begun.append(Started(tmp_path, *words))
        return begun[-1]

    yield begin
    for each in begun:
        each.end()


@RELEASE
def test_a_local_cluster_gives_the_same_bits_and_ends_with_the_sweep(
    treino: Treino, tmp_path: Path, start: Callable[..., Started]
) -> None:
    code = "import sys; from treino.cli import command; sys.exit(command())"
    asked = *ASKED, "--fresh", "2", "--epochs", "30", "--json", "--name"
    sweep = start("-W", "error", "-c", code, *asked, "there", "--on", "ray")
    out, err = sweep.ended()
    assert sweep.process.returncode == 0, out + err
    there, here = json.loads(out), treino(*asked, "here").document
    assert contents(tmp_path / "runs/here") == contents(tmp_path / "runs/there")
    assert there["judge"] == here["judge"]
    ((_kind, members),) = there["processors"].items()
    assert members == list(range(12))


@RELEASE
def test_processes_and_a_node_are_killed_and_nobody_is_lost(
    tmp_path: Path, start: Callable[..., Started]
) -> None:
    sweeps = start("-c", KILLED, "4")
    out, err = sweeps.ended()
    assert sweeps.process.returncode == 0, err
    assert int(out.split()[-1]) >= 1
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@RELEASE
def test_ctrl_c_saves_and_leaves_nothing_behind(
    treino: Treino, tmp_path: Path, start: Callable[..., Started]
) -> None:
    asked = *ASKED, "--fresh", "0", "--epochs", "12000", "--patience", "0", "--seed", "2", "--name"
    sweep = start("-m", "treino", *asked, "torn", "--on", "ray")
    with contextlib.suppress(AssertionError):  # it has ended, and says why
        until((tmp_path / "runs/torn/asked.json").exists, sweep.process)
        until(lambda: len(sweep.family()) > 3, sweep.process)
        os.killpg(sweep.process.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    out, err = sweep.ended()
    assert sweep.process.returncode == 130, out + err
    assert treino("resume", "torn").status == 0
    assert treino(*asked, "whole").status == 0
    assert contents(tmp_path / "runs/torn") == contents(tmp_path / "runs/whole")
