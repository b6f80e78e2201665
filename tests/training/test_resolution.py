"""Resolution of settings: one table of defaults, and rules that are checked early."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

import treino
from treino.data import Data
from treino.engine import DEFAULTS, MLP, mlp, train
from treino.engine.defaults import MOST_EPOCHS
from treino.engine.nets import CNN, cnn
from treino.settings.recipes import STRIDED, picture_settings
from treino.settings.spec import Settings, read_settings
from treino.training.resolution import decide, resolve


@pytest.mark.parametrize("kind", ["table", "image"])
def test_both_doors_decide_alike_by_the_kind_of_data(kind: Literal["table", "image"]) -> None:
    data, usual = replace(treino.load("iris"), kind=kind), DEFAULTS[kind]
    net, config = decide(read_settings({}), data)
    alone = train(data)
    assert isinstance(net, MLP)
    assert net.hidden == alone.model.net.hidden == usual.hidden
    for name in ("lr", "batch_size", "epochs"):
        value = getattr(usual, name)
        assert getattr(config.shared, name) == getattr(alone.config.shared, name) == value
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
        assert getattr(resolved, name) == {"batch_size": 8, "epochs": None}.get(name, value)
    assert resolved.augment == "shift"
    lengths = {
        n: train(
            (x[:1].expand(n, -1, -1, -1), torch.arange(n) % 2), cnn(1), device="cpu"
        ).config.shared.epochs
        for n in (40, 1280, 51_000)
    }
    assert lengths == {40: MOST_EPOCHS, 1280: 100, 51_000: 5}


def pictures(*shape: int) -> Data:
    data = treino.load(TensorDataset(torch.rand(40, *shape), torch.arange(40) % 2))
    assert isinstance(data, Data)
    return data


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "cnn"),
        ({"lr": 0.1, "dropout": 0.2, "activation": "tanh"}, "cnn"),
        ({"pool": ["average"]}, "cnn"),
        ({"hidden": [9], "head": "average"}, "cnn"),
        ({"hidden": [9]}, "mlp"),
        ({"hidden": "none"}, "mlp"),
        ({"net": "mlp"}, "mlp"),
        ({"as_taught": True}, "mlp"),
        ({"patience": 3}, "cnn"),
        ({"metric": "accuracy"}, "cnn"),
        ({"schedule": "constant"}, "cnn"),
    ],
)
def test_pictures_get_convolutions_unless_an_mlp_is_described(settings: dict[str, Any], kind: str) -> None:
    net, config = decide(read_settings(settings), pictures(8, 9))
    assert isinstance(net, CNN | MLP)
    assert net.module((1, 8, 9), 2)(torch.rand((2, 1, 8, 9) if kind == "cnn" else (2, 72))).shape == (2, 2)
    assert isinstance(net, CNN if kind == "cnn" else MLP)
    assert net.hidden == (
        (9,) if settings.get("hidden") == [9] else () if "hidden" in settings else net.hidden
    )
    assert net.dropout == settings.get("dropout", 0.3 if kind == "cnn" else 0.0)
    assert config.shared.label_smoothing == (0.05 if kind == "cnn" else 0.0)
    assert config.shared.schedule == (
        "one-cycle" if kind == "cnn" and "schedule" not in settings else "constant"
    )
    chooses = kind == "mlp" or {"patience", "metric", "schedule"} & settings.keys()
    assert config.shared.keep == ("best" if chooses else "last")


@pytest.mark.parametrize("shape", [(7, 28), (12, 12, 3), (30,), (5, 9, 9, 9)], ids=str)
def test_rows_that_are_no_pictures_keep_layers_of_units(shape: tuple[int, ...]) -> None:
    assert isinstance(decide(read_settings({}), pictures(*shape))[0], MLP)
    assert isinstance(train(pictures(*shape), steps=1).model.net, MLP)


@given(st.integers(1, 4), st.integers(8, 200), st.integers(8, 200))
def test_every_size_of_picture_gets_a_network_that_takes_it(channels: int, height: int, width: int) -> None:
    layers = picture_settings((channels, height, width), classes=False)
    net = cnn(*layers["channels"], **{name: value for name, value in layers.items() if name != "channels"})
    smallest = min(net.convolutions((channels, height, width))[-1].pooled)
    sizes = net.pool.count("max")
    assert smallest >= 3 or sizes == 2
    assert smallest <= 6 or sizes == 4
    assert net.stride[0] == (2 if min(height, width) >= STRIDED else 1)


def test_a_loss_and_a_task_that_know_no_smoothing_get_none() -> None:
    data = pictures(8, 8)
    assert decide(read_settings({"loss": "bce"}), data)[1].shared.label_smoothing == 0
    assert decide(read_settings({"label_smoothing": 0}), data)[1].shared.label_smoothing == 0
    numbers = treino.load(TensorDataset(torch.rand(40, 8, 8), torch.rand(40)))
    assert decide(read_settings({}), numbers)[1].shared.label_smoothing == 0


def test_a_run_keeps_what_it_chose_for_pictures_and_says_so(tmp_path: Path) -> None:
    """So that its command and its resumption mean the same if the default changes."""
    data = pictures(8, 8)
    run = treino.fit(data, steps=2, lean=True, parent=tmp_path)
    assert run.spec.net == "cnn"
    chosen = {"net", "channels", "pool", "hidden", "dropout", "group_norm", "label_smoothing"}
    assert set(run.spec.asked) == chosen | {"steps", "recipe"}
    assert "--net cnn --channels" in run.spec.command.replace("--hidden 64 ", "")
    assert all(word in " ".join(run.spec.facts.reasons) for word in ("net='mlp'", "label_smoothing=0"))
    other = treino.fit(data, hidden=[3], steps=2, lean=True, parent=tmp_path)
    assert (other.spec.net, other.spec.asked["net"]) == ("mlp", "mlp")
    assert any("hidden" in reason and "net='cnn'" in reason for reason in other.spec.facts.reasons)
