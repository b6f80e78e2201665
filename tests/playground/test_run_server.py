"""A run's page in the playground: its worker answers, trains and draws as the studio does of the same training."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import treino as tr
from treino.errors import TreinoError
from treino.playground.tables import tables_in_page
from treino.records.stored_run import StoredRun
from treino.studio.protocol import read_command
from treino.studio.scene import points_of, scene, sight_of
from treino.training.replay import Snapshot, snapshots

PLAYGROUND = Path(__file__).parents[2] / "src/treino/playground"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the playground's modules, and is not here")

Json = dict[str, Any]
Act = tuple[Any, ...]


def node(tasks: list[Json]) -> list[list[Any]]:
    """What each act of each task gave, in one process."""
    assert NODE is not None
    sent = json.dumps({"build": str(PLAYGROUND / "wasm/exact.wasm"), "tasks": tasks})
    script = Path(__file__).with_name("server.mjs")
    ran = subprocess.run([NODE, script], input=sent, capture_output=True, text=True, check=False)
    assert not ran.returncode, ran.stderr
    answers: list[list[Any]] = json.loads(ran.stdout)
    for answer in answers:
        assert not answer or not isinstance(answer[-1], dict) or "stack" not in str(answer[-1]), answer[-1]
    return answers


def task(name: str, problem: Json, settings: Json, *acts: Act, **more: Any) -> Json:
    return {"create": {"name": name, "problem": problem, "settings": settings, **more}, "acts": list(acts)}


def trained(source: Any, to: Path, **settings: Any) -> StoredRun:
    """The same training in Python."""
    run = tr.fit(source, out=to, recipe="plain", lean=True, **{"patience": 0, "keep": "last"} | settings)
    assert isinstance(run, StoredRun)
    return run


def weights(net: Any) -> list[np.ndarray]:
    return [p.detach().numpy() for p in net.parameters()]


def drawn_weights(frame: Json) -> list[np.ndarray]:
    """Weights and biases of a frame, layer by layer; of networks of at most 12 units these are all."""
    parts, found = frame["parts"], []
    for k in range(1, len(frame["layers"])):
        for name in (f"weight.{k}", f"bias.{k}"):
            found.append(np.array(parts[name]["data"], np.float32).reshape(parts[name]["shape"]))
    return found


def assert_same_bits(frame: Json, net: Any) -> None:
    for ours, theirs in zip(drawn_weights(frame), weights(net), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def moment(run: StoredRun, step: int) -> Snapshot:
    (snapshot,) = snapshots(run, [step])
    return snapshot


# ---- frames

SMALL = {"hidden": [6, 4], "activation": "tanh", "lr": 0.01}


def table_problem(columns: list[tuple[str, np.ndarray]], target: str) -> Json:
    cells = [{"name": name, "cells": [float(f"{v:.6f}") for v in values]} for name, values in columns]
    return {"source": "table", "data_seed": 0, "table": {"name": "waves", "columns": cells, "target": target}}


def waves(features: int) -> list[tuple[str, np.ndarray]]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(120, features))
    y = np.sin(x[:, 0]) + x.sum(1) + 0.1 * draw.normal(size=120)
    return [*((name, x[:, j]) for j, name in enumerate("abcd"[:features])), ("y", y)]


def as_csv(columns: list[tuple[str, np.ndarray]], path: Path) -> str:
    rows = np.column_stack([values for _name, values in columns])
    lines = [",".join(name for name, _ in columns), *(",".join(f"{v:.6f}" for v in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


SCENES = ["moons", "spirals", "wine", "line", "surface", "fit"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Json, Json, StoredRun]]:
    """Of each problem the page's frame and points, and the run in Python, after 40 steps."""
    folder = tmp_path_factory.mktemp("scenes")
    tables: dict[str, tuple[Json, Any, Json]] = {name: ({"source": name}, name, {}) for name in SCENES[:2]}
    tables["wine"] = ({"source": "wine", "table": tables_in_page()["wine"]}, "wine", {})
    for name, features in (("line", 1), ("surface", 2), ("fit", 4)):
        columns = waves(features)
        tables[name] = (table_problem(columns, "y"), as_csv(columns, folder / f"{name}.csv"), {"target": "y"})
    acts: list[Act] = [("frame", 0), ("say", "step", {"count": 40}), ("reach", 40), ("frame", 40), ("seen",)]
    answers = node([task(name, problem, SMALL, *acts) for name, (problem, _source, _s) in tables.items()])
    runs = {
        name: trained(source, folder / name, data_seed=0, steps=40, **SMALL, **more)
        for name, (_problem, source, more) in tables.items()
    }
    return {
        name: (answer[3], answer[4]["points"], runs[name])
        for name, answer in zip(tables, answers, strict=True)
    }


@pytest.mark.parametrize("name", SCENES)
def test_a_frame_shows_what_the_studio_shows_of_the_same_step(name: str, scenes: dict[str, Any]) -> None:
    frame, points, run = scenes[name]
    first, last = (moment(run, step).net for step in (0, 40))
    sight = sight_of(first, run.data, None, None)
    scene(first, run.data, sight, run.loss_function)  # a page chooses axes and units by the first frame
    header, parts = scene(last, run.data, sight, run.loss_function)
    theirs = dict(parts)
    assert frame["shows"] == header["shows"]
    assert set(frame["parts"]) == set(theirs)
    for part, array in theirs.items():
        ours = np.array(frame["parts"][part]["data"]).reshape(frame["parts"][part]["shape"])
        assert ours.shape == array.shape, part
        if part.startswith(("weight", "bias")):
            np.testing.assert_array_equal(ours.astype(np.float32), array, err_msg=part)
        elif part == "winner" or (part.startswith("predicted") and run.data.classes):
            assert (ours != array).mean() < 0.002, part
        elif array.dtype == np.uint8:
            assert np.abs(ours.astype(int) - array.astype(int)).max() <= 1, part
        else:
            np.testing.assert_allclose(ours, array, rtol=2e-4, atol=2e-5, err_msg=part)
    for split, figures in header["evaluation"].items():
        assert frame["evaluation"][split] == pytest.approx(figures, rel=1e-5, abs=1e-6)
    assert frame.get("right") == header.get("right")
    assert frame.get("agreement") == header.get("agreement")
    for ours, other in zip(frame["layers"], header["layers"], strict=True):
        assert {k: ours[k] for k in ("name", "what", "total", "units", "labels", "dead")} == other
    expected = points_of(sight, run.data)
    assert points["axes"] == expected["axes"]
    assert points["view"] == expected["view"]
    np.testing.assert_allclose(points["low"] + points["high"], expected["low"] + expected["high"], rtol=1e-5, atol=1e-5)
    for rows, others in zip(points["rows"], expected["rows"], strict=True):
        assert (rows["split"], rows["index"], rows["total"]) == (others["split"], others["index"], others["total"])
        for key in ("x", "y", "true"):
            np.testing.assert_allclose(rows[key], others[key], rtol=1e-5, atol=1e-5)


# ---- segments, branches, and what is past

CHANGES: list[Json] = [
    {"hidden": [9, 4]},
    {"hidden": [3, 2]},
    {"hidden": [6, 4, 4]},
    {"hidden": [6]},
    {"hidden": []},
    {"hidden": [8, 7, 7, 5]},
    {"hidden": [12, 4], "activation": "gelu"},
    {"activation": "relu"},
    {"optimizer": "sgd"},
    {"optimizer": "adamw", "weight_decay": 0.1},
    {"batch_size": 64},
    {"batch_size": "full", "hidden": [6, 4, 3]},
    {"lr": 0.1, "clip": 0.5},
    {"schedule": "cosine"},
    {"dropout": 0.3},
    {"fault": ["missing_zero_grad"], "hidden": [7, 4]},
    {"fault": ["softmax_before_cross_entropy"]},
    {"seed": 3, "dropout": 0.2},
    {"data_seed": 5},
    {"betas": [0.5, 0.9]},
]


def test_a_segment_has_the_bits_of_the_same_branch_in_python(tmp_path: Path) -> None:
    run = trained("moons", tmp_path / "run", data_seed=0, steps=100, keep="best", **SMALL)
    acts = [("say", "step", {"count": 50}), ("reach", 50), ("say", "segment")]
    tasks = [
        task(
            "moons-1", {"source": "moons"}, SMALL | {"steps": 100},
            *acts[:-1], ("say", "segment", {"changes": changes}), ("say", "step", {"count": 50}), ("reach", 100), ("fresh",), ("seen",),
        )
        for changes in CHANGES
    ]  # fmt: skip
    for changes, answer in zip(CHANGES, node(tasks), strict=True):
        assert "error" not in answer[2], changes
        branch = run.at(50).branch(out=tmp_path / str(CHANGES.index(changes)), **changes)
        frame, state = answer[5], answer[6]["state"]
        for ours, theirs in zip(drawn_weights(frame), weights(moment(branch, 100).net), strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=str(changes))
        assert state["segments"][1]["origin"] == [0, 50]
        assert state["status"] == "finished"
        assert state["metrics"]["test"]["loss"] == pytest.approx(branch.metrics["test"]["loss"], rel=1e-5), changes
