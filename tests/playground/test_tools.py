"""What a run's page can ask in the playground: the same as treino says of the same training in Python."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import treino as tr
from treino.records.stored_run import StoredRun
from treino.reports.explanation import explain

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
    return settings


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
    ("table", {"hidden": [5, 4], "activation": "gelu", "weight_decay": 0.02, "clip": 0.1}),
    ("table", {"hidden": [4], "activation": "tanh", "loss": "huber", "optimizer": "adamw"}),
    ("table", {"hidden": [4, 4], "loss": "l1", "optimizer": "sgd"}),
]  # fmt: skip
NUMBER = re.compile(r"−?\d+(?:\.\d+)?(?:×10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?")


def same(ours: Any, theirs: Any) -> None:
    """The same texts, and numbers equal but for the last digits of doubles."""
    if isinstance(theirs, float) and theirs is not None:
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-13), (ours, theirs)
    elif isinstance(theirs, dict):
        assert set(theirs) <= set(ours)
        for key in theirs:
            same(ours[key], theirs[key])
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    else:
        assert ours == theirs


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory, table: str) -> list[tuple[Json, Json]]:
    """Of many updates: what the page's microscope says, and what treino's says."""
    tasks, theirs = [], []
    for number, (data, settings) in enumerate(EXPLAINED):
        to = tmp_path_factory.mktemp("runs") / f"run-{number}"
        source, target = (table, "y") if data == "table" else (data, None)
        stored = tr.fit(
            source,
            steps=40,
            seed=number,
            patience=0,
            keep="last",
            out=to,
            recipe="plain",
            lean=True,
            **settings,
            **({"target": target} if target else {}),
        )
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
