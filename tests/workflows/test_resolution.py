"""Resolution of settings: one table of defaults, and rules that are checked early."""

import re
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch.utils.data import TensorDataset

import treino
from treino.engine import DEFAULTS, MLP, mlp, train
from treino.engine.nets import CNN, cnn
from treino.engine.train_config import MOST_EPOCHS
from treino.errors import TreinoError
from treino.spec import Settings, read_settings
from treino.training.resolution import decide, resolve, train_config


@pytest.mark.parametrize("kind", ["table", "image"])
def test_both_doors_decide_alike_by_the_kind_of_data(kind: Literal["table", "image"]) -> None:
    data, usual = replace(treino.load("iris"), kind=kind), DEFAULTS[kind]
    net, config = decide(read_settings({}), data)
    alone = train(data)
    assert isinstance(net, MLP)
    assert alone.shared.net is not None
    assert net.hidden == alone.shared.net.hidden == usual.hidden
    for name in ("lr", "batch_size", "epochs"):
        value = getattr(usual, name)
        assert getattr(config.for_data(kind).shared, name) == getattr(alone.config.shared, name) == value
        written = f"{value:.0e}".replace("e-0", "e-") if name == "lr" else str(value)
        assert f"{written} for {kind}s" in (Settings.model_fields[name].description or "")
    assert train(data, mlp(4), steps=5).config.shared.epochs is None


def test_a_convolutional_network_has_defaults_of_its_own_at_both_doors() -> None:
    x, y = torch.arange(40.0)[:, None, None, None].expand(-1, 1, 20, 20), torch.arange(40) % 2
    data, usual = treino.load(TensorDataset(x, y)), DEFAULTS["cnn"]
    net, config = decide(read_settings({"net": "cnn"}), data)
    _same, given = decide(read_settings({}), data, cnn(4))
    resolved = resolve(read_settings({"net": "cnn", "batch_size": 8, "steps": 3}), data, cnn(4)).settings
    assert isinstance(net, CNN)
    for name in ("lr", "batch_size", "epochs", "schedule"):
        value = getattr(usual, name)
        written = f"{value:.0e}".replace("e-0", "e-") if name == "lr" else str(value)
        value = MOST_EPOCHS if name == "epochs" else value  # of so few rows
        text = Settings.model_fields[name].description or ""
        assert re.search(rf"{written} for[^,]* convolutional networks", text)
        for other in (config, given, train(data, cnn(4)).config, train((x, y), cnn(4)).config):
            assert getattr(other.shared, name) == value
        assert resolved[name] == {"batch_size": 8, "epochs": None}.get(name, value)
    assert resolved["augment"] == "shift"
    lengths = {
        n: train_config(read_settings({})).for_data("cnn", n).shared.epochs for n in (40, 1280, 51_000)
    }
    assert lengths == {40: MOST_EPOCHS, 1280: 100, 51_000: 10}


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"momentum": 0.9}, "momentum_with_adam"),
        ({"optimizer": "sgd", "nesterov": True}, "nesterov_without_momentum"),
        ({"epochs": 3, "steps": 5}, "epochs_and_steps"),
        ({"fault": "missing_zero"}, "fault_unknown"),
        ({"optimizer": "adm"}, "optimizer_unknown"),
    ],
)
def test_settings_are_refused_before_the_data_is_read(settings: dict[str, object], rule: str) -> None:
    for call in (
        lambda: treino.fit("missing.csv", **settings),
        lambda: treino.fit("missing.csv", **{**settings, "lr": "auto"}),
        lambda: treino.sweep("missing.csv", {"lr": [0.1, 0.2]}, **settings),
    ):
        with pytest.raises(TreinoError) as refused:
            call()
        assert refused.value.rule == rule
