"""What a run's page can ask in the playground: the same as treino says of the same training in Python."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import treino as tr
from treino.records.stored_run import StoredRun
from treino.reports.explanation import explain
from treino.studio.fan import fan
from treino.training.futures import FutureEnd, futures, usual_futures

WEB = Path(__file__).parents[2] / "src/treino/playground"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the playground's modules, and is not here")

Json = dict[str, Any]


def node(tasks: list[Json]) -> list[Any]:
    """The answers of the playground's modules, in one process."""
    assert NODE is not None
    sent = json.dumps({"build": str(WEB / "wasm/exact.wasm"), "tasks": tasks})
    script = Path(__file__).with_name("tools.mjs")
    ran = subprocess.run([NODE, script], input=sent, capture_output=True, text=True, check=False)
    assert not ran.returncode, ran.stderr
    answers: list[Any] = json.loads(ran.stdout)
    return answers


def prepared_of(run: StoredRun) -> Json:
    """The rows of a run as the page's problems.js prepares them, made by treino itself."""
    data, prep = run.data, run.preparation
    parts = [
        {
            "x": rows.x.flatten().tolist(),
            "y": rows.y.flatten().tolist(),
            "rows": rows.index.tolist(),
            "raw": [],
        }
        for rows in (data.train, data.validation, data.test)
    ]
    return {
        "name": data.name, "kind": "table", "task": data.task, "target": data.target,
        "columns": list(data.features), "features": list(prep.inputs), "classes": list(data.classes),
        "outputs": len(data.classes) or 1, "parts": parts, "mean": list(prep.mean), "scale": list(prep.scale),
        "targetMean": data.target_mean, "targetScale": data.target_scale,
    }  # fmt: skip


def settings_of(run: StoredRun) -> Json:
    settings = dict(run.settings)
    settings["beta1"], settings["beta2"] = settings["betas"] or (0.9, 0.999)
    settings["steps"] = len(run.losses)
    settings["data_seed"] = run.spec.asked.get("data_seed")
    return settings


def trained(source: str, to: Path, **settings: Any) -> StoredRun:
    """A run of exactly so many steps."""
    run = tr.fit(source, patience=0, keep="last", out=to, recipe="plain", lean=True, **settings)
    assert isinstance(run, StoredRun)
    return run


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A CSV of 200 rows whose target is a number."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 3))
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * draw.normal(size=200)
    path = tmp_path_factory.mktemp("table") / "waves.csv"
    lines = ["a,b,c,y", *(",".join(f"{v:.6f}" for v in row) for row in np.column_stack([x, y]))]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


# ---- the microscope

EXPLAINED: list[tuple[str, Json]] = [
    ("moons", {"hidden": [5, 4], "activation": "tanh", "optimizer": "adam"}),
    ("spirals", {"hidden": [6], "optimizer": "sgd", "momentum": 0.9, "clip": 0.5, "dropout": 0.3}),
    ("moons", {"hidden": [4, 3], "activation": "silu", "loss": "bce", "optimizer": "sgd", "nesterov": True,
               "momentum": 0.5, "weight_decay": 0.01}),
    ("wine", {"hidden": [4], "activation": "leaky_relu", "optimizer": "adamw", "weight_decay": 0.1,
              "schedule": "cosine", "warmup": 3}),
    ("moons", {"hidden": [3, 3], "activation": "sigmoid", "fault": "softmax_before_cross_entropy"}),
    ("moons", {"hidden": [3], "activation": "identity", "optimizer": "sgd", "fault": "missing_zero_grad",
               "batch_size": "full"}),
    ("table", {"target": "y", "hidden": [5, 4], "activation": "gelu", "weight_decay": 0.02, "clip": 0.1}),
    ("table", {"target": "y", "hidden": [4], "activation": "tanh", "loss": "huber", "optimizer": "adamw"}),
    ("table", {"target": "y", "hidden": [4, 4], "loss": "l1", "optimizer": "sgd"}),
]  # fmt: skip
NUMBER = re.compile(r"−?\d+(?:\.\d+)?(?:×10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?")


def same(ours: Any, theirs: Any, rel: float = 1e-9) -> None:
    """The same texts, and numbers equal but for the last digits of doubles."""
    if isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=rel, abs=1e-13), (ours, theirs)
    elif isinstance(theirs, dict):
        assert set(theirs) <= set(ours)
        for key in theirs:
            same(ours[key], theirs[key], rel)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other, rel)
    else:
        assert ours == theirs


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory, table: str) -> list[tuple[Json, Json]]:
    """Of many updates: what the page's microscope says, and what treino's says."""
    tasks, theirs = [], []
    for number, (data, settings) in enumerate(EXPLAINED):
        to = tmp_path_factory.mktemp("runs") / f"run-{number}"
        stored = trained(table if data == "table" else data, to, steps=40, seed=number, **settings)
        topic = stored.settings["optimizer"]
        topic = "momentum" if stored.settings["momentum"] else topic
        last = len(settings["hidden"])
        looks = []
        for step, weight in (
            (0, None),
            (1, (0, 1, 0)),
            (7, (last, 0, 1)),
            (30, (last - 1, 1)),
            (33, (last, 0)),
        ):
            theirs.append(explain(topic, stored, step=step, weight=weight).document)
            place = weight and {"layer": weight[0], "unit": weight[1], "input": [*weight, None][2]}
            looks.append({"step": step, "place": place})
        tasks.append({"do": "microscope", "name": stored.typed, "prepared": prepared_of(stored),
                      "settings": settings_of(stored), "looks": looks})  # fmt: skip
    ours = [answer for answers in node(tasks) for answer in answers]
    return list(zip(ours, theirs, strict=True))


def test_the_microscope_says_of_an_update_what_treino_explain_says(
    explained: list[tuple[Json, Json]],
) -> None:
    for ours, theirs in explained:
        same(
            {"title": ours["title"], "steps": ours["steps"]},
            {"title": theirs["title"], "steps": theirs["steps"]},
        )


def test_the_microscope_is_checked_by_other_computations(explained: list[tuple[Json, Json]]) -> None:
    for ours, theirs in explained:
        assert ours["holds"], ours["checks"]
        checks = {check["name"]: check for check in ours["checks"]}
        for check in theirs["checks"]:
            if check["name"] in checks:
                same(checks[check["name"]]["ours"], check["ours"])
        assert {"L: what the run noted, float32", "g: the kernel lanes, float32",
                "w: the run's own weight after this update, float32"} <= set(checks)  # fmt: skip


# ---- the fan

FANNED: list[tuple[str, str, Json]] = [
    ("lr", "moons", {"hidden": [5], "activation": "tanh", "dropout": 0.2, "schedule": "cosine"}),
    (
        "lr",
        "table",
        {"target": "y", "hidden": [4, 3], "optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.01},
    ),
    ("seed", "spirals", {"hidden": [6], "optimizer": "adamw", "clip": 0.5, "dropout": 0.1}),
    ("batch_size", "wine", {"hidden": [4], "activation": "silu", "validation": 0}),
]
STEP, STEPS, COUNT = 45, 60, 6


@pytest.fixture(scope="module")
def fanned(tmp_path_factory: pytest.TempPathFactory, table: str) -> list[Any]:
    """Of fans: the page's, treino's messages for it, and treino's networks in the end."""
    tasks, theirs = [], []
    for kind, data, settings in FANNED:
        to = tmp_path_factory.mktemp("fans") / "run"
        run = trained(table if data == "table" else data, to, steps=200, seed=3, **settings)
        start = run.at(STEP)
        changes = usual_futures(start, kind, COUNT)
        messages = [m for m in fan(3, kind, start, changes, STEPS) if isinstance(m, dict)]
        events = [e for e in futures(start, changes, STEPS) if isinstance(e, FutureEnd)]
        x = run.data.train.x[:6]
        theirs.append((messages, sorted(events, key=lambda end: end.future), x))
        grid = {"shows": "plane" if run.data.classes else "surface", "shape": [2, 3]}
        tasks.append({"do": "fan", "kind": kind, "count": COUNT, "step": STEP, "steps": STEPS,
                      "adopt": [0, 2], "name": "fanned", "prepared": prepared_of(run),
                      "settings": settings_of(run),
                      "picture": {**grid, "x": x.flatten().tolist()}})  # fmt: skip
    return [(ours, *other) for ours, other in zip(node(tasks), theirs, strict=True)]


def test_each_future_ends_with_the_bits_of_the_same_future_in_python(fanned: list[Any]) -> None:
    for ours, _messages, ends, _x in fanned:
        for mine, end in zip(ours["ends"], ends, strict=True):
            weights = np.concatenate([p.detach().numpy().ravel() for p in end.net.parameters()])
            np.testing.assert_array_equal(np.array(mine, dtype=np.float32), weights)


def test_a_future_that_is_adopted_has_the_same_bits(fanned: list[Any]) -> None:
    for ours, *_others in fanned:
        assert ours["adopted"] == [ours["ends"][0], ours["ends"][2]]


def test_the_fans_messages_are_those_of_the_studio(fanned: list[Any]) -> None:
    for ours, messages, *_others in fanned:
        assert [m["fan"]["best"] for m in ours["messages"][:-1]] == [None] * (len(ours["messages"]) - 1)
        done = [m["fan"]["done"] for m in ours["messages"]]
        assert done == sorted(done)
        assert done[-1] == STEPS
        mine, theirs = ours["messages"][-1]["fan"], messages[-1]["fan"]
        if theirs["split"] == "train":  # means of slices, which are of any length
            for each in (*mine["futures"], *theirs["futures"]):
                del each["step"], each["loss"]
        same(mine, theirs, 1e-5)


def test_the_fans_boundaries_are_those_of_the_networks(fanned: list[Any]) -> None:
    for (ours, _messages, ends, x), (_kind, data, _settings) in zip(fanned, FANNED, strict=True):
        parts = {name: np.array(part["data"]).reshape(part["shape"]) for name, part in ours["parts"].items()}
        for future, end in enumerate(ends):
            with torch.no_grad():
                out = end.net(x).double()
            if data == "table":
                prepared = ours["target"]
                value = (out[:, 0] * prepared["scale"] + prepared["mean"]).reshape(2, 3)
                np.testing.assert_allclose(parts["value"][future], value, rtol=1e-4, atol=1e-5)
                continue
            p = out.softmax(1).sort(dim=1).values
            np.testing.assert_array_equal(parts["winner"][future].ravel(), out.argmax(1).numpy())
            lead = (255 * (p[:, -1] - p[:, -2]).sqrt()).numpy()
            np.testing.assert_allclose(parts["margin"][future].ravel(), lead, atol=0.6)
