"""A run's page in the playground: its worker answers, trains and draws as the studio does."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
    names = [f"{kind}.{k}" for k in range(1, len(frame["layers"])) for kind in ("weight", "bias")]
    parts = [frame["parts"][name] for name in names]
    return [np.array(part["data"], np.float32).reshape(part["shape"]) for part in parts]


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
    np.testing.assert_allclose(
        points["low"] + points["high"], expected["low"] + expected["high"], rtol=1e-5, atol=1e-5
    )
    for rows, others in zip(points["rows"], expected["rows"], strict=True):
        assert (rows["split"], rows["index"], rows["total"]) == (
            others["split"],
            others["index"],
            others["total"],
        )
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
            "moons-1",
            {"source": "moons"},
            SMALL | {"steps": 100},
            *acts[:-1],
            ("say", "segment", {"changes": changes}),
            ("say", "step", {"count": 50}),
            ("reach", 100),
            ("fresh",),
            ("seen",),
        )
        for changes in CHANGES
    ]
    for changes, answer in zip(CHANGES, node(tasks), strict=True):
        assert "error" not in answer[2], changes
        branch = run.at(50).branch(out=tmp_path / str(CHANGES.index(changes)), **changes)
        frame, state = answer[5], answer[6]["state"]
        for ours, theirs in zip(drawn_weights(frame), weights(moment(branch, 100).net), strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=str(changes))
        assert state["segments"][1]["origin"] == [0, 50]
        assert state["status"] == "finished"
        assert state["metrics"]["test"]["loss"] == pytest.approx(branch.metrics["test"]["loss"], rel=1e-5), (
            changes
        )


WATCHED = [("say", "step", {"count": 60}), ("reach", 60), ("fresh",)]


def test_any_past_step_is_played_again_to_the_same_bits() -> None:
    """Also across changes on the way, and after a rewind."""
    steps = [1, 5, 33, 34, 60]
    (live,) = node(
        [
            task(
                "moons-1",
                {"source": "moons"},
                SMALL,
                *(
                    act
                    for k, at in enumerate(steps)
                    for act in (
                        ("say", "step", {"count": at - ([0, *steps][k])}),
                        ("reach", at),
                        ("fresh",),
                        ("say", "set", {"name": "lr", "value": 0.01 * (k + 2)})
                        if at in (5, 34)
                        else ("seen",),
                    )
                ),
                *(act for at in reversed(steps) for act in (("say", "look", {"step": at}), ("frame", at))),
            )
        ]
    )
    seen = {at: live[4 * k + 2] for k, at in enumerate(steps)}
    again = {frame["step"]: frame for frame in live[4 * len(steps) + 1 :: 2]}
    assert sorted(again) == steps
    for at, frame in again.items():
        for name, part in seen[at]["parts"].items():
            if not name.startswith(("unit", "winner", "share", "margin")):
                assert part == frame["parts"][name], (at, name)
        assert frame["loss"] == seen[at]["loss"]
        assert frame["live"] == (at == 60)


def test_playing_on_from_a_past_step_opens_a_segment_and_cuts_what_came_after() -> None:
    acts: list[Act] = [
        *WATCHED,
        ("say", "look", {"step": 25}),
        ("frame", 25),
        ("say", "step", {"count": 4}),
        ("reach", 29),
        ("fresh",),
        ("seen",),
    ]
    answer, plain = node(
        [
            task("moons-1", {"source": "moons"}, SMALL, *acts),
            task(
                "moons-1",
                {"source": "moons"},
                SMALL,
                ("say", "step", {"count": 29}),
                ("reach", 29),
                ("fresh",),
            ),
        ]
    )
    seen = answer[-1]
    assert [s["origin"] for s in seen["state"]["segments"]] == [None, [0, 25]]
    assert seen["state"]["last_step"] == 29
    assert not seen["state"]["replay"]
    assert seen["curves"]["moons-1"]["step"] == list(range(1, 30))
    for ours, theirs in zip(drawn_weights(answer[-2]), drawn_weights(plain[-1]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_replay_of_a_run_makes_its_bits_again() -> None:
    problem = {"source": "circles", "noise": 0.2}
    (made,) = node(
        [
            task(
                "a",
                problem,
                SMALL,
                *WATCHED,
                ("say", "set", {"name": "lr", "value": 0.05}),
                ("say", "step", {"count": 10}),
                ("reach", 70),
                ("fresh",),
                ("say", "segment", {"changes": {"hidden": [8, 4, 4]}}),
                ("say", "step", {"count": 30}),
                ("reach", 100),
                ("fresh",),
                ("say", "segment", {"changes": {"optimizer": "sgd"}, "step": 80}),
                ("say", "step", {"count": 15}),
                ("reach", 95),
                ("fresh",),
                ("seen",),
            ),
        ]
    )
    state = made[-1]["state"]
    assert [entry[0] for entry in state["replay"]] == [60, 70, 80]
    assert state["command"] is None
    (again,) = node(
        [task("b", problem, SMALL, ("reach", 95), ("frame", 95), ("seen",), step=95, actions=state["replay"])]
    )
    for ours, theirs in zip(drawn_weights(again[1]), drawn_weights(made[-2]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert again[2]["state"]["replay"] == state["replay"]


def test_a_branch_goes_its_own_way_beside_its_run() -> None:
    (answer,) = node(
        [
            task(
                "moons-1",
                {"source": "moons"},
                SMALL,
                *WATCHED,
                ("say", "branch", {"changes": {"lr": 0.1}, "step": 20}),
                ("fresh",),
                ("seen",),
                ("open", "moons-2"),
                ("say", "beside", {"run": "moons-1", "shown": True}),
                ("say", "step", {"count": 10}),
                ("reach", 30),
                ("fresh",),
                ("seen",),
            ),
        ]
    )
    assert answer[3]["run"] == "moons-2"
    assert answer[5]["state"]["beside"] == [
        {"run": "moons-2", "letter": "B", "step": 20, "status": "running"}
    ]
    assert answer[5]["curves"]["moons-2"]["loss"] == answer[5]["curves"]["moons-1"]["loss"][:20]
    assert answer[4]["beside"] == {"run": "moons-2", "step": 20}
    assert "beside.winner" in answer[4]["parts"]
    branch = answer[-1]
    assert branch["state"]["name"] == "moons-2"
    assert branch["state"]["last_step"] == 30
    assert branch["state"]["replay"] == [[20, "segment", {"changes": {"lr": 0.1}}]]
    assert answer[-2]["beside"] == {"run": "moons-1", "step": 30}


# ---- the end


def test_test_rows_are_judged_once_the_run_is_over_as_treino_train_judges_them(tmp_path: Path) -> None:
    """With the weights of the best validation loss; the command of the state trains the same."""
    acts: list[Act] = [
        ("say", "epoch", {"count": 7}),
        ("reach", 154),
        ("fresh",),
        ("seen",),
        ("say", "stop"),
        ("status", "finished"),
        ("fresh",),
        ("seen",),
        ("say", "step"),
        ("reach", 155),
        ("fresh",),
        ("seen",),
    ]
    (answer,) = node(
        [task("moons-1", {"source": "moons"}, {**SMALL, "lr": 0.1, "weight_decay": 0.001, "clip": 2}, *acts)]
    )
    before, after, on = answer[3]["state"], answer[7]["state"], answer[11]["state"]
    assert before["metrics"] is None
    assert before["unseen"] == ["test"]
    assert "predicted.test" not in answer[2]["parts"]
    assert "test" not in answer[2]["evaluation"]
    assert "predicted.test" in answer[6]["parts"]
    assert after["unseen"] == []
    words = shlex.split(before["command"])
    assert words[:3] == ["treino", "train", "moons"]
    assert words[-2:] == ["--steps", "154"]
    flags = dict(zip(words[3::2], words[4::2], strict=True))
    settings = {
        name[2:].replace("-", "_"): json.loads(f"[{value}]") if name == "--hidden" else _value(value)
        for name, value in flags.items()
    }
    run = trained("moons", tmp_path / "run", keep="best", **settings)
    for split, figures in run.metrics.items():
        assert after["metrics"][split] == pytest.approx(figures, rel=1e-5)
    assert on["metrics"] is None
    assert on["unseen"] == ["test"]
    assert on["segments"][-1]["origin"] == [0, 154]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def test_a_training_that_diverges_ends_with_its_last_finite_weights(tmp_path: Path) -> None:
    wild = {"hidden": [6, 4], "activation": "relu", "optimizer": "sgd", "lr": 1e9, "loss": "mse"}
    columns = waves(2)
    source = as_csv(columns, tmp_path / "waves.csv")
    run = trained(source, tmp_path / "run", target="y", data_seed=0, steps=50, **wild)
    (answer,) = node(
        [
            task(
                "w",
                table_problem(columns, "y"),
                wild,
                ("say", "play"),
                ("status", "diverged"),
                ("fresh",),
                ("seen",),
                ("say", "play"),
                ("status", "diverged"),
            )
        ]
    )
    frame, state = answer[2], answer[3]["state"]
    assert run.status == state["status"] == "diverged"
    assert frame["step"] == run.steps == state["last_step"]
    assert_same_bits(frame, moment(run, run.steps).net)
    assert any(finding["severity"] == "wrong" for finding in state["findings"])


# ---- the protocol

MESSAGES: list[Json] = [
    {"do": "play"},
    {"do": "fly"},
    {"do": "plaay"},
    {"do": 3},
    {},
    {"do": "play", "fast": True},
    {"do": "step", "count": 0},
    {"do": "step", "count": 1001},
    {"do": "step", "count": 1.5},
    {"do": "step", "count": "2"},
    {"do": "step"},
    {"do": "speed"},
    {"do": "speed", "steps_per_second": 0},
    {"do": "speed", "steps_per_second": None},
    {"do": "speed", "steps_per_second": True},
    {"do": "set", "name": "lr", "value": 0},
    {"do": "set", "name": "lr", "value": None},
    {"do": "set", "name": "lr", "value": -1},
    {"do": "set", "name": "lr", "value": "abc"},
    {"do": "set", "name": "lrr", "value": 1},
    {"do": "set", "name": "beta1", "value": 1},
    {"do": "set", "name": "clip", "value": None},
    {"do": "set", "name": "clip", "value": 0},
    {"do": "set", "name": "lr", "value": 0.02},
    {"do": "segment", "changes": {"lr": 0}},
    {"do": "segment", "changes": {"hiden": [3]}},
    {"do": "segment", "changes": {"hidden": [0]}},
    {"do": "segment", "changes": {"batch_size": 0}},
    {"do": "segment", "changes": {"batch_size": "full"}},
    {"do": "segment", "changes": {"momentum": 1}},
    {"do": "segment", "changes": {"dropout": -0.1}},
    {"do": "look", "step": 0},
    {"do": "look", "unit": [0, 1]},
    {"do": "look", "unit": [0]},
    {"do": "look", "axes": ["a"]},
    {"do": "beside", "run": "x"},
    {"do": "fan", "kind": "lr", "count": 1, "steps": 5},
    {"do": "fan", "kind": "luck", "count": 2, "steps": 5},
    {"do": "adopt", "future": 64, "as": "segment"},
    {"do": "hello", "protocol": 1, "viewer": "x"},
]


def test_messages_are_refused_by_the_rules_and_in_the_words_of_the_studio() -> None:
    numbered = [message | {"id": k + 10} for k, message in enumerate(MESSAGES)]
    (answers,) = node(
        [task("moons-1", {"source": "moons"}, SMALL, *WATCHED, *(("raw", m) for m in numbered))]
    )
    for message, answer in zip(numbered, answers[3:], strict=True):
        refusal = refusal_of(message)
        if refusal is None:
            assert "error" not in answer, message
            continue
        assert answer["error"]["rule"] == refusal.rule, message
        said = answer["error"]["message"].replace("null", "None").replace("true", "True")
        if not isinstance([*message.values(), 0][1], list):
            assert said == refusal.message.replace(".0", ""), message  # JavaScript has no other 0 than 0


def refusal_of(message: Json) -> TreinoError | None:
    try:
        read_command("run", json.dumps(message))
    except TreinoError as error:
        return error
    return None


def test_at_most_two_frames_are_on_their_way() -> None:
    (answer,) = node(
        [
            task(
                "moons-1",
                {"source": "moons"},
                SMALL,
                ("frame", 0),
                ("draws", False),
                ("say", "step", {"count": 1000}),
                ("reach", 1000),
                ("seen",),
                ("tell", {"ack": 3}),
                ("draws", True),
                ("fresh",),
                ("frame", 1000),
            ),
        ]
    )
    assert max(answer[4]["frames"]) <= 3  # the first was drawn
    assert answer[-1]["step"] == 1000


def test_a_tab_in_the_background_pauses_and_says_so() -> None:
    (answer,) = node(
        [
            task(
                "moons-1",
                {"source": "moons"},
                SMALL,
                ("say", "speed", {"steps_per_second": 50}),
                ("say", "play"),
                ("tell", {"hidden": True}),
                ("notice",),
                ("seen",),
            )
        ]
    )
    assert answer[3]
    assert not answer[4]["state"]["playing"]


def test_a_future_is_adopted_and_a_weight_explained() -> None:
    fan = {"kind": "lr", "count": 4, "steps": 30}
    (answer,) = node(
        [
            task(
                "moons-1",
                {"source": "moons"},
                SMALL,
                *WATCHED,
                ("say", "explain", {"layer": 1, "unit": 0, "input": 1}),
                ("say", "fan", fan),
                ("say", "adopt", {"future": 3, "as": "segment"}),
                ("fresh",),
                ("seen",),
                ("say", "adopt", {"future": 0, "as": "segment"}),
            ),
        ]
    )
    assert answer[3]["title"]
    assert answer[3]["checks"]
    assert "error" not in answer[5], answer[5]
    state = answer[7]["state"]
    assert state["segments"][-1]["origin"] == [0, 60]
    assert state["segments"][-1]["text"].startswith("lr ")
    assert answer[8]["error"]["rule"] == "future_missing"
