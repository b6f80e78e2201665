"""Runs of every setting and source for the tests of exports, and a way to run a script in this process."""

import contextlib
import io
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import TensorDataset

import treino as tr
from tests.conftest import needs_mnist
from treino.api import Run
from treino.folders.network_source import UserFiles, network_files
from treino.settings.spec import read_settings
from treino.training.train import drain, train_events

ROOT = Path(__file__).parent.parent.parent
SHORT = {"epochs": 8, "engine": "module"}
NET = """
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(13, 20)
        self.b = nn.Linear(20, 3)
        self.sometimes = nn.Linear(20, 20)
        self.norm = nn.BatchNorm1d(20)
        self.drop = nn.Dropout(0.2)
        self.a.bias.requires_grad_(False)

    def forward(self, x):
        h = self.drop(self.drop(torch.relu(self.norm(self.a(x)))))
        if self.training and torch.rand(()) > 0.5:
            h = h + self.sometimes(h)
        return self.b(F.dropout(h, 0.1, self.training))


def lazy():
    return nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 3))


made = lazy()
"""


def table(rows: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a b": rng.normal(5, 2, rows).round(3), "c": rng.integers(0, 4, rows)})
    frame["flag"] = rng.random(rows) > 0.5
    frame["rare"] = np.where(np.arange(rows) == 1, 1.0, 0.0)
    frame["size"] = np.where(frame["a b"] + frame["c"] > 6, "large", "small")
    frame["grade"] = (frame["a b"] > 5).astype(int) + 3
    frame["price"] = frame["a b"] * 2 + frame["c"] + rng.normal(0, 0.1, rows)
    return frame


def mixed(rows: int = 90, brazilian: bool = False, seed: int = 5) -> pd.DataFrame:
    """Columns of every kind, with gaps; as they are written in Brazil, if wanted."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"area": rng.normal(80, 20, rows).round(2)})
    frame["price"] = (frame["area"] * 5000 + rng.normal(0, 9000, rows)).round(2)
    frame["flat"] = rng.random(rows) > 0.4
    frame["city"] = rng.choice(["Rio", "São Paulo", "Recife"], rows)
    frame["street"] = [f"street {i}" for i in rng.integers(0, 60, rows)]
    frame["size"] = rng.choice(["small", "medium", "large"], rows)
    frame["month"] = rng.integers(1, 13, rows)
    when = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 90 * 24, rows), unit="h")
    frame["when"] = when.strftime("%Y-%m-%d %H:%M")
    at = rng.integers(0, 24 * 60, rows)
    frame["at"] = [f"{minute // 60:02}:{minute % 60:02}" for minute in at]
    if brazilian:
        frame["at"] = [f"{minute // 60}h{minute % 60:02}" for minute in at]
        frame["when"] = when.strftime("%d/%m/%Y %H:%M")
        frame["area"] = [f"{a:.2f}".replace(".", ",") for a in frame["area"]]
        swap = str.maketrans(",.", ".,")
        frame["price"] = [f"R$ {p:,.2f}".translate(swap) for p in frame["price"]]
        frame["flat"] = np.where(frame["flat"], "sim", "não")
    for column in ("area", "city", "when"):
        frame[column] = frame[column].where(rng.random(rows) > 0.1)
    return frame


def pictures(rows: int = 60) -> TensorDataset:
    """Noise of two channels and an odd size, in three classes."""
    generator = torch.Generator().manual_seed(2)
    pixels = torch.randint(0, 256, (rows, 2, 11, 9), generator=generator, dtype=torch.uint8)
    return TensorDataset(pixels, torch.arange(rows) % 3)


def source(name: Any, folder: Path) -> Any:
    """What the cases name: a built-in, a file that is made here, a frame, arrays, pictures."""
    again = pd.concat([table(), table(25)], ignore_index=True)
    again.loc[82, "size"] = "small" if again.loc[82, "size"] == "large" else "large"
    if name == "frame":
        return table()[["a b", "c", "price"]]
    if name == "arrays":
        return table()[["a b", "c"]].to_numpy(), table()["grade"].to_numpy()
    if name == "pictures":
        return pictures()
    if not name.endswith(".csv"):
        return name
    path = folder / name
    if name.startswith("mixed"):
        frame = mixed(brazilian=name == "mixed brazilian.csv")
        if name == "mixed frame.csv":
            return frame
        in_brazil = {"sep": ";", "encoding": "latin-1"} if "brazilian" in name else {}
        frame.to_csv(path, index=False, **in_brazil)
        return str(path)
    if name == "twice.csv":
        again.to_csv(path, index=False)
    else:
        table().to_csv(path, index=False, sep=";" if name == "semicolon.csv" else ",")
    return str(path)


def trained(name: Any, folder: Path, **settings: Any) -> Run:
    if ":" in settings.get("net", ""):
        (folder / "mynet.py").write_text(NET)
        settings["net"] = str(folder / settings["net"])
    read = read_settings({**SHORT, **settings})
    files = network_files(UserFiles(), [read.net_file])
    run = Run.of(drain(train_events(source(name, folder), read, networks=files, parent=folder / "runs")))
    return tr.open(run.path)


@contextlib.contextmanager
def alone(path: Path, *words: str) -> Iterator[io.StringIO]:
    """argv, path and random state as a script of its own would have them."""
    out, before = io.StringIO(), (sys.argv, sys.path)
    sys.argv, sys.path = [str(path), *words], [str(path.parent), *sys.path]
    try:
        with contextlib.redirect_stdout(out), torch.random.fork_rng():
            yield out
    finally:
        sys.argv, sys.path = before


def said(path: Path, *words: str) -> list[str]:
    """The lines that the script prints, run in this process."""
    with alone(path, *words) as out:
        runpy.run_path(str(path), run_name="__main__")
    return out.getvalue().splitlines()


def well_written(path: Path) -> None:
    """Linter and formatter agree with the script, and it needs no treino."""
    for words in (
        ("check", "--config", str(ROOT / "pyproject.toml")),
        ("format", "--check", "--line-length", "110"),
    ):
        line = [Path(sys.executable).parent / "ruff", *words, "-q", str(path)]
        found = subprocess.run(line, capture_output=True, text=True)
        assert found.returncode == 0, found.stdout + found.stderr
    assert not re.search(r"^\s*(import|from) treino\b", path.read_text(), re.M)


CNN: dict[str, Any] = {"net": "cnn", "channels": (4, 6), "hidden": (8,), "epochs": 3, "batch_size": 16}
BLOCKS = CNN | {"augment": "shift", "pool": "average", "head": "average", "blocks": 1, "group_norm": 2}
BLOCKS |= {"dropout": 0.2, "clip": 1.0, "epochs": 1, "batch_size": 32}
KERNELS = CNN | {"kernel": (5, 3), "stride": (2, 1), "padding": (0, 1), "pool": ("none", "max")}
KERNELS |= {"batch_norm": True, "activation": "gelu", "init": "kaiming", "ema": 0.9, "schedule": "cosine"}
ADAMW = {"optimizer": "adamw", "weight_decay": 0.1, "betas": (0.8, 0.99)}
FEW: list[Any] = [
    ("wine", {}),
    ("wine", ADAMW | {"schedule": "cosine", "warmup": 7, "clip": 0.5, "dropout": 0.3}),
    ("table.csv", {"target": "size", "features": ("a b", "c", "flag", "rare"), "as_taught": True}),
    pytest.param("pictures", BLOCKS, marks=pytest.mark.slow),
]
OF_MNIST = [needs_mnist, pytest.mark.release]
MIXED = {"target": "price", "kinds": ("size=small<medium<large", "month=category"), "epochs": 3}
MANY: list[Any] = [
    ("mixed.csv", MIXED),
    ("mixed brazilian.csv", MIXED),
    ("mixed frame.csv", MIXED | {"impute": "mean"}),
    ("mixed.csv", {"target": "city", "split_time": "when", "kinds": ("street=hashed",), "epochs": 3}),
    ("wine", {"split_time": "alcohol"}),
    ("diabetes", {"loss": "huber", "metric": "r2", "batch_size": "full", "epochs": 50, "patience": 20}),
    ("iris", {"fold": "2/5"}),
    ("wine", {"epochs": 60, "patience": 5, "lr": 0.02}),
    ("wine", {"epochs": 60, "patience": 5, "lr": 0.02, "keep": "last"}),
    ("iris", {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("wine", {"schedule": "step", "label_smoothing": 0.1, "class_weights": (1.0, 2.0, 0.5)}),
    ("wine", {"class_weights": "balanced", "metric": "accuracy", "warmup": 5}),
    ("breast_cancer", {"loss": "bce", "metric": "auc", "epochs": 3}),
    ("breast_cancer", {"metric": "auc", "epochs": 3, "class_weights": (1.0, 3.0)}),
    ("diabetes", {"loss": "l1", "normalise": False, "lr": 0.01}),
    ("diabetes", {"keep": "last", "validation": 0.0}),
    ("diabetes", {"metric": "mae", "test": 0.0}),
    ("digits", {"features": tuple(f"pixel_{r}_{c}" for r in range(3, 5) for c in range(8)), "epochs": 1}),
    ("moons", {"activation": "tanh", "init": "xavier", "epochs": 2}),
    ("circles", {"activation": "leaky_relu", "init": "kaiming", "features": ("x2", "x1"), "epochs": 2}),
    ("spirals", {"activation": "gelu", "init": "orthogonal", "epochs": 2}),
    ("plane", {"epochs": 1}),
    ("multi_gauss", {"activation": "tanh", "epochs": 2}),
    ("iris", {"init": "zeros", "activation": "silu"}),
    ("wine", {"batch_norm": True, "dropout": 0.2, "hidden": (8, 8, 8)}),
    ("wine", {"batch_size": "full", "epochs": 50, "dropout": 0.2, "schedule": "cosine"}),
    ("wine", {"shuffle": "once"}),
    ("wine", {"shuffle": "off"}),
    ("wine", {"steps": 13, "schedule": "cosine", "epochs": None}),
    ("wine", {"steps": 12, "epochs": None, "batch_size": "full"}),
    ("wine", {"fault": ("missing_zero_grad",), "clip": 1.0}),
    ("wine", {"fault": ("softmax_before_cross_entropy",)}),
    ("wine", {"validation": 0.02, "test": 0.01}),
    ("wine", {"lr": 1e6, "optimizer": "sgd", "keep": "last"}),
    ("table.csv", {"target": "flag", "features": ("a b", "c")}),
    ("semicolon.csv", {"target": "grade", "features": ("a b", "c")}),
    ("twice.csv", {"target": "size", "features": ("a b", "c")}),
    ("frame", {"target": "price", "normalise": False}),
    ("arrays", {"loss": "bce"}),
    ("pictures", CNN),
    ("pictures", KERNELS),
    ("pictures", CNN | {"blocks": 1, "init": "orthogonal", "activation": "tanh", "epochs": 1}),
    ("pictures", CNN | {"augment": "shift", "batch_size": "full", "epochs": 4}),
    ("pictures", CNN | {"augment": "shift=2,crop,rotate,brightness,contrast,cutout,mixup", "flip": True}),
    ("pictures", CNN | {"augment": "mixup=1,cutout,contrast", "batch_size": "full", "epochs": 4}),
    ("wine", {"net": "mynet.py:Net", "weight_decay": 0.01, "clip": 1.0}),
    ("wine", {"net": "mynet.py:lazy"}),
    pytest.param("mnist", {"steps": 40, "epochs": None, "dropout": 0.1}, marks=OF_MNIST),
    pytest.param("mnist", CNN | {"steps": 8, "epochs": None, "dropout": 0.1}, marks=OF_MNIST),
    pytest.param("mnist", {"net": "mynet.py:images", "steps": 5, "epochs": None}, marks=OF_MNIST),
]
NET += """

def images():
    return nn.Sequential(nn.Conv2d(1, 4, 5, 3), nn.ReLU(), nn.Dropout(0.1), nn.Flatten(), nn.Linear(256, 10))
"""
