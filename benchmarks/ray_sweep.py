"""Sweeps on a Ray cluster: two machines against one, against none, and 300 killed processes.

The machines are nodes of a cluster on this one, of one core each, so that two of them, Ray's own processes
and the one that drives the sweep share the cores that there are. $TREINO_KILLS is how many processes are
killed, 300 by default.
"""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.result import Result, Table
from benchmarks.timing import budget
from treino.settings.options import ClusterOptions, SweepOptions
from treino.training.loop import JobClose, JobStart
from treino.training.sweeps.request import SweepRequest
from treino.training.sweeps.sweep import sweep_events

KILLS = 300
SPACE = {"lr": "1e-4..1e-1:log", "weight_decay": "1e-6..1e-2:log"}
FULL = {256: (200, 5), 512: (200, 3)}  # networks: epochs, rounds
QUICK = {16: (20, 1)}
WHERE = {"local": (0, 1), "one": (1, 1), "two": (2, 1), "halves": (0, 2)}  # nodes, processes that drive


def run(quick: bool) -> Result:
    figures: dict[str, Any] = {}
    tables = [
        _speed(quick, figures),
        _kills(2 if quick else int(os.environ.get("TREINO_KILLS", KILLS)), figures),
    ]
    return Result(
        tuple(tables),
        method=(
            "Digits, 32-16 hidden units, one thread a process, no halving and no judge. Training is from the "
            "first step to the last; whole is the call, with a warm cluster: search, folder, and the winner "
            "trained alone by the process that was started. The ways take turns, each alone on the machine; "
            "medians over rounds of each round's ratio. Two halves: the sweep cut in two, by two processes "
            "at once without a cluster. This machine's cores give no more than that, and Ray's processes and "
            "the driver take their part of them too. Killed: SIGKILL to a process that trains, drawn at "
            "random, every 0.5 to 4 seconds; a new one needs two or three seconds until it trains."
        ),
        left_out=("A network between machines: here all is one. GPUs.",),
        figures=figures,
    )


def _speed(quick: bool, figures: dict[str, Any]) -> Table:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for members, (epochs, rounds) in (QUICK if quick else FULL).items():
            found = [_turns(members, epochs, Path(folder)) for _round in range(rounds)]
            own: dict[str, float] = {}
            for phase in ("training", "whole"):
                own[f"two_{phase}"] = median(t["one"][phase] / t["two"][phase] for t in found)
                own[f"halves_{phase}"] = median(t["local"][phase] / t["halves"][phase] for t in found)
                own[f"overhead_{phase}"] = median(t["one"][phase] / t["local"][phase] for t in found)
                seconds = [median(t[name][phase] for t in found) for name in ("local", "one", "two")]
                rows.append(
                    (
                        f"{members}",
                        phase,
                        *(f"{s:.1f}" for s in seconds),
                        f"{own[f'overhead_{phase}']:.2f}",
                        *budget(own[f"overhead_{phase}"], 1.1, at_most=True),
                        f"{own[f'two_{phase}']:.2f}",
                        *budget(own[f"two_{phase}"], 1.8, at_most=False),
                        f"{own[f'halves_{phase}']:.2f}",
                    )
                )
            figures[f"networks_{members}"] = {name: round(value, 3) for name, value in own.items()}
    heads = (
        "networks", "seconds of", "no cluster", "one machine", "two", "one, of none's", "budget", "kept",
        "two, times one", "budget", "kept", "two halves, times the whole",
    )  # fmt: skip
    return Table("Seconds on a cluster", heads, tuple(rows))


def _turns(members: int, epochs: int, folder: Path) -> dict[str, dict[str, float]]:
    """What each way takes, one after the other: another cluster's idle processes take time too."""
    found = {}
    for name, (nodes, many) in WHERE.items():
        drivers = [_driver(nodes, folder) for _process in range(many)]
        for asked in ({"members": 16, "epochs": 10}, {"members": members // many, "epochs": epochs}):
            for driver in drivers:
                _ask(driver, asked)
            took = [_answer(driver) for driver in drivers]
        found[name] = {phase: max(each[phase] for each in took) for phase in took[0]}
        for driver in drivers:
            driver.communicate("\n", timeout=60)
    return found


def _kills(wanted: int, figures: dict[str, Any]) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        said = subprocess.run(
            [sys.executable, "-m", "benchmarks.ray_sweep", "kills", str(wanted), folder],
            stdout=subprocess.PIPE, text=True, check=True, env=_environment(),
        ).stdout  # fmt: skip
        seconds = time.perf_counter() - begin
    found: dict[str, int] = json.loads(said.splitlines()[-1])
    figures["kills"] = found
    heads = "processes killed", "sweeps", "networks", "lost", "steps taken twice", "other bits", "seconds"
    names = "kills", "sweeps", "networks", "lost", "twice", "different"
    return Table("Killed processes", heads, ((*(f"{found[name]:,}" for name in names), f"{seconds:,.0f}"),))


# ---- processes of their own: Ray's clusters of one process are one cluster


def _environment() -> dict[str, str]:
    return os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": "local"}


def _driver(nodes: int, folder: Path) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "benchmarks.ray_sweep", "sweeps", str(nodes), str(folder)]
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=_environment()
    )


def _ask(driver: "subprocess.Popen[str]", asked: dict[str, int]) -> None:
    assert driver.stdin is not None
    driver.stdin.write(json.dumps(asked) + "\n")


def _answer(driver: "subprocess.Popen[str]") -> dict[str, float]:
    assert driver.stdout is not None
    for line in driver.stdout:
        if line.startswith("{"):  # and not a line of Ray's
            found: dict[str, float] = json.loads(line)
            return found
    raise RuntimeError("a sweep failed")


@contextmanager
def _cluster(nodes: int) -> Iterator[str | None]:
    """A cluster of nodes with one core each, and what ``on`` calls it."""
    if not nodes:
        yield None
        return
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _node in range(nodes):
        cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, logging_level=logging.CRITICAL, log_to_driver=False)
    try:
        yield "ray"
    finally:
        ray.shutdown()
        cluster.shutdown()


def sweeps(nodes: int, folder: Path) -> None:
    """Train what each line asks for, and print what it took, until an empty line."""
    with _cluster(nodes) as on:
        for line in iter(sys.stdin.readline, "\n"):
            asked = json.loads(line)
            settings = {"epochs": asked["epochs"], "hidden": (32, 16), "threads": 1}
            begin, marks = time.perf_counter(), dict[type, float]()
            with tempfile.TemporaryDirectory(dir=folder) as place:
                options = SweepOptions(members=asked["members"], fresh=0, strategy="none")
                where: dict[str, Any] = {"parent": place, "place": ClusterOptions(on=on)}
                request = SweepRequest("digits", settings, space=SPACE, options=options, **where)
                for event in sweep_events(request):
                    marks.setdefault(type(event), time.perf_counter())
                whole = time.perf_counter() - begin
            print(json.dumps({"training": marks[JobClose] - marks[JobStart], "whole": whole}), flush=True)


def kills(wanted: int, folder: Path) -> None:
    """Train sweeps whose processes are killed until as many have been, and compare each with one alone."""
    import psutil

    chance, over = random.Random(0), threading.Event()
    found = {"kills": 0, "sweeps": 0, "networks": 0, "lost": 0, "twice": 0, "different": 0}

    def killing() -> None:
        while found["kills"] < wanted and not over.wait(chance.uniform(0.5, 4.0)):
            training = [
                p.pid
                for p in psutil.process_iter(["name"])
                if (p.info["name"] or "").startswith("ray::killed")
            ]
            if training:
                os.kill(chance.choice(training), signal.SIGKILL)
                found["kills"] += 1

    def swept(name: str, on: str | None) -> dict[str, Any]:
        options = SweepOptions(members=128, fresh=0, top=128)
        settings = {"epochs": 1500, "hidden": (32, 16), "threads": 1, "patience": 0, "out": folder / name}
        place = ClusterOptions(on=on)
        request = SweepRequest("digits", settings, space=SPACE, options=options, place=place)
        *_events, end = sweep_events(request)
        return _contents(folder / name) | {"steps": end.document["model_steps"]}

    with _cluster(2) as on:
        threading.Thread(target=killing, daemon=True).start()
        killed = []
        while found["kills"] < wanted:
            killed.append(swept(f"killed{len(killed)}", on))
        over.set()
    whole = swept("whole", None)
    for one in killed:
        found["sweeps"] += 1
        found["networks"] += len(whole["networks"])
        found["lost"] += len(whole["networks"] - one["networks"])
        found["twice"] += one["steps"] - whole["steps"]
        found["different"] += sum(one["bits"].get(name) != bits for name, bits in whole["bits"].items())
    print(json.dumps(found), flush=True)


def _contents(folder: Path) -> dict[str, Any]:
    """The networks of a sweep, and every row of their table and tensor of their weights as it is."""
    from pyarrow import parquet
    from safetensors.torch import load_file

    rows = parquet.read_table(folder / "members.parquet").to_pylist()
    tensors = load_file(folder / "models.safetensors")
    bits: dict[str, Any] = {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}
    bits |= {f"row {n}": repr(row) for n, row in enumerate(rows)}
    return {"networks": {row["member"] for row in rows}, "bits": bits}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    {"sweeps": sweeps, "kills": kills}[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))
