"""The arithmetic of a click is that of ``treino explain``, whose tests compare it with torch."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.training.test_moments import Own
from torch import nn

import treino as tr
from treino.api import Run
from treino.base.apps import entries
from treino.base.encoding import compact_json
from treino.base.errors import TreinoError
from treino.training import snapshots
from treino_microscope.from_python import arithmetic
from treino_studio.protocol import ExplainCommand
from treino_studio.run_commands import explain


def run_of(parent: Path, **settings: Any) -> Run:
    return tr.fit("wine", parent=parent, lean=True, **{"epochs": 5, "seed": 3, "hidden": [6, 4]} | settings)


@pytest.mark.parametrize(
    ("topic", "place", "unit", "source"), [("adam", 0, 3, 5), ("momentum", 1, 2, 1), ("adam", 2, 1, None)]
)
def test_it_is_what_is_explained_of_the_same_update(
    topic: str, place: int, unit: int, source: int | None, tmp_path: Path
) -> None:
    run = run_of(tmp_path, **({} if topic == "adam" else {"optimizer": "sgd", "momentum": 0.9}))
    (before,), after = snapshots(run, [11]), run.at(12).net.state_dict()
    layer = [name for name, module in before.net.named_modules() if isinstance(module, nn.Linear)][place]
    found = json.loads(compact_json(arithmetic(before, layer, unit, source)))
    at = (place, unit) if source is None else (place, unit, source)
    told = json.loads(compact_json(tr.explain(topic, run, step=11, weight=at).document))
    assert found["holds"]
    assert [check for check in found.pop("checks") if check not in told["checks"]] == []
    del told["checks"]  # also against what the run noted afterwards
    assert found == told | {"layer": layer, "unit": unit, "input": source}
    weight = after[f"{layer}.bias"][unit] if source is None else after[f"{layer}.weight"][unit, source]
    assert any(step["value"] == pytest.approx(float(weight), rel=1e-4, abs=1e-6) for step in found["steps"])


def test_without_a_weight_it_is_the_one_that_moves_most(tmp_path: Path) -> None:
    (before,) = snapshots(run_of(tmp_path), [11])
    found = arithmetic(before)
    loss = nn.functional.cross_entropy(before.net(before.batch.x_BD), before.batch.y_B)
    (grad,) = torch.autograd.grad(loss, [before.net.get_parameter("0.weight")])
    assert found["layer"] == "0"
    assert found["unit"] * grad.shape[1] + found["input"] == int(grad.abs().argmax())


def test_what_has_no_arithmetic_says_why(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    (before,) = snapshots(run, [0])
    at_0: Any = SimpleNamespace(step_in_view=0, snapshot=None)
    own = tr.fit("wine", Own(), parent=tmp_path, lean=True, epochs=1)
    asked: list[tuple[Any, str]] = [
        (lambda: explain(at_0, ExplainCommand(id=1, do="explain")), "arithmetic_no_update"),
        (lambda: arithmetic(before, "7", 0, 0), "arithmetic_layer"),
        (lambda: arithmetic(before, "0", 6, 0), "weight_range"),
        (lambda: arithmetic(before, "0", 0, 13), "weight_range"),
        (lambda: arithmetic(next(snapshots(own, [1]))), "explain_net"),
    ]
    for ask, rule in asked:
        with pytest.raises(TreinoError) as refused:
            ask()
        assert refused.value.rule == rule
        assert refused.value.hint


def test_without_the_microscope_a_click_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = next(snapshots(run_of(tmp_path), [3]))
    look = SimpleNamespace(step=4)
    page: Any = SimpleNamespace(step_in_view=4, snapshot=None, look=look, at=lambda _step: snapshot)
    command = ExplainCommand(id=1, do="explain")
    assert explain(page, command)["holds"]  # type: ignore[index]
    entry = EntryPoint("arithmetic", "treino_nowhere.click:arithmetic", "treino.functions")
    monkeypatch.setitem(entries("treino.functions"), "arithmetic", entry)
    with pytest.raises(TreinoError) as refused:
        explain(page, command)
    assert refused.value.rule == "app_missing"
    assert "treino_nowhere" in refused.value.message
