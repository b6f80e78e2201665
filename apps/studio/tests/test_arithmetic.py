"""The arithmetic of a click: torch's autograd and optimizer, from the same state, come to the same weight."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.test_moments import Own
from torch import nn

from treino import api
from treino.api import Run
from treino.base.encoding import compact_json
from treino.base.errors import TreinoError
from treino.engine import OPTIMIZERS
from treino_studio.run_commands import arithmetic, before_update


def run_of(parent: Path, **settings: Any) -> Run:
    return api.fit("wine", parent=parent, lean=True, **{"epochs": 5, "seed": 3, "hidden": [6, 4]} | settings)


CASES: dict[str, dict[str, Any]] = {
    **{name: {"optimizer": name} for name in OPTIMIZERS},
    "momentum": {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "clip": 0.3},
    "decay": {"weight_decay": 0.1, "schedule": "cosine"},
    "dropout": {"dropout": 0.4},
}
PLACES: list[tuple[int, int, int | None]] = [(0, 3, 5), (1, 2, 1), (2, 1, None)]  # layer, unit, input


@pytest.mark.parametrize("case", CASES)
def test_the_last_value_is_the_weight_that_the_run_has_then(case: str, tmp_path: Path) -> None:
    run = run_of(tmp_path, **CASES[case])
    before, after = before_update(run, 12), run.at(12).net.state_dict()
    names = [name for name, module in before.net.named_modules() if isinstance(module, nn.Linear)]
    for place, unit, source in PLACES:
        found = arithmetic(before, names[place], unit, source)
        found = json.loads(compact_json(found))
        assert found["holds"]
        assert (found["layer"], found["unit"], found["input"]) == (names[place], unit, source)
        assert all({"title", "symbols", "numbers", "value"} <= step.keys() for step in found["steps"])
        (optim,) = [c for c in found["checks"] if c["name"].startswith("w: torch.optim") and _is(c, run)]
        weight = after[f"{names[place]}.{'bias' if source is None else 'weight'}"]
        theirs = float(weight[unit] if source is None else weight[unit, source])
        assert optim["ours"] == pytest.approx(theirs, rel=1e-4, abs=1e-6)
        assert optim["ours"] in [step["value"] for step in found["steps"]]


def _is(check: dict[str, Any], run: Run) -> bool:
    return OPTIMIZERS[run.settings["optimizer"]].torch.__name__ + "," in check["name"]


def test_the_gradient_is_autograds_on_this_batch(tmp_path: Path) -> None:
    before = before_update(run_of(tmp_path), 12)
    found = arithmetic(before, "2", 1, 3)
    loss = nn.functional.cross_entropy(before.net(before.batch.x_BD), before.batch.y_B)
    (grad,) = torch.autograd.grad(loss, [before.net.get_parameter("2.weight")])
    (check,) = [c for c in found["checks"] if c["name"].startswith("g: torch.autograd")]
    assert check["ours"] == pytest.approx(float(grad[1, 3]), rel=1e-3, abs=1e-7)


def test_without_a_weight_it_is_the_one_that_moves_most(tmp_path: Path) -> None:
    before = before_update(run_of(tmp_path), 12)
    found = arithmetic(before)
    loss = nn.functional.cross_entropy(before.net(before.batch.x_BD), before.batch.y_B)
    (grad,) = torch.autograd.grad(loss, [before.net.get_parameter("0.weight")])
    assert found["layer"] == "0"
    assert found["unit"] * grad.shape[1] + found["input"] == int(grad.abs().argmax())


def test_what_has_no_arithmetic_says_why(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    before = before_update(run, 1)
    own = api.fit("wine", Own(), parent=tmp_path, lean=True, epochs=1)
    asked: list[tuple[Any, str]] = [
        (lambda: before_update(run, 0), "arithmetic_no_update"),
        (lambda: arithmetic(before, "7", 0, 0), "arithmetic_layer"),
        (lambda: arithmetic(before, "0", 6, 0), "weight_range"),
        (lambda: arithmetic(before, "0", 0, 13), "weight_range"),
        (lambda: arithmetic(before_update(own, 2)), "explain_net"),
    ]
    for ask, rule in asked:
        with pytest.raises(TreinoError) as refused:
            ask()
        assert refused.value.rule == rule
        assert refused.value.hint
