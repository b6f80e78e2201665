"""A run's page in the playground: its worker answers, trains and draws as the studio does."""

import base64
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import treino as tr
from apps.studio.tests.playground.node import KERNEL, in_node, node
from treino.base.errors import TreinoError
from treino.folders.stored_run import StoredRun
from treino.training.replay import Snapshot, snapshots
from treino_studio.image_scene import PixelScale, signed_bytes
from treino_studio.playground.tables import tables_in_page
from treino_studio.protocol import read_command
from treino_studio.scene import points_of, scene, sight_of

pytestmark = in_node

Json = dict[str, Any]
Act = tuple[Any, ...]
MOONS: Json = {"source": "moons"}
SMALL: Json = {"hidden": [6, 4], "activation": "tanh", "lr": 0.01}


def ask(tasks: list[Json]) -> list[list[Any]]:
    """What each act of each task gave, in one process."""
    answers: list[list[Any]] = node("server.mjs", {"build": KERNEL, "tasks": tasks})
    for answer in answers:
        last = answer[-1] if answer and isinstance(answer[-1], dict) else {}
        assert "stack" not in str(last) or last["error"]["rule"], last
    return answers


def task(*acts: Act, problem: Json | None = None, settings: Json | None = None, **more: Any) -> Json:
    """What a page of a run, usually of moons, is told to do."""
    create = {"name": "run-1", "problem": problem or MOONS, "settings": settings or SMALL, **more}
    return {"create": create, "acts": list(acts)}


def say(verb: str, **fields: Any) -> Act:
    return "say", verb, fields


def train_to(step: int, *, since: int = 0) -> list[Act]:
    """Take steps up to this one, and wait for its frame."""
    return [say("step", count=step - since), ("reach", step), ("fresh",)]


def trained(source: Any, to: Path, **settings: Any) -> StoredRun:
    """The same training in Python."""
    run = tr.fit(source, out=to, recipe="plain", lean=True, **{"patience": 0, "keep": "last"} | settings)
    assert isinstance(run, StoredRun)
    return run


def drawn_weights(frame: Json) -> list[Any]:
    """Weights and biases of a frame, layer by layer; of networks of at most 12 units these are all."""
    names = [f"{kind}.{k}" for k in range(1, len(frame["layers"])) for kind in ("weight", "bias")]
    parts = [frame["parts"][name] for name in names]
    return [np.array(part["data"], np.float32).reshape(part["shape"]).tolist() for part in parts]


def assert_same_bits(frame: Json, net: Any, what: Any = "") -> None:
    theirs = [parameter.detach().numpy().tolist() for parameter in net.parameters()]
    assert drawn_weights(frame) == theirs, what


def moment(run: StoredRun, step: int) -> Snapshot:
    (snapshot,) = snapshots(run, [step])
    return snapshot


# ---- frames


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
    acts: list[Act] = [("frame", 0), *train_to(40), ("seen",)]
    answers = ask([task(*acts, problem=problem) for problem, _source, _settings in tables.values()])
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
    begin = last if name == "wine" else first  # where it rests, the best two of many columns are chosen anew
    sight = sight_of(begin, run.data, None, None, trained=begin is last)
    scene(begin, run.data, sight, run.loss_function)  # a page chooses units by the first frame of its axes
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
    {"hidden": [6, 4, 4]},
    {"hidden": []},
    {"hidden": [8, 7, 7, 5]},
    {"optimizer": "sgd"},
    {"optimizer": "adamw", "weight_decay": 0.1},
    {"batch_size": "full", "hidden": [6, 4, 3]},
    {"schedule": "cosine"},
    {"dropout": 0.3},
    {"fault": ["missing_zero_grad"], "hidden": [7, 4]},
    {"fault": ["softmax_before_cross_entropy"]},
    {"seed": 3, "dropout": 0.2},
    {"betas": [0.5, 0.9]},
]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(CHANGES[::3], id="some", marks=pytest.mark.slow),
        pytest.param(CHANGES, id="all", marks=pytest.mark.release),
    ],
)
def test_a_segment_has_the_bits_of_the_same_branch_in_python(changed: list[Json], tmp_path: Path) -> None:
    run = trained("moons", tmp_path / "run", data_seed=0, steps=100, keep="best", **SMALL)

    def then(changes: Json) -> Json:
        acts = [*train_to(50), say("segment", changes=changes), *train_to(100, since=50), ("seen",)]
        return task(*acts, settings=SMALL | {"steps": 100})

    for number, answer in enumerate(ask([then(changes) for changes in changed])):
        changes, frame, state = changed[number], answer[6], answer[7]["state"]
        branch = run.at(50).branch(out=tmp_path / str(number), **changes)
        assert_same_bits(frame, moment(branch, 100).net, changes)
        assert state["segments"][1]["origin"] == [0, 50]
        assert state["status"] == "finished"
        for split, figures in branch.metrics.items():
            assert state["metrics"][split] == pytest.approx(figures, rel=1e-5), changes


@pytest.mark.slow
def test_any_past_step_is_played_again_to_the_same_bits() -> None:
    """Also across changes on the way."""
    steps = [1, 5, 33, 34, 60]
    acts: list[Act] = []
    for before, at in zip([0, *steps], steps, strict=False):
        acts += [*train_to(at, since=before), say("set", name="lr", value=0.01 + at / 1000)]
    acts += [act for at in reversed(steps) for act in (say("look", step=at), ("frame", at))]
    (answer,) = ask([task(*acts)])
    live = {answer[k]["step"]: answer[k] for k in range(2, 4 * len(steps), 4)}
    again = {frame["step"]: frame for frame in answer[4 * len(steps) + 1 :: 2]}
    assert sorted(live) == sorted(again) == steps
    for at, frame in again.items():
        assert frame["loss"] == live[at]["loss"]
        assert frame["parts"] == live[at]["parts"], at
        assert frame["live"] == (at == 60)


@pytest.mark.slow
def test_the_replay_of_a_run_makes_its_bits_again() -> None:
    problem = {"source": "circles", "noise": 0.2}
    acts = [
        *[*train_to(60), say("set", name="lr", value=0.05), *train_to(70, since=60)],
        *[say("segment", changes={"hidden": [8, 4, 4]}), *train_to(100, since=70)],
        *[say("segment", changes={"optimizer": "sgd"}, step=80), *train_to(95, since=80), ("seen",)],
    ]
    (made,) = ask([task(*acts, problem=problem)])
    frame, state = made[-2], made[-1]["state"]
    assert [entry[0] for entry in state["replay"]] == [60, 70, 80]
    assert state["command"] is None
    link = {"step": 95, "actions": state["replay"]}
    (again,) = ask([task(("reach", 95), ("frame", 95), ("seen",), problem=problem, **link)])
    assert drawn_weights(again[1]) == drawn_weights(frame)
    assert again[2]["state"]["replay"] == state["replay"]


def stretches(state: Json) -> list[Any]:
    return [tuple(each[k] for k in ("segment", "first", "last", "text", "left")) for each in state["history"]]


@pytest.mark.parametrize(
    "first",
    [
        say("set", name="lr", value=0.1),
        say("segment", changes={"lr": 0.1}),
        say("segment", changes={"seed": 5}),
    ],
)
def test_all_that_was_changed_at_one_step_is_told_together(first: list[Any]) -> None:
    acts = [*train_to(20), first, say("segment", changes={"batch_size": 64}), *train_to(30, since=20)]
    (answer,) = ask([task(*acts, ("seen",), say("take", form="script"))])
    state = answer[-2]["state"]
    told = f"{'seed 5' if 'seed' in str(first) else 'lr 0.1'} · batch_size 64"
    assert [text for *_, text, left in stretches(state) if not left] == ["", told]
    assert [mark["text"] for mark in state["marks"]] == [told]
    assert answer[-1]["error"]["rule"] == "script_segments"


@pytest.mark.slow
def test_a_way_that_was_left_is_listed_and_come_back_to() -> None:
    """To its bits, and from there on as if it had not been left."""
    acts = [
        *[*train_to(60), say("segment", changes={"lr": 0.1}, step=20), *train_to(50, since=20), ("seen",)],
        *[say("look", segment=0, step=60), ("fresh",), *train_to(70, since=60), ("seen",)],
    ]
    answer, straight = ask([task(*acts), task(*train_to(60), *train_to(70, since=60), ("seen",))])
    left, back, gone_on, state = answer[7]["state"], answer[9], answer[12], answer[13]["state"]
    assert stretches(left) == [(0, 0, 20, "", False), (0, 20, 60, "", True), (1, 20, 50, "lr 0.1", False)]
    assert left["history"][1]["figures"].keys() == {"loss", "accuracy"}
    assert back["parts"] == straight[2]["parts"]
    assert gone_on["parts"] == straight[5]["parts"]
    assert [each["left"] for each in state["history"]] == [False, False, True]
    assert answer[13]["curves"]["run-1"]["loss"] == straight[6]["curves"]["run-1"]["loss"]


def test_a_branch_goes_its_own_way_beside_its_run() -> None:
    acts = [
        *[*train_to(60), say("branch", changes={"lr": 0.1}, step=20), ("fresh",), ("seen",)],
        *[("open", "run-2"), say("beside", run="run-1", shown=True), *train_to(30, since=20), ("seen",)],
    ]
    (answer,) = ask([task(*acts)])
    reply, frame, run = answer[3:6]
    assert reply["run"] == "run-2"
    assert run["state"]["beside"] == [
        {"run": "run-2", "letter": "B", "step": 20, "status": "running", "text": "lr 0.1"}
    ]
    assert run["curves"]["run-2"]["loss"] == run["curves"]["run-1"]["loss"][:20]
    assert frame["beside"] == {"run": "run-2", "step": 20}
    assert "beside.winner" in frame["parts"]
    frame, branch = answer[-2:]
    assert frame["beside"] == {"run": "run-1", "step": 30}
    assert (branch["state"]["name"], branch["state"]["last_step"]) == ("run-2", 30)
    assert branch["state"]["letter"] == "B"  # on its own page, too
    assert [each["letter"] for each in branch["state"]["beside"]] == ["A"]
    assert branch["state"]["replay"] == [[20, "segment", {"changes": {"lr": 0.1}}]]


# ---- the end


@pytest.mark.slow
def test_what_goes_on_after_the_end_goes_on_for_as_long_again() -> None:
    """Futures, a branch and Play, by one rule; fewer epochs than are done are refused."""
    end = {"settings": SMALL | {"steps": 22}}
    fan = [say("fan", kind="lr", count=2, steps=10), ("fanned",), say("adopt", future=0, **{"as": "segment"})]
    branch = [say("branch", changes={}), ("open", "run-2"), ("frame",)]
    cases = [[*fan, ("fresh",), ("seen",)], [*branch, ("seen",)]]
    cases += [[say("epoch", count=1), ("reach", 44), ("seen",)], [say("segment", changes={"epochs": 1})]]
    for case, answer in zip(
        cases, ask([task(*train_to(22), ("seen",), *case, **end) for case in cases]), strict=True
    ):
        state, last = answer[3]["state"], answer[-1]
        assert (state["status"], state["length"]) == (
            "finished",
            {"epochs": 1, "goes_on_to": 2, "over": True},
        )
        if case[-1] == ("seen",):
            assert last["state"]["planned_steps"] == 44
        else:
            assert last["error"]["rule"] == "branch_over"
        if case[:3] == fan:
            futures = answer[5]["fan"]["futures"]
            assert [future["step"][-1] for future in futures] == [32, 32]
            assert futures[0]["text"].startswith("lr ")


@pytest.mark.slow
def test_test_rows_are_judged_once_the_run_is_over_as_treino_train_judges_them(tmp_path: Path) -> None:
    """With the weights of the best validation loss; the command of the state trains the same."""
    acts = [
        *[say("epoch", count=7), ("reach", 154), ("fresh",), ("seen",)],
        *[say("stop"), ("status", "finished"), ("fresh",), ("seen",), *train_to(155, since=154), ("seen",)],
    ]
    (answer,) = ask([task(*acts, settings=SMALL | {"lr": 0.1, "weight_decay": 0.001, "clip": 2})])
    (frame, during), (last, over), (_frame, on) = answer[2:4], answer[6:8], answer[-2:]
    assert during["state"]["metrics"] is None
    assert during["state"]["unseen"] == on["state"]["unseen"] == ["test"]
    assert not [name for name in (*frame["parts"], *frame["evaluation"]) if "test" in name]
    assert over["state"]["unseen"] == []
    assert "predicted.test" in last["parts"]
    assert during["state"]["command"] == over["state"]["command"] + " --keep last"
    assert over["state"]["replay"] == [[154, "stop", {}]]
    assert on["state"]["replay"] == []
    word, verb, source, *flags = shlex.split(over["state"]["command"])
    assert (word, verb, source) == ("treino", "train", "moons")
    typed = dict(zip([flag[2:].replace("-", "_") for flag in flags[::2]], flags[1::2], strict=True))
    run = trained(source, tmp_path / "run", keep="best", **typed)
    assert run.steps == 154
    for split, figures in run.metrics.items():
        assert over["state"]["metrics"][split] == pytest.approx(figures, rel=1e-5)
    assert on["state"]["metrics"] is None
    assert on["state"]["segments"][-1]["origin"] == [0, 154]


def test_a_training_that_diverges_ends_with_its_last_finite_weights(tmp_path: Path) -> None:
    wild = {"hidden": [6, 4], "activation": "relu", "optimizer": "sgd", "lr": 1e9, "loss": "mse"}
    columns = waves(2)
    source = as_csv(columns, tmp_path / "waves.csv")
    run = trained(source, tmp_path / "run", target="y", data_seed=0, steps=50, **wild)
    acts = [say("play"), ("status", "diverged"), ("fresh",), ("seen",), say("play"), ("status", "diverged")]
    (answer,) = ask([task(*acts, problem=table_problem(columns, "y"), settings=wild)])
    frame, state = answer[2], answer[3]["state"]
    assert run.status == "diverged"
    assert frame["step"] == state["last_step"] == run.steps
    assert_same_bits(frame, moment(run, run.steps).net)
    assert any(finding["severity"] == "wrong" for finding in state["findings"])


@pytest.mark.slow
def test_digits_are_pictures_as_the_studio_has_them(tmp_path: Path) -> None:
    settings: Json = {"hidden": [12, 8], "activation": "relu", "lr": 0.01}
    problem = {"source": "table", "table": tables_in_page()["digits"], "data_seed": 0}
    pixels = base64.b64encode(bytes(range(0, 256, 4))).decode()
    acts = [
        *[*train_to(120), ("seen",), say("look", picture=["validation", 7]), ("fresh",)],
        *[say("draw", pixels=pixels), ("fresh",), say("draw", pixels="AAAA")],
        *[say("look", picture=["test", 0]), say("look", picture=["train", 5000])],
    ]
    (answer,) = ask([task(*acts, problem=problem, settings=settings)])
    first, seen, row, drawn = answer[2], answer[3], answer[5], answer[7]
    assert [each["error"]["rule"] for each in answer[8:]] == [
        "picture_length",
        "picture_unseen",
        "picture_missing",
    ]
    run = trained("digits", tmp_path / "run", data_seed=0, steps=120, **settings)
    net: Any = moment(run, 120).net
    rows = run.data.validation
    out_NC = net(rows.x).detach()
    said_N, true_N = out_NC.argmax(1), rows.y

    def part(frame: Json, name: str) -> np.ndarray:
        return np.array(frame["parts"][name]["data"]).reshape(frame["parts"][name]["shape"])

    assert first["shows"] == "images"
    assert seen["state"]["data"]["kind"] == "image"
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (true_N.numpy(), said_N.numpy()), 1)
    assert (part(first, "confusion") == confusion).all()
    own_N = out_NC.softmax(1).gather(1, true_N[:, None])[:, 0]
    wrong = (said_N != true_N).nonzero().flatten()
    worst = wrong[own_N[wrong].argsort()[:12]]
    assert part(first, "digit.place").tolist() == worst.tolist()
    scale = PixelScale.of(run.data, run.data.train)
    scale = replace(scale, data=replace(run.data, item_shape=(8, 8)))
    for shown, place_K in ((part(first, "digits"), worst), (part(row, "picture")[None], [7])):
        assert np.abs(shown - scale.pixels(rows.x[place_K], 64)).max() <= 1  # whose halves stand beside them
    assert row["picture"]["true"] == int(true_N[7])
    assert np.allclose(part(row, "answer"), out_NC[7].softmax(0).numpy(), atol=1e-5)
    hidden = torch.relu(net[0](rows.x[7])).detach().numpy()
    assert np.allclose(part(row, "value.1"), hidden[row["layers"][0]["units"]], atol=1e-4)
    assert (
        part(first, "tile.1")[0, 0] == signed_bytes(net[0].weight[:1].detach().numpy(), (1,))[0].reshape(8, 8)
    ).all()
    assert part(drawn, "picture").tobytes() != part(row, "picture").tobytes()
    assert drawn["picture"]["split"] is None
    raw = run.data.preparation.transform(np.arange(0, 256, 4)[None] / 255 * 16)
    assert np.allclose(part(drawn, "answer"), net(raw)[0].softmax(0).detach().numpy(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("drops", [{}, {"dropout": 0.2, "hidden": [9], "channels": [3, 5]}])
def test_channels_of_convolutions_are_shown_as_torch_computes_them(tmp_path: Path, drops: Json) -> None:
    settings: Json = {"channels": [8, 16], "hidden": [], "activation": "relu", "lr": 0.01} | drops
    problem = {"source": "table", "table": tables_in_page()["digits"], "data_seed": 0}
    acts = [
        *[*train_to(60), say("look", picture=["validation", 7]), ("fresh",), ("seen",)],
        *[
            say("explain"),
            say("segment", changes={"channels": [4]}),
            say("segment", changes={"channels": []}, step=0),
        ],
        *[("fresh",), ("seen",)],
    ]
    (answer,) = ask([task(*acts, problem=problem, settings=settings)])
    row, state, explained, refused, _begun, first, begun = answer[4], answer[5]["state"], *answer[6:]
    run = trained(
        "digits",
        tmp_path / "run",
        net="cnn",
        data_seed=0,
        steps=60,
        schedule="constant",
        batch_size=32,
        **settings,
    )
    net: Any = moment(run, 60).net.eval()
    x = run.data.validation.x[7].reshape(1, 1, 8, 8)
    given = [x := module(x).detach() for module in net]
    maps = [given[1][0].numpy(), given[4][0].numpy()]  # after the activation
    for k, (map_UHW, layer) in enumerate(zip(maps, row["layers"], strict=False), 1):
        part = row["parts"][f"map.{k}"]
        shown_UHW = np.array(part["data"]).reshape(part["shape"])
        drawn_UHW = map_UHW[layer["units"]]
        assert (
            np.abs(shown_UHW - signed_bytes(drawn_UHW, None)[0]).max() <= 1
        )  # whose halves stand beside them
        assert row["picture"]["largest"][str(k)] == pytest.approx(drawn_UHW.max(), rel=1e-4)
    names = [f"{k}" for k, module in enumerate(net) if hasattr(module, "weight")]
    assert [layer["name"] for layer in row["layers"]] == names
    assert row["layers"][0]["what"] == "Conv2d, ReLU, MaxPool2d"
    assert row["parts"]["tile.1"]["shape"][1:] == [1, 3, 3]
    assert np.allclose(row["parts"]["answer"]["data"], x[0].softmax(0), atol=1e-5)
    assert state["network"] == {
        "parameters": sum(p.numel() for p in net.parameters()), "hidden": settings["hidden"], "fixed": "cnn",
    }  # fmt: skip
    assert explained["error"]["rule"] == "explain_net"
    assert refused["error"]["rule"] == "network_kept"
    assert begun["state"]["settings"]["hidden"] == [64, 32]
    assert first["step"] == 0
    assert [layer["total"] for layer in first["layers"]] == [64, 32, 10]


# ---- the protocol

MESSAGES: list[Json] = [
    {"do": "play"},
    {"do": "fly"},
    {"do": 3},
    {},
    {"do": "play", "fast": True},
    {"do": "step", "count": 0},
    {"do": "step", "count": 1.5},
    *({"do": "speed", "steps_per_second": speed} for speed in (0, 0.005, 0.0099, 1e6 + 1)),
    {"do": "set", "name": "lr", "value": 0},
    {"do": "set", "name": "lr", "value": "abc"},
    {"do": "set", "name": "beta1", "value": 1},
    {"do": "set", "name": "lr", "value": 0.02},
    {"do": "segment", "changes": {"lr": 0}},
    {"do": "segment", "changes": {"hiden": [3]}},
    {"do": "look", "unit": [0]},
    {"do": "beside", "run": "x"},
    {"do": "fan", "kind": "lr", "count": 1, "steps": 5},
    {"do": "adopt", "future": 64, "as": "segment"},
    {"do": "hello", "protocol": 1, "viewer": "x"},
]


def refusal_of(message: Json) -> TreinoError | None:
    try:
        read_command("run", json.dumps(message))
    except TreinoError as error:
        return error
    return None


@pytest.mark.slow
def test_messages_are_refused_by_the_rules_and_in_the_words_of_the_studio() -> None:
    numbered = [message | {"id": k + 10} for k, message in enumerate(MESSAGES)]
    (answers,) = ask([task(*train_to(60), *(("raw", message) for message in numbered))])
    for message, answer in zip(numbered, answers[3:], strict=True):
        refusal = refusal_of(message)
        assert answer.get("error", {}).get("rule") == (refusal and refusal.rule), message
        if refusal is None or any(isinstance(value, list) for value in message.values()):
            continue
        said = answer["error"]["message"].replace("null", "None").replace("true", "True")
        assert said == re.sub(r"\.0\b", "", refusal.message), message  # JavaScript has no other 0 than 0


@pytest.mark.slow
def test_any_problem_and_network_is_trained_looked_at_and_ended() -> None:
    numbers = waves(1)[0]
    line = table_problem([numbers, ("y", np.array([0, 1] * 60))], "y")
    held_back = {"validation": 0, "test": 0}
    cases: list[Json] = [
        {"problem": line},
        {"problem": MOONS | held_back},
        {"problem": {"source": "circles", "features": ["x²", "y²", "xy"]}},
        {"problem": table_problem(waves(4), "y") | held_back, "settings": SMALL | {"loss": "huber"}},
        {"settings": {"hidden": []}},
        {"settings": {"hidden": [4] * 9}},
        {"settings": {"hidden": [70, 70]}},
        {"settings": SMALL | {"loss": "bce", "optimizer": "sgd", "momentum": 0.9}},
        {"settings": SMALL | {"batch_size": "full", "fault": ["missing_zero_grad"], "dropout": 0.2}},
        {"settings": SMALL | {"steps": 5}},
    ]
    acts = [
        *[*train_to(4), say("look", step=2, axes=None, unit=[1, 0]), ("frame", 2)],
        *[say("look", unit=[1, 1]), ("fresh",), say("fan", kind="seed", count=2, steps=5)],
        *[say("set", name="weight_decay", value=0.01), say("take", form="weights"), say("stop"), ("fresh",)],
    ]
    for case, answer in zip(cases, ask([task(*acts, **case) for case in cases]), strict=True):
        assert not [each for each in answer if isinstance(each, dict) and "error" in each], case
        assert "unit" in answer[4]["parts"], case
        assert answer[-1]["evaluation"]["train"]["loss"] is not None, case
