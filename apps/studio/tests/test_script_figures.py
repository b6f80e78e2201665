"""What a script's page shows of figures that the script computes or prints, and how long it will take."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from apps.studio.tests.scripts import ADAM, Message, Seen, apart, here, script
from forked import plain
from treino_studio.script import evaluations
from treino_studio.script.evaluations import Evaluations
from treino_studio.script.printed_figures import Count
from treino_studio.script_curves import POINTS, PlannedSteps, ScriptCurve, ScriptCurves

TRAINS = """
labels = (y[:, 0] > 0).long()
head = nn.Linear(5, 2)
optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()
def evaluate(rows):
    with torch.no_grad():
        outputs = [head(x[k]) for k in rows.split(7)]
        losses = [criterion(out, labels[k]).item() * len(k) for out, k in zip(outputs, rows.split(7))]
        right = sum((out.argmax(1) == labels[k]).sum().item() for out, k in zip(outputs, rows.split(7)))
    return sum(losses) / len(rows), right / len(rows)
train, val = torch.arange(20), torch.arange(20, 32)
for epoch in range(4):
    for k in train[torch.randperm(20)].split(5):
        optimizer.zero_grad()
        criterion(head(x[k]), labels[k]).backward()
        optimizer.step()
    PLACE
print(hashlib.sha256(head.weight.detach().numpy().tobytes() + torch.rand(3).numpy().tobytes()).hexdigest())
"""


def shown(seen: Seen) -> tuple[ScriptCurves, dict[str, list[list[float]]]]:
    """The curves that the page gets of a script: by name, steps and values."""
    curves, points = ScriptCurves("script"), dict[str, list[list[float]]]()
    for message in seen.messages:
        news = [*curves.take(message)] if "losses" in message else []
        for stream, line, step in message.get("output", ()):
            news += curves.read(stream, line, step)
        for each in (one["curves"] for one in news):
            steps, values = points.setdefault(each["run"], [[], []])
            steps[each["from"] :], values[each["from"] :] = each["step"], each["loss"]
    return curves, points


APART = """
    loss, accuracy = evaluate(train); print(f"train loss {loss!r} acc {accuracy!r}")
    loss, accuracy = evaluate(val); print(f"val loss {loss!r} acc {accuracy!r}")
"""
TOGETHER = """
    for name, rows in (("train", train), ("val", val)):
        loss, accuracy = evaluate(rows)
        print(f"{name} loss {loss!r} acc {accuracy!r}")
"""


@pytest.mark.slow
@pytest.mark.parametrize("place", [APART, TOGETHER])
def test_held_out_rows_are_measured_as_the_script_measures_them(tmp_path: Path, place: str) -> None:
    """Under Python and the studio the same output; the page's figures are the numbers that it prints."""
    path = script(tmp_path, TRAINS.replace("    PLACE\n", place))
    alone, seen = plain(path), apart(path)
    assert seen.out == alone.out
    curves, points = shown(seen)
    printed = [line.split() for line in alone.out.splitlines()[:-1]]
    for figure in curves.figures:
        at = {"loss": 2, "accuracy": 4}[figure["name"]]
        word = {"train": "train", "validation": "val"}[figure["split"]]
        steps, values = points[figure["curve"]]
        assert steps == [4, 8, 12, 16]
        expected = [float(words[at]) for words in printed if words[0] == word]
        assert values == pytest.approx(expected, rel=1e-6)
        assert figure["printed"] == (place is TOGETHER), "in one place there are both kinds of rows"
    kinds = [(each["name"], each["split"]) for each in curves.figures]
    assert sorted(kinds) == [(n, s) for n in ("accuracy", "loss") for s in ("train", "validation")]


def test_a_script_that_prints_nothing_still_has_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are told by the names in its code."""
    monkeypatch.chdir(tmp_path)
    text = f"""{ADAM}
def loss_on(rows):
    with torch.inference_mode():
        return nn.functional.mse_loss(net(x[rows]), y[rows], reduction="sum")
test_rows, val_rows = slice(0, 8), slice(8, 32)
def after(step):
    loss_on(test_rows)
    loss_on(val_rows)
train(3, after)
"""
    curves, points = shown(here(script(tmp_path, text), monkeypatch=monkeypatch))
    splits = {each["split"]: points[each["curve"]][0] for each in curves.figures}
    assert splits == {"test": [1, 2, 3], "validation": [1, 2, 3]}


CALLS: list[tuple[str, Any, Any, dict[str, Any], float | None]] = [
    ("cross_entropy", [[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]], [0, 1, 1], {}, 2 / 3),
    ("cross_entropy", [[2.0, 1.0], [0.0, 3.0]], [0, -100], {}, 1.0),
    ("cross_entropy", [[2.0, 1.0], [0.0, 3.0]], [[1.0, 0.0], [1.0, 0.0]], {}, 0.5),
    ("nll_loss", [[-0.1, -2.0], [-1.0, -0.5]], [1, 1], {"reduction": "none"}, 0.5),
    ("binary_cross_entropy_with_logits", [0.5, -1.0, 2.0], [1.0, 1.0, 1.0], {}, 2 / 3),
    ("binary_cross_entropy", [0.4, 0.6], [0.0, 1.0], {"reduction": "sum"}, 1.0),
    ("binary_cross_entropy", [0.4, 0.6], [0.3, 1.0], {}, None),
    ("mse_loss", [1.0, 2.0], [1.0, 4.0], {}, None),
]


@pytest.mark.parametrize(("name", "x", "y", "options", "accuracy"), CALLS)
def test_loss_and_accuracy_of_a_call(
    name: str, x: Any, y: Any, options: dict[str, Any], accuracy: float | None
) -> None:
    found, undo = Evaluations(), []
    try:
        undo = [*evaluations.watch(found)]
        function = getattr(functional, name)
        with torch.no_grad():
            loss = function(torch.tensor(x), torch.tensor(y), **options)
        function(torch.tensor(x, requires_grad=True), torch.tensor(y), **options)  # a training step's
    finally:
        for each in undo:
            each()
    found.end_passes(5)
    (passed,) = found.take()
    mean = loss.mean() if options.get("reduction") != "sum" else loss / len(x)
    assert passed["loss"] == pytest.approx(float(mean))
    assert passed["accuracy"] == (None if accuracy is None else pytest.approx(accuracy))
    assert (passed["step"], passed["rows"]) == (5, len(x))
    assert not hasattr(getattr(functional, name), "__wrapped__"), "all is as before"


@pytest.mark.release
def test_compilers_and_pickle_see_the_loss_functions_of_torch(tmp_path: Path) -> None:
    """TorchScript, torch.compile, torch.func and pickle give what they give under Python."""
    text = f"""{ADAM}
import pickle, warnings
class Loss(nn.Module):
    def forward(self, x, y):
        return nn.functional.cross_entropy(x, y) + nn.functional.mse_loss(x[:, 0], x[:, 1])
labels = (y[:, 0] > 0).long()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    scripted = torch.jit.script(Loss())
    compiled = torch.compile(Loss(), backend="eager", fullgraph=True)
    traced = torch.fx.symbolic_trace(Loss())
with torch.no_grad():
    print([each(x, labels).item() for each in (scripted, compiled, traced)], file=sys.stderr)
    print(torch.func.vmap(nn.functional.mse_loss)(x, x + 1).sum().item())
print(pickle.loads(pickle.dumps(nn.functional.cross_entropy)) is nn.functional.cross_entropy, traced.code)
train(2)
print(digest())
"""
    path = script(tmp_path, text)
    alone, seen = plain(path), apart(path)
    assert (seen.status, alone.status) == (0, 0), seen.err
    assert seen.out == alone.out
    assert seen.err.splitlines()[-1:] == alone.err.splitlines()[-1:]


# ---- how long it takes


@pytest.mark.parametrize(
    "loop",
    [
        "for epoch in range(6):",
        "for epoch in range(1, 7):",
        "EPOCHS = 6\nfor epoch, _ in enumerate(range(EPOCHS)):",
        "import types\nargs = types.SimpleNamespace(epochs=3)\nfor epoch in range(2 * args.epochs):",
        'config = {"epochs": 6}\nfor epoch in range(config["epochs"]):',
        "class Config:\n    epochs = 6\nfor epoch in range(Config.epochs):",
    ],
)
def test_a_loop_over_a_range_tells_how_many_steps_there_will_be(
    loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("treino_studio.script.figures.EVERY", 0.0)
    seen = here(script(tmp_path, f"{ADAM}{loop}\n    train(3)\n"), monkeypatch=monkeypatch)
    curves = ScriptCurves("script")
    planned = []
    for message in seen.steps:
        [*curves.take(message)]
        planned.append(curves.planned.steps)
    assert planned[:3] == [None] * 3, "nothing is known before the second round"
    assert set(planned[3:]) == {18}


@given(st.integers(2, 30), st.integers(50, 2000), st.integers(1, 300), st.integers(0, 9))
def test_rounds_that_are_looked_at_now_and_then_tell_no_other_number(
    rounds: int, each: int, apart: int, late: int
) -> None:
    """From one look to the next many steps are made; what is said is at most a tenth away, and round."""
    planned = PlannedSteps()
    for step in range(1 + late, rounds * each, apart):
        planned.note("loop", Count((step - 1) // each, rounds), step)
        assert planned.steps is None or abs(planned.steps / (rounds * each) - 1) <= 0.1
    planned = PlannedSteps()
    for step in range(1, 9000, 193):
        planned.note("loop", Count((step - 1) // 900, 10), step)
        assert planned.steps in (None, 9000)
    assert planned.steps == 9000


def test_a_loop_that_does_not_say_how_often_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding it out would run code of the script."""
    monkeypatch.chdir(tmp_path)
    text = f"""{ADAM}
class Asks:
    @property
    def epochs(self): raise SystemExit(9)
asks = Asks()
for epoch in range([2, asks.epochs if False else 2][1]): train(1)
for epoch in [0, 1]: train(1)
while epoch < 3:
    epoch += 1
    train(1)
"""
    seen = here(script(tmp_path, text), monkeypatch=monkeypatch)
    assert seen.status == 0
    assert not seen.all("loop")


def test_what_is_printed_tells_how_many_steps_there_will_be() -> None:
    curves = ScriptCurves("script")
    for epoch in range(1, 4):
        [*curves.read("stdout", f"Epoch {epoch}/10 begins", 25 * (epoch - 1))]
        [*curves.read("stdout", f"Epoch {epoch}/10: loss 0.3", 25 * epoch)]
        assert curves.planned.steps == (None if epoch == 1 else 250)
    again = ScriptCurves("branch-1", curves, 30).planned
    again.note("epoch", Count(3, 10), 50)
    assert again.steps == 250
    again.note("epoch", Count(1, 10), 60)
    assert again.steps is None, "it began anew, as for another fold"


def grown(curve: ScriptCurve, values: list[float], names: tuple[str, ...]) -> dict[str, list[float]]:
    """What a page has of a curve after these values of every step."""
    points: dict[str, list[float]] = {name: [] for name in names}
    for k in range(0, len(values), 1000):
        news: Message = curve.add(k + 1000, values[k : k + 1000])["curves"]
        for name, kept in points.items():
            kept[news["from"] :] = news.get(name, [])
    assert len(points["step"]) <= POINTS
    assert json.dumps(points)
    return points


def test_a_long_curve_of_losses_keeps_their_mean_the_least_and_the_largest() -> None:
    values = [float(k % 7) for k in range(3 * POINTS)]
    values[5001] = 900.0
    points = grown(ScriptCurve("script"), values, ("step", "loss", "low", "high"))
    steps = points["step"]
    width = steps[1] - steps[0]
    parts = [values[step - width : step] for step in steps]
    assert points["loss"] == pytest.approx([sum(part) / width for part in parts])
    assert (points["low"], points["high"]) == ([min(p) for p in parts], [max(p) for p in parts])


def test_a_long_curve_of_another_figure_holds_measured_points_and_its_extremes() -> None:
    values = np.random.default_rng(0).uniform(0.4, 0.6, 3 * POINTS)
    values[[77, 9003]] = 0.01, 0.99
    points = grown(ScriptCurve("script", of="figure"), values.tolist(), ("step", "loss"))
    assert points["loss"] == [values[step - 1] for step in points["step"]]
    assert {0.01, 0.99, values[0], values[-1]} <= {*points["loss"]}
