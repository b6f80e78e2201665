"""Networks of one's own and their arguments in sweeps, studies and single trainings, through every door."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import treino as tr
from tests.conftest import Treino, refusal_of
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.base.own_objects import keep

FILE = """
import torch
from torch import nn

print("the file runs", flush=True)


class Net(nn.Module):
    def __init__(self, width=16, act="relu"):
        super().__init__()
        acts = {"relu": nn.ReLU, "tanh": nn.Tanh}
        self.layers = nn.Sequential(nn.Linear(13, width), acts[act](), nn.Linear(width, 3))

    def forward(self, x):
        return self.layers(x)


def stack(sizes=(8,)):
    layers, last = [], 13
    for size in sizes:
        layers += [nn.Linear(last, size), nn.ReLU()]
        last = size
    return nn.Sequential(*layers, nn.Linear(last, 3))


class Needs(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.out = nn.Linear(13, 3)


def four(width=8):
    return nn.Linear(13, 3 if width == 8 else 4)


def ready_made():
    return nn.Linear(13, 3)


ready = nn.Linear(13, 3)


def focal(output, target):
    entropy = torch.nn.functional.cross_entropy(output, target, reduction="none")
    return (1 - torch.exp(-entropy)) ** 2 * entropy
"""


class Net(nn.Module):
    def __init__(self, width: int = 16, act: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, width), act(), nn.Linear(width, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layers(x)
        return out


class Deep(nn.Module):
    def __init__(self, width: int = 8, depth: int = 1) -> None:
        super().__init__()
        self.first = nn.Linear(13, width)
        self.rest = nn.ModuleList(nn.Linear(width, width) for _layer in range(depth))
        self.last = nn.Linear(width, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(x)
        for layer in self.rest:
            h = layer(h.relu())
        out: torch.Tensor = self.last(h)
        return out


class Recurrent(nn.Module):
    def __init__(self, hidden: int = 4, kind: type[nn.Module] = nn.LSTM) -> None:
        super().__init__()
        self.recurrent = kind(5, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.out(self.recurrent(x)[0][:, -1])
        return out


FEW: dict[str, Any] = {"epochs": 2, "fresh": 0}


def same(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def alone(*words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that has none of the objects."""
    return subprocess.run(
        [sys.executable, "-m", "treino", *words], capture_output=True, text=True, check=False
    )


@pytest.fixture
def nets(treino: Treino) -> Treino:
    """The command line, in a folder with ``nets.py``."""
    Path("nets.py").write_text(FILE)
    return treino


# ---- in Python


@pytest.mark.slow
def test_a_class_its_arguments_a_loss_and_an_optimizer_in_one_space(treino: Treino) -> None:
    def smooth(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(output, target, label_smoothing=0.1)

    space = {
        "net.width": [8, 16, 32],
        "net.act": [nn.ReLU, nn.Tanh],
        "loss": ["cross_entropy", smooth],
        "optimizer": ["adam", torch.optim.RMSprop],
        "lr": "1e-3..1e-1:log",
    }
    sweep: Any = tr.sweep("wine", space, net=Net, members=8, name="first", **FEW)
    rows = sweep.frame.set_index("member")
    assert set(rows["net.width"]) <= {8, 16, 32}
    assert all(rows["parameters"] == 13 * rows["net.width"] + rows["net.width"] * 4 + 3)
    assert {name.partition("@")[0] for name in rows["net.act"]} == {"ReLU", "Tanh"}
    assert sweep.judge["certificate"]["same_bits"]
    width = rows["net.width"][sweep.result.best.member]
    assert f"width={width}" in sweep.best.settings["net"]
    assert len(sweep.predict("wine")) == 178
    shown = treino("show", "first", "--json").document
    assert shown["best"]["params"]["net.width"] == width
    assert "net.width" in treino("show", "first").out


@pytest.mark.slow
def test_one_member_a_single_training_and_company_give_the_same_bits(treino: Treino) -> None:
    company: Any = tr.sweep("wine", {"net.width": [8, 16, 24]}, net=Net, sampler="grid", lr=0.01, **FEW)
    one: Any = tr.sweep("wine", {"net.width": [16]}, net=Net, members=1, lr=0.01, **FEW)
    by_partial = tr.fit("wine", partial(Net, width=16), lr=0.01, epochs=2)
    Path("nets.py").write_text(FILE)
    by_text = tr.fit("wine", "nets.py:Net(width=16)", lr=0.01, epochs=2)
    for other in (one.best, by_partial, by_text):
        assert same(company.member(1).state, other.state)
    assert by_text.settings["net"] == "net.py:Net(width=16)"


@pytest.mark.slow
def test_classes_of_different_shapes_compete_in_one_leaderboard(treino: Treino) -> None:
    space = {"net": ["mlp", Net, Deep], "net.depth": "1..3 if net=Deep", "net.act": f"{nn.Tanh.__name__}"}
    assert refusal_of(tr.sweep, "wine", space, **FEW).rule == "net_argument_alone"
    del space["net.act"]
    sweep: Any = tr.sweep("wine", space, members=9, sampler="random", **FEW)
    leaders = sweep.result.leaderboard
    kinds = {leader.params["net"].partition("@")[0] for leader in leaders}
    assert kinds == {"mlp", "Net", "Deep"}
    for leader in leaders:
        assert ("net.depth" in leader.params) == leader.params["net"].startswith("Deep@")
    again: Any = tr.sweep("wine", space, members=9, sampler="random", **FEW)
    assert same(sweep.best.state, again.best.state)


@pytest.mark.slow
def test_recurrent_classes_over_sequences(treino: Treino) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(90, 6, 5)).astype("float32")
    y = (x.sum((1, 2)) > 0).astype(int)
    space = {"net.hidden": [3, 6], "net.kind": [nn.LSTM, nn.GRU], "lr": [0.01]}
    sweep: Any = tr.sweep((x, y), space, net=Recurrent, sampler="grid", **FEW)
    assert len(sweep.frame) == 4
    assert len(sweep.predict(x[:5])) == 5
    more: Any = tr.sweep((x, y), {"net.hidden": "2..6"}, net=Recurrent, members=2, sampler="random", **FEW)
    assert len(more.resume(more=2).frame) == 4


@pytest.mark.slow
def test_what_else_can_be_a_network(treino: Treino) -> None:
    given: list[Any] = [partial(Net, width=5), lambda: Net(6), Net(7), nn.Linear(13, 3)]
    sweep: Any = tr.sweep("wine", {"net": given, "lr": [0.01]}, sampler="grid", **FEW)
    assert sorted(sweep.frame["parameters"]) == [42, 88, 105, 122]
    varied: Any = tr.sweep("wine", {"net.w": [3, 4]}, net=lambda w=2: Net(w), sampler="grid", **FEW)
    assert sorted(varied.frame["parameters"]) == [54, 71]
    assert tr.fit("wine", Net, seeds=2, epochs=1).figures
    assert tr.fit("wine", partial(Net, width=4), folds=2, epochs=1).figures
    study = tr.study("wine", Net, cells=[{"net.width": 4}, {"net": Deep, "lr": 0.01}], epochs=2)
    assert [row["parameters"] for row in json.loads(json.dumps(study.document))["rows"]] == [71, 211]


def test_classes_that_only_look_alike_are_told_apart(treino: Treino) -> None:
    def made(width: int) -> type[nn.Module]:
        class Twin(nn.Module):
            def __init__(self) -> None:
                super(Twin, self).__init__()  # noqa: UP008
                self.out = nn.Sequential(nn.Linear(13, width), nn.Linear(width, 3))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                out: torch.Tensor = self.out(x)
                return out

        return Twin

    sizes = [len(tr.fit("wine", made(width), epochs=1).state["out.0.bias"]) for width in (4, 9)]
    assert sizes == [4, 9]
    cell = "class Net(nn.Module):\n    def forward(self, x): return {}"
    names = []
    for body in ("x", "x + 1"):  # a cell of a notebook, run again after a change
        place: dict[str, Any] = {"nn": nn, "__name__": "__main__"}
        exec(cell.format(body), place)
        names.append(keep(place["Net"]))
    assert names[0] != names[1]


@pytest.mark.release
def test_another_program_is_told_what_it_must_give(treino: Treino) -> None:
    tr.sweep("wine", {"net.width": [8, 16]}, net=Net, name="first", members=2, **FEW)
    assert alone("show", "first").returncode == 0
    assert "net=" in alone("predict", "first", "wine").stderr
    assert "own=[...]" in alone("train", "--like", "first:0").stderr
    toml = alone("show", "first", "--as", "toml").stdout
    assert re.search(r'^net = "Net@[0-9a-f]{8}"$', toml, re.M)
    Path("nets.py").write_text(FILE)
    like = alone("train", "--like", "first:0", "--net", "nets.py:Net", "--name", "like")
    assert like.returncode == 0, like.stderr
    width = tr.open("first").frame["net.width"][0]
    assert tr.open("like").settings["net"] == f"net.py:Net(width={width})"
    assert same(tr.open("like", trust=True).state, tr.open("first", own=[Net]).member(0).state)
    assert len(tr.open("first/best", net=Net).predict("wine")) == 178
    assert refusal_of(lambda: tr.open("first/best", net=Net(5)).module).rule == "net_differs"


BAD: dict[str, tuple[Any, Any, str, str]] = {
    "an argument that it hasn't": (Net, {"net.widht": [8]}, "net_argument", "'width'? It has: width, act."),
    "none at all": (lambda: Net(3), {"net.width": [8]}, "net_argument", "It has none."),
    "a network that is there": (Net(8), {"net.width": [8]}, "net_argument", "give its class"),
    "one without a default": (lambda width: Net(width), {"lr": [0.1]}, "net_argument", "net.width=16|32"),
    "a wrong type": (Net, {"net.width": ["wide"]}, "net_fails", "width='wide'"),
    "a float": (Net, {"net.width": [8.0]}, "net_fails", "width=8.0"),
    "no value": (Net, {"net.width": [{"a": 1}]}, "net_argument_value", "in Python also a function"),
    "nested": (Net, {"net.width": [[[1], [2]]]}, "net_argument_value", "a list of these"),
    "commas": (Net, {"net.width": "8,16"}, "space_comma", "net.width=8|16"),
    "treino's own": ("mlp", {"net.width": [8]}, "net_argument_alone", "FILE.py:NAME"),
    "no network": (dict, {"lr": [0.1]}, "net_kind", "Return the network"),
    "a number": (3, {"lr": [0.1]}, "net_type", "FILE.py:NAME"),
}


@pytest.mark.parametrize(("net", "space", "rule", "hint"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused_before_anything_is_written(
    net: Any, space: Any, rule: str, hint: str, treino: Treino
) -> None:
    refused = refusal_of(tr.sweep, "wine", space, net=net, members=2, **FEW)
    assert (refused.rule, hint in f"{refused.message} {refused.hint}") == (rule, True), refused
    assert not Path("runs").exists()


def test_the_point_of_the_space_is_named_at_which_a_network_fails(treino: Treino) -> None:
    def picky(width: int = 8) -> nn.Module:
        if width == 16:
            raise ValueError("16 is none of mine")
        return Net(width)

    def chance(width: int = 8) -> nn.Module:
        net = Net(width)
        nn.init.constant_(net.layers[0].bias, os.urandom(1)[0] / 256)
        return net

    grid = {"net.width": [8, 16]}
    failing = refusal_of(tr.sweep, "wine", grid, net=picky, sampler="grid", **FEW)
    assert failing.message.startswith("Network 1 (net.width=16): Making the network raises ValueError: 16 is")
    drawn = refusal_of(tr.sweep, "wine", grid, net=chance, sampler="grid", **FEW)
    assert (drawn.rule, "Network 0 (net.width=8)" in drawn.message) == ("net_chance", True)
    shapes = refusal_of(
        tr.sweep, "wine", grid, net=lambda width=8: nn.Linear(13, width), sampler="grid", **FEW
    )
    assert shapes.rule == "net_output"
    assert "(net.width=8)" in shapes.message


# ---- on the command line


@pytest.mark.release
def test_a_file_in_a_sweep_is_sealed_read_and_run_by_trust(nets: Treino) -> None:
    words = ("--net", "nets.py:Net", "--space", "net.width=8|16|24", "--space", "lr=1e-3..1e-1:log")
    made = nets(
        "sweep", "wine", *words, "--members", 6, "--epochs", 2, "--fresh", 0, "--name", "first", "--json"
    )
    assert made.status == 0, made.err
    assert made.document["judge"]["certificate"]["same_bits"]
    assert {type(row["params"]["net.width"]) for row in made.document["leaderboard"]} == {int}
    Path("nets.py").unlink()
    strange = alone("predict", "first", "wine")
    assert (strange.returncode, "--trust" in strange.stderr) == (2, True)
    assert "the file runs" not in strange.stdout + strange.stderr
    for verb in (
        "predict first wine",
        "verify first:0",
        "train --like first:0 --name like",
        "resume first --more 2",
    ):
        said = alone(*verb.split(), "--trust")
        assert said.returncode == 0, (verb, said.stderr)
    assert same(tr.open("like", trust=True).state, tr.open("first", trust=True).member(0).state)
    assert alone("report", "first", "--markdown").returncode == 0
    for name in ("first", "like"):
        Path(f"{name}.toml").write_text(nets("show", name, "--as", "toml").out)
    again = nets("sweep", "--config", "first.toml", "--name", "again")
    assert again.status == 0, again.err
    assert same(tr.open("again", trust=True).member(0).state, tr.open("first", trust=True).member(0).state)
    assert nets("train", "--config", "like.toml", "--name", "once-more").status == 0
    assert same(tr.open("once-more", trust=True).state, tr.open("like", trust=True).state)


@pytest.mark.release
def test_files_of_several_networks_with_conditions_and_own_losses(nets: Treino) -> None:
    spaces = (
        "net=nets.py:Net(act=tanh)|nets.py:stack|mlp",
        "net.width=8|16 if net=nets.py:Net(act=tanh)",
        "net.sizes=(8,)|(12, 6)|() if net=nets.py:stack",
        "loss=cross_entropy|nets.py:focal",
    )
    words = [word for space in spaces for word in ("--space", space)]
    sampled = ("--members", 10, "--sampler", "random", "--epochs", 2, "--fresh", 0)
    made = nets("sweep", "wine", *words, *sampled, "--name", "first", "--json")
    assert made.status == 0, made.err
    for row in made.document["leaderboard"]:
        net = row["params"]["net"]
        assert ("net.width" in row["params"]) == net.startswith("nets/nets.py:Net")
        assert ("net.sizes" in row["params"]) == (net == "nets/nets.py:stack")
    Path("first.toml").write_text(nets("show", "first", "--as", "toml").out)
    again = nets("sweep", "--config", "first.toml", "--name", "again", "--json")
    assert again.status == 0, again.err
    figures = [[row["validation"] for row in of.document["leaderboard"]] for of in (made, again)]
    assert figures[0] == figures[1]
    assert alone("resume", "first", "--more", "2", "--trust").returncode == 0
    assert alone("train", "--like", "first:3", "--trust").returncode == 0


@pytest.mark.release
def test_one_spelling_everywhere(nets: Treino) -> None:
    word = "nets.py:Net( width=6,act='tanh' )"
    assert nets("train", "wine", "--net", word, "--epochs", 3, "--name", "first").status == 0
    run = tr.open("first")
    assert run.settings["net"] == "net.py:Net(width=6, act=tanh)"
    assert tr.open("first", net="nets.py:Net").module.layers[0].out_features == 6
    assert nets("verify", "first", "--trust").status == 0
    assert nets("resume", "first", "--trust").status == 2
    assert nets("export", "first", "--format", "script", "--trust").status == 0
    assert "return Net(width=6, act='tanh')" in Path("runs/first/exports/first.py").read_text()
    said = subprocess.run(
        [sys.executable, "first.py"], cwd="runs/first/exports", capture_output=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert nets("train", "--rewind", "first:5", "--lr", 0.02, "--trust").status == 0
    Path("treino.toml").write_text("")
    Path("space.toml").write_text('lr = "1e-3..1e-1:log"\nnet.width = [4, 8]\nnet.act = "tanh|relu"\n')
    swept = nets(
        "sweep",
        "wine",
        "--net",
        "nets.py:Net",
        "--space",
        "space.toml",
        "--members",
        3,
        "--json",
        "--fresh",
        0,
    )
    assert {"lr", "net.width", "net.act"} == set(swept.document["leaderboard"][0]["params"])
    cells = ("--cell", "net.width=4,lr=0.1", "--cell", "net=nets.py:stack(sizes=(4, 4)),batch_size=16")
    study = nets("study", "wine", "--net", "nets.py:Net", *cells, "--epochs", 2, "--json")
    assert study.status == 0, study.err
    assert [row["parameters"] for row in study.document["rows"]] == [71, 91]
    seeds = nets("train", "wine", "--net", word, "--seeds", 2, "--epochs", 1)
    assert seeds.status == 0, seeds.err


@pytest.mark.parametrize(
    ("word", "rule"),
    [
        ("nets.py:Net(8)", "net_form"),
        ("nets.py:Net(width=8", "net_form"),
        ("nets.py:Net(width=8), x=f(y=1)", "net_form"),
        ("nets.py:Net(width=os.sep)", "net_fails"),
        ("nets.py:Net(width=8, width=9)", "net_form"),
        ("nets.py:Net(width=1e999)", "net_argument_value"),
        ("nets.py:Net(act=wild)", "net_fails"),
        ("nets.py:Net(widht=8)", "net_argument"),
        ("nets.py:Needs", "net_argument"),
        ("nets.py:ready(width=8)", "net_argument"),
        ("nets.py:ready_made(width=8)", "net_argument"),
        ("nets.py:four(width=9)", "net_output"),
    ],
)
def test_bad_words_are_refused(word: str, rule: str, nets: Treino) -> None:
    said = nets("train", "wine", "--net", word, "--json")
    assert said.document["error"]["rule"] == rule
    assert not Path("runs").exists()
