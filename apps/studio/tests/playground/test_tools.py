"""What a run's page can ask in the playground: the same as treino says of the same training in Python."""

import json
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load
from tools.words import LOCALES, translations

import treino as tr
from apps.studio.tests.playground.node import KERNEL, PLAYGROUND, in_node, node
from treino.api import Run
from treino.cli import main
from treino.engine.metrics import measure
from treino.folders.stored_run import StoredRun
from treino.inspection.outputs import predicted_classes
from treino.training.futures import FutureEnd, fan, futures, usual_futures
from treino_microscope.from_python import explain
from treino_studio.playground.sentences import said, sentences
from treino_studio.playground.tables import table_of, tables_in_page

pytestmark = in_node

Json = dict[str, Any]


HALVES = [
    pytest.param(slice(0, None, 2), id="some"),
    pytest.param(slice(1, None, 2), id="others", marks=pytest.mark.release),
]


def ask(tasks: list[Json]) -> list[Any]:
    """The answers of the playground's modules, in one process."""
    return list(node("tools.mjs", {"build": KERNEL, "tasks": tasks}))


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
    settings["data_seed"] = run.data.data_seed
    return settings


def trained(source: str, to: Path, **settings: Any) -> Run:
    """A run of exactly so many steps."""
    run = tr.fit(source, **{"patience": 0, "keep": "last", "recipe": "plain"} | settings, out=to, lean=True)
    assert isinstance(run, Run)
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


@pytest.fixture(
    scope="module",
    params=[slice(1, None, 5), pytest.param(slice(None), marks=pytest.mark.release)],
    ids=["some", "all"],
)
def explained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, table: str
) -> list[tuple[Json, Json]]:
    """Of many updates: what the page's microscope says, and what treino's says."""
    tasks, theirs = [], []
    for number, (data, settings) in enumerate(EXPLAINED[request.param]):
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
    ours = [answer for answers in ask(tasks) for answer in answers]
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
        if kind == "seed":  # in the page the data have a seed of their own
            changes = [{}, *({"data_seed": 3 + k} for k in range(1, COUNT))]
        messages = [m for m in fan(3, kind, start, changes, STEPS) if isinstance(m, dict)]
        events = [e for e in futures(start, changes, STEPS) if isinstance(e, FutureEnd)]
        x = run.data.train.x[:6]
        theirs.append((messages, sorted(events, key=lambda end: end.future), x))
        grid = {"shows": "plane" if run.data.classes else "surface", "shape": [2, 3]}
        tasks.append({"do": "fan", "kind": kind, "count": COUNT, "step": STEP, "steps": STEPS,
                      "adopt": [0, 2], "name": "fanned", "prepared": prepared_of(run),
                      "settings": settings_of(run),
                      "picture": {**grid, "x": x.flatten().tolist()}})  # fmt: skip
    return [(ours, *other) for ours, other in zip(ask(tasks), theirs, strict=True)]


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


# ---- findings on curves

PLANTED: list[tuple[str, Json]] = [
    ("moons", {"lr": 1e9, "hidden": [8], "optimizer": "sgd"}),
    ("moons", {"lr": 100.0, "hidden": [8], "activation": "tanh"}),
    ("moons", {"lr": 30.0, "hidden": [8], "optimizer": "sgd"}),
    ("moons", {"lr": 3.0, "hidden": [8, 8]}),
    ("moons", {"lr": 1e-7, "hidden": [8]}),
    ("table", {"target": "y", "lr": 1e-6, "hidden": [8], "optimizer": "sgd"}),
    ("moons", {"fault": "missing_zero_grad", "hidden": [8]}),
    ("spirals", {"fault": "softmax_before_cross_entropy", "hidden": [8]}),
    ("moons", {"as_taught": True, "hidden": [8]}),
    ("moons", {"weight_decay": 0.6, "lr": 0.1, "optimizer": "sgd", "hidden": [8]}),
    ("moons", {"clip": 1e-5, "optimizer": "sgd", "lr": 0.1, "hidden": [8]}),
    ("rare", {"target": "y", "hidden": [1], "activation": "tanh"}),
    ("moons", {"hidden": [4] * 10, "activation": "sigmoid", "lr": 1e-3}),
    ("table", {"target": "y", "hidden": [16] * 6, "activation": "tanh", "lr": 10.0}),
    ("wine", {"normalise": False, "hidden": [8], "lr": 1e-3, "optimizer": "sgd"}),
    ("moons", {"hidden": [8], "init": "zeros"}),
    ("moons", {"hidden": [6, 6], "lr": 0.3, "seed": 5}),
    ("noise", {"target": "y", "hidden": [64, 32], "lr": 0.01}),
]
RIGHT: list[tuple[str, Json]] = [
    (data, {"hidden": hidden, "activation": activation, "optimizer": optimizer, "lr": lr, "seed": seed})
    for seed, (data, hidden, activation, optimizer, lr) in enumerate(
        [
            ("moons", [16, 8], "relu", "adam", 0.003),
            ("moons", [8, 8], "gelu", "adamw", 0.01),
            ("moons", [8], "relu", "sgd", 0.1),
            ("circles", [8, 8], "tanh", "adam", 0.01),
            ("spirals", [32, 16], "relu", "adam", 0.01),
            ("wine", [8], "leaky_relu", "sgd", 0.05),
            ("wine", [], "identity", "adam", 0.01),
            ("iris", [8, 4], "tanh", "sgd", 0.1),
            ("breast_cancer", [16], "relu", "adam", 0.003),
            ("table", [16, 8], "relu", "adam", 0.01),
            ("table", [8], "gelu", "sgd", 0.05),
            ("table", [12, 6], "silu", "adamw", 0.01),
        ]
    )
]


def rare(folder: Path) -> str:
    """A CSV in which one row of thirteen is of the second class, at no place of its own."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(600, 2))
    lines = [f"{a:.5f},{b:.5f},{'yes' if a * b > 1.2 else 'no'}" for a, b in x]
    path = folder / "rare.csv"
    path.write_text("\n".join(["a,b,y", *lines]) + "\n")
    return str(path)


def noisy(folder: Path) -> str:
    """A CSV whose classes hang on nothing: they can only be learnt by heart."""
    draw = np.random.default_rng(1)
    lines = [
        ",".join([*(f"{x:.4f}" for x in row), draw.choice(["a", "b"])]) for row in draw.normal(size=(120, 8))
    ]
    path = folder / "noise.csv"
    path.write_text("\n".join([",".join([*"abcdefgh", "y"]), *lines]) + "\n")
    return str(path)


def judged(cases: list[tuple[str, Json]], folder: Path, table: str) -> list[Any]:
    """Of each run: what the page finds, and the run, with what treino's doctor finds."""
    files = {"table": table, "rare": rare(folder), "noise": noisy(folder)}
    tasks, theirs = [], []
    for number, (data, settings) in enumerate(cases):
        targeted = {"target": "y"} | settings if data == "table" else settings
        all_settings = {"steps": 400, "seed": 1} | targeted
        run = trained(files.get(data, data), folder / f"run-{number}", **all_settings)
        settings = settings_of(run) | {"steps": 400}
        theirs.append(run)
        tasks.append({"do": "findings", "name": "judged", "prepared": prepared_of(run), "settings": settings})
    return list(zip(ask(tasks), theirs, strict=True))


@pytest.fixture(scope="module", params=HALVES)
def planted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, table: str
) -> list[Any]:
    return judged(PLANTED[request.param], tmp_path_factory.mktemp("planted"), table)


def plain(sentence: str) -> str:
    """A sentence of treino's with settings written as the page does, and all numbers left out."""
    sentence = re.sub(r"\b(\w+)=('?)([\w.+-]+)\2", r"\1 \3", sentence)
    return re.sub(r"\d[\d.]*(?:e[+-]?\d+)?|nan|inf", "#", sentence)


def numbers_in(sentence: str) -> list[float]:
    return [float(text) for text in re.findall(r"(?<!\w)\d+(?:\.\d+)?(?:e[+-]?\d+)?", sentence)]


def test_the_page_finds_in_planted_runs_what_the_doctor_finds(planted: list[Any]) -> None:
    found = set()
    for ours, run in planted:
        mine = [each for each in ours["findings"] if each["rule"] != "diverged"]
        theirs_all = [each for each in run.result.findings if each.rule != "single_class"]  # beside trees
        assert [each["rule"] for each in mine] == [each.rule for each in theirs_all], run
        for each, theirs in zip(mine, theirs_all, strict=True):
            assert (each["severity"], each["certain"]) == (theirs.severity, theirs.certain)
            assert plain(each["message"]) == plain(theirs.message)
            assert plain(each["fix"]) == plain(theirs.fix)
            assert each["why"] == theirs.why
            mine_n, theirs_n = (numbers_in(text) for text in (each["message"], theirs.message))
            np.testing.assert_allclose(mine_n, theirs_n, rtol=5e-3)
            found.add(each["rule"])
        assert ours["again"] == ours["findings"]
    assert len(found) >= 6


@pytest.mark.parametrize(
    "part", [slice(0, None, 5), pytest.param(slice(None), marks=pytest.mark.release)], ids=["some", "all"]
)
def test_right_runs_stay_silent(part: slice, tmp_path: Path, table: str) -> None:
    for ours, run in judged(RIGHT[part], tmp_path, table):
        assert not run.result.findings
        assert ours["findings"] == [], (run, ours)


# ---- what is taken along

POINTS: Json = {"source": "moons", "features": ["x", "y", "x²", "xy", "sin y"], "data_seed": 4}
TAKEN: list[tuple[Json, Json]] = [
    ({"source": "moons"}, {"hidden": [8, 6], "lr": 0.01, "keep": "last"}),
    (
        {"source": "spirals"},
        {"hidden": [6, 4], "activation": "gelu", "dropout": 0.2, "schedule": "cosine", "clip": 0.5,
         "optimizer": "adamw", "weight_decay": 0.1},
    ),
    (
        {"source": "table"},
        {"hidden": [6], "activation": "silu", "optimizer": "sgd", "momentum": 0.9, "schedule": "one-cycle"},
    ),
    (POINTS, {"hidden": [5], "loss": "bce", "batch_size": "full", "optimizer": "sgd", "lr": 0.5}),
    (
        {"source": "wine"},
        {"hidden": [], "fault": ["softmax_before_cross_entropy"], "lr": 0.01, "beta1": 0.8, "beta2": 0.99},
    ),
    ({"source": "table"}, {"hidden": [4], "loss": "huber", "activation": "leaky_relu"}),
    ({"source": "digits"}, {"channels": [8, 16], "hidden": [], "activation": "relu"}),
    (
        {"source": "digits"},
        {"channels": [3, 5], "hidden": [9], "dropout": 0.1, "schedule": "one-cycle", "optimizer": "adamw"},
    ),
]  # fmt: skip
FORMS = ["weights", "script", "data", "command"]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, table: str) -> list[Any]:
    """Of runs of 150 steps: what the page gives, and the run that the page's command makes of its table."""
    folder = tmp_path_factory.mktemp("taken")
    tables = {"table": table_of(table, "y"), **tables_in_page()}
    tasks = [
        {"do": "taken", "name": f"run-{number}", "forms": FORMS, "step": 150,
         "problem": {"data_seed": 3} | problem | {"table": tables.get(problem["source"])},
         "settings": {"activation": "tanh", "seed": 2, "data_seed": ({"data_seed": 3} | problem)["data_seed"],
                      "steps": 150} | settings}
        for number, (problem, settings) in enumerate(TAKEN)
    ]  # fmt: skip
    pairs = []
    for number, answers in enumerate(ask(tasks)):
        given = dict(zip(FORMS, answers, strict=True))
        words = shlex.split(given["command"]["text"])[2:]
        (folder / given["data"]["name"]).write_text(given["data"]["text"])
        data = folder / words[0] if words[0].endswith(".csv") else words[0]
        asked = [*words[1:], "--out", str(folder / f"run-{number}")]
        pairs.append((given, by_command(str(data), asked)))
    return pairs


def by_command(data: str, words: list[str]) -> Run:
    """The run that `treino train` makes of these words."""
    asked = dict(zip(words[::2], words[1::2], strict=True))
    settings = {name.removeprefix("--").replace("-", "_"): value for name, value in asked.items()}
    return trained(data, Path(settings.pop("out")), **{"keep": "best"} | settings)


def test_the_weights_are_the_file_that_treino_writes(taken: list[Any]) -> None:
    for given, run in taken:
        assert bytes(given["weights"]["bytes"]) == (run.path / "model.safetensors").read_bytes()


Capture = pytest.CaptureFixture[str]


def ran(path: Path, capture: Capture, *arguments: str) -> list[str]:
    """What a script prints, as the main program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(path), *arguments])
        runpy.run_path(str(path), run_name="__main__")
    return capture.readouterr().out.splitlines()


@pytest.mark.slow
def test_the_script_trains_to_the_same_losses_and_weights(
    taken: list[Any], tmp_path: Path, capsys: Capture
) -> None:
    for given, run in taken:
        path = tmp_path / given["script"]["name"]
        path.write_text(given["script"]["text"])
        summary = json.loads(ran(path, capsys)[-1])
        np.testing.assert_allclose(summary["losses"], run.result.loss.train, rtol=1e-3)
        saved = torch.load(path.with_suffix(".pt"), weights_only=True)
        assert saved.keys() == run.tensors.keys()
        for name, tensor in run.at(150).trained_net.state_dict().items():
            torch.testing.assert_close(saved[name], tensor, rtol=1e-3, atol=1e-3)
        assert {"loss"} < summary["test"].keys()


CHANGED: Json = {"do": "taken", "name": "steered", "problem": {"source": "spirals"}, "step": 120} | {
    "settings": {"hidden": [6], "activation": "tanh", "dropout": 0.1, "clip": 1.0, "seed": 1},
    "acts": [
        *[["to", 30], ["set", "lr", 0.02], ["set", "clip", None], ["to", 66], ["set", "dropout", 0.3]],
        *[["to", 80], ["set", "beta1", 0.8], ["set", "lr", 0.01]],
    ],
}


@pytest.mark.slow
def test_the_script_repeats_what_was_changed_while_it_trained(tmp_path: Path, capsys: Capture) -> None:
    ((weights, script, command),) = ask([CHANGED | {"forms": ["weights", "script", "command"]}])
    path = tmp_path / "steered.py"
    path.write_text(script["text"])
    ran(path, capsys)
    saved = torch.load(path.with_suffix(".pt"), weights_only=True)
    for name, tensor in load(bytes(weights["bytes"])).items():
        torch.testing.assert_close(saved[name], tensor, rtol=1e-3, atol=1e-3)
    assert command["rule"] == "command_changed"


STOOD: dict[str, tuple[list[Any], Json]] = {  # how a run came to what is in view, and its settings
    "while it trains": ([["to", 260]], {}),
    "ended by hand": ([["to", 260], ["stop"]], {}),
    "at the planned end": ([["to", 300]], {"steps": 300, "schedule": "cosine"}),
    "gone on after the end": (
        [["to", 40], ["stop"], ["rewind", 40, {"steps": 80}], ["to", 80]],
        {"batch_size": 8},
    ),
    "at a past step": ([["to", 90], ["look", 31]], {}),
    "played on from a past step": ([["to", 90], ["rewind", 44, {}], ["to", 95]], {"momentum": 0.9}),
    "changed before the first step": (
        [["set", "lr", 0.2], ["rewind", 0, {"hidden": [3], "optimizer": "adam"}], ["to", 70]],
        {"momentum": 0.9},
    ),
    "a change that takes no step yet": ([["to", 66], ["set", "lr", 9.0]], {"optimizer": "adamw", "lr": 0.02}),
    "lost": ([["to", 90]], {"lr": 1e9, "activation": "relu", "loss": "mse"}),
    "of classes and gaps": ([["to", 90]], {}),
}
CELLS = {
    "wood": ["oak", "", "elm", "fir", "elm"] * 12,
    "old": ["no", "yes", "yes"] * 20,
    "size": [None if k % 7 == 3 else k * k % 50 / 4 for k in range(60)],
    "y": [k % 5 + k % 3 + k % 50 / 7 for k in range(60)],
}
TABLE = {"name": "t", "target": "y", "columns": [{"name": n, "cells": own} for n, own in CELLS.items()]}
OTHERS = "wood,old,size\noak,yes,\n,no,3.5\nash,yes,1\nfir,,-2\n"


@pytest.mark.slow
@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", STOOD)
def test_the_command_trains_the_weights_in_view_bit_for_bit(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    acts, own = STOOD[name]
    usual = {"hidden": [6, 4], "activation": "gelu", "optimizer": "sgd", "lr": 0.5, "seed": 1}
    source: Json = {"source": "plane" if name == "lost" else "circles", "noise": 0.3, "data_seed": 5}
    if name == "of classes and gaps":
        source |= {"source": "table", "table": TABLE, "features": ["wood", "size", "old"]}
    task: Json = {"do": "taken", "name": "run", "forms": FORMS, "problem": source}
    ((weights, script, data, command),) = ask(
        [task | {"settings": usual | {"data_seed": 5} | own, "acts": acts}]
    )
    (tmp_path / data["name"]).write_text(data["text"])
    words = shlex.split(command["text"])[1:]
    status = 4 if name == "lost" else 0
    assert main([*words, "--out", "run", "--json"]) == status, capfd.readouterr().err
    bits = (tmp_path / "run/model.safetensors").read_bytes()
    assert bits == bytes(weights["bytes"])
    ends = name in ("ended by hand", "at the planned end", "gone on after the end", "lost")
    assert ("--keep" in words) != ends
    if name == "while it trains":  # the best weights are others
        assert main([*words[:-2], "--out", "best", "--json"]) == 0
        assert (tmp_path / "best/model.safetensors").read_bytes() != bits
    if name != "lost":
        path = tmp_path / "run.py"
        path.write_text(script["text"])
        ran(path, capfd)
        saved = torch.load(path.with_suffix(".pt"), weights_only=True)
        for key, tensor in load(bits).items():
            torch.testing.assert_close(saved[key], tensor, rtol=1e-2, atol=1e-3)
    if name == "of classes and gaps":  # new ones, too, and classes that no row had
        Path("others.csv").write_text(OTHERS)
        said = ran(path, capfd, "predict", "others.csv")[1:]
        assert main(["predict", "run", "others.csv", "--json"]) == 0
        ours = json.loads(capfd.readouterr().out)["predictions"]
        for line, row in zip(said, ours, strict=True):
            assert float(line.split(",")[1]) == pytest.approx(row["prediction"], abs=1e-2)


# ---- outputs that aren't finite


@pytest.mark.parametrize("C", [1, 3])
def test_page_plane_and_core_say_of_the_same_rows_that_they_have_no_class(C: int) -> None:
    value = [0.0, 1.5, -2.0, np.inf, -np.inf, np.nan]
    outputs_NC = np.array(np.meshgrid(*[value] * C)).reshape(C, -1).T
    rows = [outputs_NC, outputs_NC[np.isfinite(outputs_NC).all(1)]]
    prepared: Json = {
        "parts": [],
        "mean": [],
        "scale": [],
        "task": "classification",
        "classes": ["a"] * max(2, C),
    }
    asked = [
        {"do": "classes", "outputs": of_NC.flatten().astype(str).tolist(), "C": C, "prepared": prepared}
        for of_NC in (rows[0].astype(object), rows[1])
    ]
    asked = json.loads(json.dumps(asked).replace('"inf"', '"Infinity"').replace('"-inf"', '"-Infinity"'))
    for of_NC, found in zip(rows, ask(asked), strict=True):
        out_NC = torch.tensor(of_NC)
        told = predicted_classes(out_NC)
        assert found["given"] == told.tolist()
        assert found["drawn"] == [c % 256 for c in told.tolist()]
        figure = measure(out_NC[None], torch.zeros(len(told)), "cross_entropy" if C > 1 else "bce")[
            "accuracy"
        ]
        assert found["accuracy"] == (None if figure.isnan() else pytest.approx(float(figure)))


# ---- words


def test_all_that_the_tools_say_has_a_translation() -> None:
    asked = {
        re.sub(r"\\(.)", r"\1", text[1:-1])
        for path in (PLAYGROUND / "web").glob("*.js")
        for text in re.findall(r"""\bsay\(\s*('(?:[^'\\]|\\.)+'|"(?:[^"\\]|\\.)+")""", path.read_text())
    }
    table = (PLAYGROUND / "web/findings.js").read_text()
    asked |= set(re.findall(r"^    (?:message|why):\s+['\"](.*)['\"],$", table, re.M))
    assert len(asked) > 80
    assert asked <= said(), asked - said()
    assert sentences("en") == {}
    program = "import json; from treino_studio.playground import sentences as of; "
    program += "print(json.dumps(of.sentences('pt_BR')))"  # where nothing has imported the apps yet
    in_portuguese = json.loads(subprocess.check_output([sys.executable, "-c", program]))
    catalogues = (translations(locale / "pt_BR") for locale in LOCALES.values())  # the doctor's, each app's
    known = {sentence: text for each in catalogues for sentence, text in each.items()}
    assert {key[4:]: text for key, text in in_portuguese.items() if known[key[4:]] != text} == {}
    places = {key: set(re.findall(r"\{\w+|\[\[\w+", key)) for key in in_portuguese}
    assert {key: set(re.findall(r"\{\w+|\[\[\w+", text)) for key, text in in_portuguese.items()} == places
