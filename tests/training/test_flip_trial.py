"""Whether pictures are mirrored, where nobody says: on, off and not asked, each where it should be."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

import treino as tr
from treino.data import BUILTINS, load
from treino.data.builtins import Builtin
from treino.data.dataset import Data
from treino.data.table import Column, Table
from treino.settings.spec import Settings, read_settings
from treino.training.choices import TrainingSource, choose_flips
from treino.training.train import drain, train_events

Pixels = NDArray[np.uint8]
SIZE = 12


def mirrored_at_random(rows: int, classes: int, symmetric: bool) -> tuple[Pixels, NDArray[np.int64]]:
    """Patterns in noise, every second one mirrored. symmetric: the class is the pattern alone, else also
    whether it is mirrored."""
    random = np.random.default_rng(0)
    pattern_C = random.normal(size=(classes if symmetric else classes // 2, SIZE, SIZE))
    kind_N, mirrored_N = random.integers(len(pattern_C), size=rows), random.integers(2, size=rows)
    image_N = np.where(mirrored_N[:, None, None], pattern_C[kind_N, :, ::-1], pattern_C[kind_N])
    image_N = 128 + 30 * image_N + 60 * random.normal(size=image_N.shape)
    y = kind_N if symmetric else kind_N * 2 + mirrored_N
    return image_N.clip(0, 255).astype(np.uint8), y


@pytest.fixture
def photographs() -> Iterator[Any]:
    """A function that makes data of pictures, as if they had come in a file."""
    with pytest.MonkeyPatch.context() as patch:

        def made(image_NHW: Pixels, y: NDArray[np.int64], **arguments: Any) -> Data:
            names = tuple(map(str, range(int(y.max()) + 1)))

            def read(name: str) -> Table:
                pixel_ND = image_NHW.reshape(len(image_NHW), -1)
                target = Column("target", None, np.array(names, dtype=object)[y], categories=names)
                pixels = (Column(f"pixel_{j}", pixel_ND[:, j]) for j in range(pixel_ND.shape[1]))
                more = {"target": "target", "matrix": pixel_ND, "keep_constant": True}
                more["item_shape"] = (1, *image_NHW.shape[1:])
                return Table(name, name, None, (*pixels, target), lambda row: f"row {row}", **more)

            patch.setitem(BUILTINS, "seen", Builtin(len(y), 1, "classification", "Pictures.", read))
            return replace(load("seen", **arguments), sha256="0" * 64)

        yield made


def settings_of(**more: Any) -> Settings:
    usual = {"net": "cnn", "channels": "8", "epochs": 120, "threads": 1, "batch_size": 32}
    return read_settings(usual | more)


def tried(settings: Settings, data: Data) -> Settings:
    return choose_flips(settings, TrainingSource("seen", lambda _settings: data, data))


def test_flips_go_on_where_mirrored_pictures_are_of_the_same_class(photographs: Any) -> None:
    data = photographs(*mirrored_at_random(600, 8, symmetric=True), validation=0.5, test=0.1)
    settings = tried(settings_of(), data)
    (why,) = settings.reasons
    assert settings.flip is True
    assert "are mirrored" in why
    assert f"{len(data.validation)} validation rows" in why


def test_flips_stay_off_where_the_class_is_which_way_a_picture_looks(photographs: Any) -> None:
    data = photographs(*mirrored_at_random(600, 8, symmetric=False), validation=0.5, test=0.1)
    settings = tried(settings_of(), data)
    (why,) = settings.reasons
    assert settings.flip is False
    assert "not mirrored" in why


def test_digits_are_not_mirrored(photographs: Any) -> None:
    digits = load_digits()
    data = photographs((digits.images * 15).astype(np.uint8), digits.target, validation=0.3)
    assert tried(settings_of(epochs=10), data).flip is False


def test_no_trial_where_none_is_due(photographs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained, and nothing is said."""
    monkeypatch.setattr("treino.training.choices.set_up", None)
    data = photographs(*mirrored_at_random(400, 4, symmetric=True), validation=0.5)
    few = photographs(*mirrored_at_random(400, 4, symmetric=True), validation=0.2)
    cases = [
        (settings_of(flip=True), data),
        (settings_of(flip=False), data),
        (settings_of(augment="none"), data),
        (read_settings({"epochs": 3, "net": "mlp"}), data),
        (settings_of(), replace(data, sha256=None)),
        (settings_of(), few),
        (settings_of(), load("iris")),
        (settings_of(), replace(data, task="regression")),
    ]
    for asked, rows in cases:
        assert tried(asked, rows) is asked


@pytest.mark.slow
def test_the_decision_is_kept_so_that_no_trial_comes_again(photographs: Any, tmp_path: Path) -> None:
    data = photographs(*mirrored_at_random(600, 8, symmetric=True), validation=0.5, test=0.1)
    run = drain(train_events("seen", tried(settings_of(), data), data=data, parent=tmp_path))
    assert run.spec.asked["flip"] is run.settings["flip"] is True
    assert any("are mirrored" in reason for reason in run.spec.facts.reasons)
    assert "--flip" in run.spec.command
    told = drain(train_events("seen", settings_of(flip=True), data=data, parent=tmp_path))
    assert all(torch.equal(tensor, told.tensors[name]) for name, tensor in run.tensors.items())


@pytest.mark.slow
def test_the_winner_of_a_sweep_is_trained_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a trial, which could mirror its pictures and change its weights."""
    monkeypatch.setattr("treino.training.choices._losses", None)
    for number, (pixels, kind) in enumerate(zip(*mirrored_at_random(250, 4, symmetric=True), strict=True)):
        place = tmp_path / "pictures" / str(kind) / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place)
    how: dict[str, Any] = {"epochs": 1, "channels": [4], "validation": 0.5, "strategy": "none", "fresh": 0}
    sweep = tr.sweep(tmp_path / "pictures", {"lr": [2e-3, 4e-3]}, parent=tmp_path, **how)
    assert '"same_bits": true' in json.dumps(sweep.document)
