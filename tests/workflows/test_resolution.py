"""Resolution of settings: one table of defaults, and rules that are checked early."""

from dataclasses import replace
from typing import Literal

import pytest

import treino
from treino.engine import DEFAULTS, MLP, mlp, train
from treino.errors import TreinoError
from treino.spec import Settings, read_settings
from treino.training.resolution import decide


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
