"""Settings that contradict each other are refused before a row is read, however they are given."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import treino as tr
from tests.conftest import Treino, refusal_of
from treino import fit_events
from treino.base.words import flag
from treino.settings.spec import RULES, Settings, read_settings
from treino.training.sweeps import request

TOGETHER: list[tuple[dict[str, Any], str]] = [
    ({"recipe": "table", "net": "cnn"}, "recipe_and_net"),
    ({"validation": 0.5, "test": 0.5}, "shares_sum"),
    ({"class_weights": [1.0, 0.0]}, "class_weights_range"),
    ({"kinds": ["month"]}, "kinds_form"),
    ({"kinds": ["a=category", "b=out", "a=out"]}, "kinds_twice"),
    ({"epochs": 3, "steps": 5}, "epochs_and_steps"),
    ({"member_epochs": [3, 5], "ensemble": 3}, "member_epochs_count"),
    ({"member_epochs": [0, 0], "ensemble": 2}, "member_epochs_count"),
    ({"name": "a", "out": "b"}, "name_and_out"),
    ({"split_column": "part", "split_group": "person"}, "splits_two"),
    ({"split_column": "part", "split_time": "day"}, "splits_two"),
    ({"net": "resnet"}, "net_form"),
    ({"net": "net.py:Net", "hidden": [3]}, "net_and_layers"),
    ({"net": "cnn", "gates": 6}, "cnn_gates"),
    ({"net": "mlp", "pool": ["max"]}, "cnn_settings"),
    ({"dropout_spread": True}, "dropout_spread_alone"),
    ({"plain_members": 1, "ensemble": 2}, "plain_members_alone"),
    ({"clip_target": True}, "clip_target_alone"),
    ({"gates": 6, "plain_members": 5, "ensemble": 2}, "plain_members_range"),
    ({"as_taught": True, "fault": ["missing_zero_grad"]}, "as_taught_and_fault"),
    ({"device": "gpu"}, "device_choice"),
    ({"optimizer": "sgd", "nesterov": True}, "nesterov_without_momentum"),
    ({"momentum": 0.9}, "momentum_with_adam"),
    ({"steps": 5, "warmup": 6}, "warmup_range"),
    ({"activation": "rellu"}, "activation_unknown"),
    ({"net": "cnn", "activation": "rellu"}, "activation_unknown"),
    ({"channels": [8, 16], "kernel": [3, 3, 3]}, "kernel_count"),
    ({"channels": [8], "stride": [9]}, "stride_range"),
    ({"channels": [8], "group_norm": 3}, "group_norm_range"),
    ({"channels": [8], "group_norm": 4, "batch_norm": True}, "norms_two"),
    ({"loss": "mse", "task": "classification"}, "loss_task"),
    ({"loss": "mse", "label_smoothing": 0.1}, "label_smoothing_loss"),
    ({"loss": "bce", "class_weights": "balanced"}, "class_weights_loss"),
    ({"task": "regression", "as_taught": True}, "softmax_before_cross_entropy_loss"),
    ({"net": "mlp", "augment": "shift"}, "augment_net"),
    ({"hidden": [8], "flip": True}, "augment_net"),
    ({"net": "net.py:Net", "augment": "rotate=5"}, "augment_net"),
    ({"engine": "batched", "batch_norm": True}, "engine_net"),
    ({"engine": "batched", "net": "cnn"}, "engine_net"),
    ({"optimizer": "sgd", "betas": [0.9, 0.99]}, "betas_with_sgd"),
    ({"optimizer": "adm"}, "optimizer_unknown"),
    ({"fault": ["missing_zero"]}, "fault_unknown"),
    ({"recipe": "forest"}, "recipe_choice"),
    ({"loss": "mse", "quantiles": [0.5]}, "quantiles_loss"),
    ({"loss": "quantile", "quantiles": [0.9, 0.1]}, "quantiles_range"),
]
OF_SEVERAL: list[tuple[dict[str, Any], str]] = [
    ({"seeds": 3, "time_limit": 60}, "time_limit_of_many"),
    ({"folds": 3, "time_limit": 60}, "time_limit_of_many"),
    ({"seeds": 3, "every": 10}, "every_of_several"),
    ({"seeds": 3, "threshold": "auto"}, "threshold_of_several"),
    ({"folds": 3, "refit": True}, "refit_of_several"),
    ({"folds": 3, "test": 0.2}, "folds_and_test"),
    ({"folds": 3, "fold": "1/3"}, "folds_and_test"),
    ({"seeds": 1}, "seeds_range"),
    ({"folds": 1}, "folds_range"),
    ({"until": "accuracy=0.9"}, "until_alone"),
    ({"seeds": 3, "until": "acuracy=0.9"}, "until_metric"),
    ({"seeds": 3, "until": "accuracy=x"}, "until_number"),
    ({"seeds": 3, "until": "accuracy=0.9", "validation": 0.0}, "no_validation_rows"),
]
EVERY = [*TOGETHER, *OF_SEVERAL]


@pytest.fixture(autouse=True)
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_data(*_args: object, **_words: object) -> None:
        raise AssertionError("rows were read")

    for module in (fit_events, request):
        monkeypatch.setattr(module, "load_data", load_data)


def test_every_rule_of_the_table_has_a_case() -> None:
    assert {refusal.rule for refusal, _when in RULES} <= {rule for _settings, rule in TOGETHER}


@pytest.mark.parametrize(("settings", "rule"), EVERY, ids=str)
@pytest.mark.sampled(6)
def test_the_command_line_refuses_them_first(
    treino: Treino, tmp_path: Path, settings: dict[str, Any], rule: str
) -> None:
    words: list[object] = []
    for name, value in settings.items():
        words += [flag(name)]
        if value is not True:
            words += [",".join(map(str, value)) if isinstance(value, list) else value]
    said = treino("train", "rows.csv", *words, "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, rule)
    assert "None" not in said.document["error"]["message"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("settings", "rule"), EVERY, ids=str)
def test_python_refuses_them_first_in_json_too(settings: dict[str, Any], rule: str, tmp_path: Path) -> None:
    """With a learning rate to be found, which takes a trial."""
    for given in (settings, json.loads(json.dumps(settings)), {**settings, "lr": "auto"}):
        assert refusal_of(tr.fit, "rows.csv", parent=tmp_path, **given).rule == rule
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("settings", "rule"), TOGETHER, ids=str)
@pytest.mark.sampled(4)
def test_a_sweep_refuses_them_first(settings: dict[str, Any], rule: str, tmp_path: Path) -> None:
    for space in ({"lr": [0.1, 0.2]}, {"weight_decay": [0.1, 0.2]}):
        assert refusal_of(tr.sweep, "rows.csv", space, parent=tmp_path, **settings).rule == rule


@pytest.mark.parametrize(("settings", "rule"), TOGETHER, ids=str)
@pytest.mark.sampled(4)
def test_a_study_refuses_them_first(settings: dict[str, Any], rule: str, tmp_path: Path) -> None:
    if rule == "as_taught_and_fault":
        return  # both are modes of a study
    refused = refusal_of(tr.study, "rows.csv", parent=tmp_path, **settings)
    assert refused.rule == ("not_in_a_study" if "steps" in settings else rule)


@pytest.mark.parametrize(
    ("settings", "rule"), [({"hidden": [3]}, "net_and_layers"), ({"augment": "shift"}, "augment_net")]
)
def test_what_a_module_can_not_have_is_refused_first(settings: dict[str, Any], rule: str) -> None:
    assert refusal_of(tr.fit, "rows.csv", torch.nn.Linear(4, 3), **settings).rule == rule


def test_what_a_sweep_tries_may_complete_its_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the space they would contradict each other."""
    monkeypatch.undo()
    refused = refusal_of(tr.sweep, "missing.csv", {"net": ["cnn"]}, hidden=[8], augment="shift")
    assert refused.rule == "data_unknown"


def test_settings_are_recorded_in_the_order_of_their_table() -> None:
    """Not in that of a set, which differs from process to process."""
    values = {"lr": 0.1, "epochs": 2, "data_seed": 3, "patience": 4, "clip": 1.0, "warmup": 5, "seed": 6}
    assert list(read_settings(values).explicit) == [name for name in Settings.model_fields if name in values]
