"""Runs on a Dataset, an IterableDataset or a DataLoader of the user's own have all that a table's run has."""

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

import treino as tr
from tests.conftest import refusal_of
from tests.quick_ends import _quick_ends  # noqa: F401
from tests.waiting import HANG
from treino.base.errors import TreinoError
from treino.data.source_kinds import is_torch_dataset
from treino.reports.pictures.picture_files import draw
from treino.settings.spec import read_settings
from treino.training.loop import JobProgress
from treino.training.train import train_events

G = torch.Generator().manual_seed(0)
X = torch.randn(160, 2, generator=G)
Y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()
SHORT: dict[str, Any] = {"epochs": 4, "hidden": [8], "lr": 0.01}


class Points(Dataset):
    """noise: "torch" draws from torch's numbers, "own" from numbers of its own."""

    def __init__(self, noise: str = "", rows: int = len(X)) -> None:
        self.noise, self.rows, self.own = noise, rows, np.random.default_rng(0)

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        noise = {"": 0.0, "torch": torch.randn(2), "own": self.own.standard_normal()}[self.noise]
        return X[i] + 0.1 * noise, int(Y[i])


class Coming(IterableDataset):
    def __iter__(self) -> Iterator[dict[str, Any]]:
        for i in range(len(X)):
            yield {"point": X[i].numpy(), "side": ("left", "right")[Y[i]]}


class Pairs(IterableDataset):
    def __iter__(self) -> Iterator[Any]:
        return ((X[i], int(Y[i])) for i in range(40))


def loader(**arguments: Any) -> DataLoader:
    return DataLoader(Points(), batch_size=20, shuffle=True, **arguments)


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["", "torch"])
def test_a_dataset_has_all_that_a_table_has(noise: str, tmp_path: Path) -> None:
    run = tr.fit(Points(noise), parent=tmp_path, **SHORT)
    d = run.document
    assert (d["status"], d["task"], d["classes"]) == ("finished", "classification", ["0", "1"])
    assert d["rows"] == {"train": 112, "validation": 24, "test": 24}
    assert d["reproducible"] is True
    assert d["reproducible_why"] is None
    assert set(d["metrics"]["test"]) == {"loss", "accuracy", "f1_macro", "auc"}
    assert set(d["baseline"]) == {"majority", "linear"}
    assert d["intervals"]["test"]["accuracy"]
    assert (0 < d["waited"] <= 1) is bool(noise)
    assert (run.predict(Points()) == run.predict(X)).all()
    assert run.predict(X.numpy()).dtype.kind == "i"
    again = tr.fit(Points(noise), parent=tmp_path, **SHORT)
    np.testing.assert_array_equal(run.losses, again.losses)
    opened = tr.open(run.path)
    assert opened.document == d
    assert len(opened.data.test) == 24
    json.dumps(d, allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [Points("torch"), loader(), {"train": Coming(), "validation": Coming(), "test": Coming()}],
    ids=["items", "loader", "stream"],
)
def test_pictures_are_drawn_of_data_that_is_not_in_memory(source: Any, tmp_path: Path) -> None:
    names = {"features": ["point"], "target": "side"} if isinstance(source, dict) else {}
    run = tr.fit(source, parent=tmp_path, **names, **SHORT)
    draw(run, ("boundary", "curves"))
    for name in ("boundary", "curves"):
        assert (run.path / f"pictures/{name}.png").stat().st_size > 1000


def test_figures_are_those_of_its_predictions(tmp_path: Path) -> None:
    parts = {"train": loader(), "val": Subset(Points(), range(60)), "test": Subset(Points(), range(60, 160))}
    run = tr.fit(parts, parent=tmp_path, **SHORT)
    d = run.document
    said = run.predict(Subset(Points(), range(60, 160)))
    assert d["metrics"]["test"]["accuracy"] == pytest.approx(float((said == Y[60:].numpy()).mean()))
    all_of_them = run.predict(Points())
    assert d["metrics"]["train"]["accuracy"] == pytest.approx(float((all_of_them == Y.numpy()).mean()))
    assert d["rows"] == {"train": 160, "validation": 60, "test": 100}
    assert d["steps_per_epoch"] == 8
    assert d["reproducible"] is False
    assert "DataLoader(Points)" in d["reproducible_why"]
    assert d["settings"]["batch_size"] == 20
    assert any("8 batches" in note for note in d["notes"])


def test_words_in_dicts_that_come_one_by_one(tmp_path: Path) -> None:
    source = {"train": Coming(), "test": Coming()}
    assert "which of them are x and y" in str(refusal_of(tr.load, source))
    data = tr.load(source, features=["point"], target="side")
    run = tr.fit(data, parent=tmp_path, **SHORT)
    assert data.classes == ("left", "right")
    assert data.target == "side"
    assert set(run.predict(Coming())) <= {"left", "right"}
    assert run.document["reproducible"] is False
    assert any("can't be parted" in note for note in data.notes)


def test_a_number_is_learned_in_its_own_units(tmp_path: Path) -> None:
    y = 1000 + 50 * X[:, 0]
    run = tr.fit((TensorDataset(X, y), TensorDataset(X, y)), parent=tmp_path, epochs=60, hidden=[16], lr=0.02)
    d = run.document
    assert d["task"] == "regression"
    assert d["metrics"]["validation"]["rmse"] < 15
    assert abs(run.predict(X).mean() - 1000) < 10
    assert d["rows"]["test"] == 0


class Pictures(Dataset):
    """What PIL gives: bytes, rows first, colours last."""

    classes = ("dark", "light")

    def __len__(self) -> int:
        return 60

    def __getitem__(self, i: int) -> tuple[Any, int]:
        from PIL import Image

        light = i % 2
        pixels = np.random.RandomState(i).randint(0, 100, (4, 5, 3)) + 100 * light
        return Image.fromarray(pixels.astype(np.uint8)), light


@pytest.mark.slow
def test_pictures_become_channels_of_shares(tmp_path: Path) -> None:
    data = tr.load(Pictures())
    assert data.kind == "image"
    assert data.item_shape == (3, 4, 5)
    assert data.classes == ("dark", "light")
    item = np.asarray(Pictures()[int(data.train.index[3])][0])
    wanted = torch.from_numpy(item.transpose(2, 0, 1).copy()).float().div(255)
    assert torch.equal(data.train.x[3].view(3, 4, 5), wanted)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.c, self.out = nn.Conv2d(3, 4, 3), nn.LazyLinear(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(self.c(x).relu().flatten(1))

    torch.manual_seed(0)  # four units may all be dead otherwise
    run = tr.fit(data, Net(), parent=tmp_path, epochs=60, lr=0.02)
    assert run.document["metrics"]["test"]["accuracy"] == 1
    assert set(run.predict(Pictures())) == {"dark", "light"}
    pixels = np.stack([np.asarray(Pictures()[i][0]).transpose(2, 0, 1) for i in range(6)])
    assert run.predict(pixels).tolist() == ["dark", "light"] * 3


@pytest.mark.parametrize("source", [Points("torch"), loader(), Pairs()])
def test_a_loaded_one_prints_itself_and_is_gone_through(source: Any) -> None:
    data = tr.load(source, validation=0, test=0)
    assert "rows" in repr(data)
    assert "<table" in data._repr_html_()
    got = torch.cat([x for x, _y in data.train.batches(7)])
    assert got.shape == (len(data.train), 2)
    if isinstance(source, Points):
        x, y = data.train[3]
        assert torch.equal(x, got[3])
        assert y == Y[3]
        assert torch.equal(data.train[2:9].x, got[2:9])
        assert torch.equal(data.train[torch.tensor([3, 1])].x, got[[3, 1]])
        assert len(list(data.train)) == 160
    else:
        with pytest.raises(TreinoError, match="comes as it comes"):
            data.train[3]


# ---- going on


def interrupted(source: Any, parent: Path, at: int, name: str, **more: Any) -> Path:
    """A training that is left after some steps, as by a kill."""
    asked = read_settings(SHORT | {"name": name} | more)
    for event in train_events(source, asked, parent=parent, checkpoint_seconds=0):
        if isinstance(event, JobProgress) and event.tick.step >= at:
            break
    return parent / name


@pytest.fixture
def _short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treino.training.train.CHUNK_SECONDS", 0.0)
    monkeypatch.setattr("treino.training.loop.CHECKPOINT_SHARE", 0)


@pytest.mark.slow
@pytest.mark.usefixtures("_short_ticks")
@pytest.mark.parametrize("at", [3, 9])
@pytest.mark.sampled(2)
def test_items_read_for_every_batch_go_on_bit_for_bit(at: int, tmp_path: Path) -> None:
    whole = tr.fit(Points("torch"), parent=tmp_path, name="whole", **SHORT)
    path = interrupted(Points("torch"), tmp_path, at, "cut")
    assert "given in Python" in str(refusal_of(tr.open(path).resume))
    for other in (Points("torch", rows=159), loader(), Points()):
        assert "not the data that cut was trained on" in str(refusal_of(tr.open(path).resume, other))
    random.seed(1)
    torch.manual_seed(2)
    run = tr.open(path).resume(Points("torch"))
    np.testing.assert_array_equal(whole.losses, run.losses)
    one, other = (r.folder.read_tensors("model.safetensors")[0] for r in (whole, run))
    assert all(torch.equal(one[k], other[k]) for k in one)
    assert run.document["metrics"] == whole.document["metrics"]


@pytest.mark.usefixtures("_short_ticks")
@pytest.mark.parametrize(("at", "border"), [(3, 0), (9, 8), (21, 16)])
def test_a_loader_goes_on_from_an_epochs_border_and_says_so(at: int, border: int, tmp_path: Path) -> None:
    path = interrupted(loader(), tmp_path, at, "cut")
    kept = tr.open(path).losses
    assert len(kept) >= border
    run = tr.open(path).resume(loader())
    assert run.status == "finished"
    assert len(run.losses) == 32
    np.testing.assert_array_equal(run.losses[:border], kept[:border])
    said = [note for note in run.document["notes"] if "epoch's border" in note]
    assert len(said) == 1
    assert re.search(rf"other rows: {len(kept) - border}\.", said[0])
    if len(kept) > border:
        assert not np.array_equal(run.losses[border : len(kept)], kept[border:])


@pytest.mark.usefixtures("_short_ticks")
def test_items_in_memory_are_kept_with_the_run_and_need_not_be_given(tmp_path: Path) -> None:
    whole = tr.fit(Points(), parent=tmp_path, name="whole", **SHORT)
    path = interrupted(Points(), tmp_path, 5, "cut")
    assert "has its rows already" in str(refusal_of(tr.open(path).resume, Points()))
    np.testing.assert_array_equal(tr.open(path).resume().losses, whole.losses)


@pytest.mark.usefixtures("_short_ticks")
def test_items_of_no_seed_say_what_is_not_replayed(tmp_path: Path) -> None:
    path = interrupted(Points("own"), tmp_path, 5, "cut")
    run = tr.open(path).resume(Points("own"))
    assert run.document["reproducible"] is False
    assert "differ" in run.document["reproducible_why"]
    assert any("read anew" in note for note in run.document["notes"])


INTERRUPTED = """
import sys, time, torch, treino as tr
from torch.utils.data import Dataset
class Slow(Dataset):
    def __len__(self): return 60
    def __getitem__(self, i):
        time.sleep(0.002)
        return torch.randn(2) + i % 2, i % 2
from treino.settings.spec import read_settings
from treino.training.train import drain, train_events
def watch(event):
    if type(event).__name__ == "JobProgress":
        print(event.tick.step, flush=True)
data = tr.load(Slow(), num_workers=2, validation=0, test=0)
settings = read_settings({"epochs": 100_000, "name": "cut", "hidden": [4]})
drain(train_events(data, settings, parent=sys.argv[1]), watch)
"""


@pytest.mark.slow
def test_ctrl_c_reaches_the_training_and_not_its_workers(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, tmp_path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    while int(process.stdout.readline()) < 9:
        pass
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _out, said = process.communicate(timeout=HANG)
    assert "KeyboardInterrupt: Saved in" in said
    assert "exited unexpectedly" not in said
    run = tr.open(tmp_path / "cut")
    assert run.status == "interrupted"
    kept = run.folder.last_checkpoint()
    assert kept[1]["engine"]["step"] == len(run.losses)


# ---- what goes wrong


class Broken(Dataset):
    """Item 100 is what it should not be."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __len__(self) -> int:
        return 120

    def __getitem__(self, i: int) -> Any:
        if i != 100:
            return X[i], int(Y[i])
        if self.how == "raises":
            return self.parse("x7"), 0
        return {
            "shape": (torch.zeros(3), 0),
            "nan": (torch.tensor([1.0, torch.nan]), 0),
            "none": None,
            "one-hot": (X[i], torch.tensor([0, 1])),
            "word": (X[i], "left"),
            "text": ("abc", 0),
            "three": (X[i], 0, 1),
            "ignored": (X[i], -100),  # torch's ignore_index
        }[self.how]

    def parse(self, word: str) -> float:
        return float(word)  # the line that is to be named


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("raises", "item_fails"), ("shape", "item_shape"), ("nan", "item_not_finite"), ("none", "item_form"),
        ("one-hot", "item_target"), ("word", "target_mixed"), ("text", "item_numbers"),
        ("three", "item_form"), ("ignored", "target_ignored"),
    ],
)  # fmt: skip
def test_an_item_that_fails_is_named(how: str, rule: str, workers: int) -> None:
    caught = refusal_of(tr.load, Broken(how), num_workers=workers)
    assert caught.rule == rule
    assert "tem 100 of Broken" in caught.message
    if how == "ignored":
        assert "Subset" in caught.hint
    if how == "raises":
        assert "ValueError: could not convert string to float: 'x7'" in caught.message
        assert "test_own_data.py, line" in caught.message
        assert "return float(word)  # the line" in caught.message
    if how == "raises" and not workers:
        assert isinstance(caught.__cause__, ValueError)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_item_that_fails_in_a_loader_is_named(workers: int) -> None:
    caught = refusal_of(tr.load, DataLoader(Broken("raises"), batch_size=30, num_workers=workers))
    assert caught.rule == "item_fails"
    where = "Batch 3 of DataLoader(Broken)" + ("" if workers else ", at item 100,")
    assert f"{where} raises ValueError: could not convert string to float: 'x7'" in caught.message
    assert "test_own_data.py, line" in caught.message
    assert "in parse: return float(word)  # the line" in caught.message


class Late(Points):
    """Fails once it has been gone through."""

    def __init__(self) -> None:
        super().__init__("own")
        self.read = 0

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        self.read += 1
        if self.read > 400:
            raise OSError("the disk is gone")
        return super().__getitem__(i)


def test_an_item_that_fails_later_leaves_a_run_that_can_go_on(tmp_path: Path) -> None:
    with pytest.raises(TreinoError, match=r"tem \d+ of Late raises OSError: the disk is gone"):
        tr.fit(Late(), parent=tmp_path, name="late", **(SHORT | {"epochs": 40}))
    assert tr.open(tmp_path / "late").status == "interrupted"


class Once(IterableDataset):
    def __init__(self) -> None:
        self.items = iter([(X[i], int(Y[i])) for i in range(40)])

    def __iter__(self) -> Iterator[Any]:
        return self.items


class Endless(IterableDataset):
    def __iter__(self) -> Iterator[Any]:
        while True:
            yield X[0], 0


class Nothing(Points):
    def __len__(self) -> int:
        return 0


def test_streams_that_can_not_be_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "gone through only once" in str(refusal_of(tr.fit, Once(), parent=tmp_path, **SHORT))
    assert list(tmp_path.glob("*")) == []
    monkeypatch.setattr("treino.data.torch_datasets.first_pass.LARGEST_PASS", 500)
    assert "goes on" in str(refusal_of(tr.load, Endless()))
    assert "no items" in str(refusal_of(tr.load, Nothing()))


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"batch_size": 7}, "batch_size_loader"),
        ({"shuffle": "off"}, "shuffle_loader"),
        ({"num_workers": 3}, "num_workers_loader"),
        ({"split_group": "x1"}, "split_group_of_tables"),
        ({"patience": 3}, "no_validation_rows"),
    ],
)
def test_what_a_loader_decides_itself(arguments: dict[str, Any], rule: str, tmp_path: Path) -> None:
    assert refusal_of(tr.fit, loader(), parent=tmp_path, **SHORT, **arguments).rule == rule


def test_parts_are_named_once() -> None:
    for parts, rule in (
        ({"train": Points(), "tset": Points()}, "part_unknown"),
        ({"train": Points(), "val": Points(), "validation": Points()}, "part_unknown"),
        ({"test": Points()}, "part_missing"),
        ((Points(), Points(), Points(), Points()), "part_unknown"),
        ((Points(), (X, Y)), "part_type"),
        (Points, "dataset_class"),
        ({"train": Points(), "test": TensorDataset(torch.zeros(9, 3), torch.arange(9) % 2)}, "item_shape"),
    ):
        assert refusal_of(tr.load, parts).rule == rule


def test_what_is_a_dataset_and_what_a_table() -> None:
    import pandas as pd

    class Duck:
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> Any:
            return X[i], 0

    for source in (Points(), loader(), Coming(), Duck(), (Points(), loader()), {"train": Duck()}):
        assert is_torch_dataset(source)
    frame = pd.DataFrame({"a": [1], "b": [2]})
    arrays = (X, X.numpy(), (X, Y), ((X, Y), (X, Y)), [[1, 2]], {"a": [1]})
    for source in ("wine", b"x", frame, frame["a"], *arrays):
        assert not is_torch_dataset(source)
