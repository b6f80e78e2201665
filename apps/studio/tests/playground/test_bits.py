"""Trainings of the playground's page, in node and in Chromium, end with the bits of ``treino train``."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.conftest import Said
from tests.plots.browser import chromium
from tools.wasm import SHIPPED

import treino as tr
from apps.studio.tests.playground.node import KERNEL, in_node, node
from treino.engine import Bags, mlp, train
from treino.engine.optim import BETAS
from treino.folders.store.checkpoint import from_bytes
from treino_studio.playground.tables import tables_in_page

ROOT = Path(__file__).parents[4]
FLAGS = ("--experimental-wasm-relaxed-simd",)  # newer ones take them without
WAYS = {"by the browser's multiply-adds": True, "by emulated ones": False}
ways = pytest.mark.parametrize("relaxed", WAYS.values(), ids=WAYS.keys())
pytestmark = in_node

Json = dict[str, Any]
Bits = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A training. data, own: as ``treino train`` takes them; problem: what the page's has besides."""

    data: str
    settings: Json
    problem: Json = field(default_factory=dict)
    own: Json = field(default_factory=dict)


WINE_2 = ["alcohol", "color_intensity"]
CSV = "height;kind;weight\n" + "\n".join(
    f"{150 + i * 7 % 50},{i % 10};{'ab'[(i * i // 7 + i // 31) % 2]};{45 + i * 13 % 60}" for i in range(150)
)
CASES = {
    "spirals for long": Case(
        "spirals", {"hidden": [16, 8], "activation": "tanh", "lr": 0.01, "steps": 20_000}
    ),
    "moons, dropout, clip, decay, cosine": Case(
        "moons",
        {"hidden": [32], "activation": "gelu", "lr": 0.01, "dropout": 0.3, "clip": 0.5, "optimizer": "adamw",
         "weight_decay": 0.05, "schedule": "cosine", "warmup": 50, "steps": 2000, "seed": 2**40 + 7},
    ),
    "circles, sgd, momentum, step": Case(
        "circles",
        {"hidden": [16, 8], "activation": "silu", "lr": 0.1, "optimizer": "sgd", "momentum": 0.9,
         "nesterov": True, "schedule": "step", "batch_size": 50, "steps": 1500, "seed": 7,
         "weight_decay": 1e-3},
    ),
    "wine, one-cycle": Case(
        "wine",
        {"hidden": [64, 32], "activation": "sigmoid", "lr": 0.05, "schedule": "one-cycle", "batch_size": 20,
         "steps": 1000, "seed": 5, "ema": 0.99},
    ),
    "wine of two columns": Case(
        "wine", {"hidden": [8, 6], "activation": "relu", "lr": 0.05, "steps": 3000, "batch_size": "full"},
        {"features": WINE_2}, {"features": WINE_2},
    ),
    "digits": Case("digits", {"hidden": [64, 32], "activation": "relu", "steps": 500}),
    "digits, convolutions": Case(
        "digits",
        {"channels": [8, 16], "hidden": [], "activation": "relu", "lr": 0.003, "batch_size": 32,
         "schedule": "constant", "steps": 600},
        own={"net": "cnn"},
    ),
    "digits, odd convolutions, dropout, clip": Case(
        "digits",
        {"channels": [5, 7, 3], "hidden": [9], "activation": "tanh", "schedule": "cosine", "dropout": 0.2,
         "clip": 0.5, "optimizer": "adamw", "weight_decay": 0.01, "batch_size": 50, "lr": 0.003, "steps": 300,
         "seed": 3},
        own={"net": "cnn"},
    ),
    "a CSV": Case(
        "bodies.csv",
        {"hidden": [10], "activation": "leaky_relu", "lr": 0.3, "optimizer": "sgd", "steps": 1000,
         "init": "kaiming"},
        {"table": {"target": "kind"}}, {"target": "kind"},
    ),
    "a CSV, regression": Case(
        "bodies.csv",
        {"hidden": [7, 7], "activation": "identity", "loss": "huber", "steps": 800, "lr": 0.01,
         "init": "xavier", "clip": 1.0},
        {"table": {"target": "weight"}, "features": ["height"]}, {"target": "weight", "features": ["height"]},
    ),
    "moons as taught": Case(
        "moons", {"hidden": [8], "activation": "relu", "lr": 0.01, "steps": 600,
                  "fault": ["missing_zero_grad", "softmax_before_cross_entropy"]},
    ),
    "moons, far too fast": Case(  # units die, and what is kept of them goes through 2^-126
        "moons",
        {"hidden": [16, 16], "activation": "relu", "lr": 1.0, "steps": 768, "optimizer": "adamw",
         "weight_decay": 0.1, "betas": [0.8, 0.9]},
    ),
    "circles, bce": Case(
        "circles", {"hidden": [8], "activation": "tanh", "loss": "bce", "steps": 500, "lr": 0.02}
    ),
}  # fmt: skip
MEMBERS = [{"seed": k, "lr": 0.003 * k, "clip": 0.1 * k} for k in range(1, 7)]


def ended(folder: Path) -> Bits:
    """What the training in this folder ended with."""
    slots = (from_bytes(path.read_bytes(), path.name, path) for path in folder.glob("checkpoint/*"))
    last = max(slots, key=lambda slot: slot.generation).tensors
    kept = {name: last[name] for name in ("params", "moment.0", "moment.1", "average") if name in last}
    return {name: t.float().numpy().view(np.int32)[0] for name, t in kept.items() if t.numel()}


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bits]:
    """What each training of treino ended with."""
    folder, found = tmp_path_factory.mktemp("runs"), {}
    (folder / "bodies.csv").write_text(CSV)
    always: Json = {"recipe": "plain", "lean": True, "patience": 0, "keep": "last"}
    for number, (name, case) in enumerate(CASES.items()):
        data = str(folder / case.data) if case.data.endswith(".csv") else case.data
        tr.fit(data, out=folder / str(number), **always | case.own | case.settings)
        found[name] = ended(folder / str(number))
    return found


def task(case: Case, members: list[Json]) -> Json:
    """The same training for the page's modules."""
    usual = {"optimizer": "adam", "batch_size": 32, "seed": 0} | case.settings
    usual["beta1"], usual["beta2"] = usual.pop("betas", BETAS)
    usual["seed"] = str(usual["seed"])  # JavaScript's numbers end at 2^53
    problem = {"source": case.data, "data_seed": usual["seed"]} | case.problem
    if case.data in ("wine", "digits"):
        problem |= {"table": tables_in_page()[case.data]}
    csv = CSV if case.data.endswith(".csv") else None
    return {"problem": problem, "csv": csv, "settings": usual, "members": members}


TASKS = [task(case, members) for case in CASES.values() for members in ([], MEMBERS)]


def trained_in_node(relaxed: bool, tasks: list[Json]) -> list[Json]:
    question = {"kernel": KERNEL, "relaxed": relaxed, "cases": tasks}
    return list(node("bits.mjs", question, *FLAGS))


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of the repository's files: modules don't load from files."""

    class Quiet(SimpleHTTPRequestHandler):
        extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}  # noqa: RUF012

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(ROOT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def in_chromium(address: str, relaxed: bool, tasks: list[Json]) -> list[Json]:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{address}/apps/studio/tests/playground/bits.js")
        script = """async ([name, relaxed, tasks]) => {
            const { trained } = await import('/apps/studio/tests/playground/bits.js');
            const answer = await fetch(`/apps/studio/src/treino_studio/playground/wasm/${name}`);
            const kernel = new Uint8Array(await answer.arrayBuffer()), found = [];
            for (const task of tasks) found.push(await trained(kernel, relaxed, task));
            return found;
        }"""
        found: list[Json] = page.evaluate(script, [SHIPPED.name, relaxed, tasks])
        page.close()
    return found


def assert_same(found: list[Json], wanted: dict[str, Bits], relaxed: bool) -> None:
    for number, one in enumerate(found):
        case = list(wanted)[number // 2]
        assert one["relaxed"] == relaxed
        assert one["bits"].keys() == wanted[case].keys()
        for kind, bits in wanted[case].items():
            differ = int((np.array(one["bits"][kind]) != bits).sum())
            assert differ == 0, f"{case}, {'in company' if number % 2 else 'alone'}: {differ} {kind} differ"


@pytest.mark.proof
@pytest.mark.parametrize("name", ["moons, dropout, clip, decay, cosine", "digits", "digits, convolutions"])
def test_a_training_in_node_has_the_bits_of_the_command(
    name: str, treino: Callable[..., Said], tmp_path: Path
) -> None:
    case = replace(CASES[name], settings=CASES[name].settings | {"steps": 120})
    asked = {
        word: "none" if value == [] else str(value).strip("[]")
        for word, value in (case.settings | case.own).items()
    }
    flags = [f"--{word.replace('_', '-')}={value}" for word, value in asked.items()]
    assert not treino("train", case.data, *flags, "--recipe=plain", "--patience=0", "--out=run").status
    bits = {name: ended(tmp_path / "run")}
    for relaxed in WAYS.values():
        assert_same(trained_in_node(relaxed, [task(case, []), task(case, MEMBERS)]), bits, relaxed)


@pytest.mark.release
@ways
def test_in_node_every_weight_and_moment_has_the_bits_of_treino_train(relaxed, wanted):
    assert_same(trained_in_node(relaxed, TASKS), wanted, relaxed)


@pytest.mark.release
@ways
def test_in_chromium_every_weight_and_moment_has_the_bits_of_treino_train(relaxed, wanted, served):
    assert_same(in_chromium(served, relaxed, TASKS), wanted, relaxed)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_weights_of_rows_are_those_of_the_engine(loss: str) -> None:
    g, bags = torch.Generator().manual_seed(1), [1, 0, 1]
    x, weight_GN = torch.randn(20, 3, generator=g), torch.rand(2, 20, generator=g)
    y = x.sum(1, keepdim=True) if loss == "mse" else torch.arange(20) % 3
    training = train(
        (x, y), mlp(7), loss=loss, bags=Bags(weight_GN, bag_P=bags), seeds=[1, 2, 3], steps=30,
        batch_size="full", engine="lanes",
    )  # fmt: skip
    population = training.state.population
    question = {
        "build": KERNEL, "sizes": [3, 7, training.outputs], "loss": loss,
        "params": population.params.tolist(), "x": x.tolist(),
        "y": y.tolist(), "weights": weight_GN.tolist(), "bags": bags, "steps": 30,
    }  # fmt: skip
    found = [node("weights.mjs", question | {"unitLanes": unit_lanes}) for unit_lanes in (False, True)]
    for _tick in training:
        pass
    assert found[0] == found[1] == population.params.view(torch.int32).tolist()
