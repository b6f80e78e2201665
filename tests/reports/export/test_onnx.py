"""ONNX models beside treino's own predictions of the same raw cells, and programs of torch.export."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch

import treino as tr
from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.engine.nets import cnn
from treino.reports.export.formats import exported

DAY = "2024-02-28 23:10"


def table(rows: int = 240, seed: int = 0) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    clock = zip(r.integers(0, 24, rows), r.integers(0, 60, rows), strict=True)
    frame = pd.DataFrame({"size": r.normal(50, 20, rows), "rooms": r.integers(1, 9, rows)})
    frame["zone"] = r.integers(1, 4, rows) * 100
    frame["kind"] = r.choice(["flat", "house", "hüt;te"], rows)
    frame["state"] = r.choice(["bad", "fair", "good"], rows)
    frame["garden"] = r.random(rows) > 0.5
    frame["sold"] = pd.Timestamp(DAY) + pd.to_timedelta(r.integers(0, 90_000, rows), unit="min")
    frame["hour"] = [f"{h:02d}:{m:02d}" for h, m in clock]
    price = frame["size"] * 3 + (frame["kind"] == "flat") * 40 + frame["rooms"]
    frame["price"] = price + frame["sold"].dt.month
    frame.loc[::7, "size"] = np.nan
    frame.loc[::11, "kind"] = None
    frame.loc[::13, "sold"] = pd.NaT
    frame.loc[::17, "state"] = None
    return frame


KINDS = {"zone": "category", "state": "bad<fair<good"}


def session(path: Path) -> Any:
    return onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])


def answers(path: Path, cells: dict[str, Any]) -> dict[str, np.ndarray]:
    model = session(path)
    return dict(zip((o.name for o in model.get_outputs()), model.run(None, cells), strict=True))


def asked(path: Path, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The model's answers to a frame's cells, written as its metadata says."""
    forms = json.loads({p.key: p.value for p in onnx.load(path).metadata_props}["columns"])
    cells: dict[str, Any] = {}
    for name, form in forms.items():
        column = frame[name]
        if form.startswith("text"):
            cells[name] = np.array(["" if pd.isna(v) else str(v) for v in column], dtype=object)
        elif form.startswith("seconds since midnight"):
            cells[name] = np.array(
                [np.nan if pd.isna(v) else int(v[:2]) * 3600.0 + int(v[3:]) * 60 for v in column]
            )
        elif form.startswith("seconds"):
            cells[name] = np.array([np.nan if pd.isna(v) else v.timestamp() for v in column])
        else:
            point = column.map(lambda v: v.replace(",", ".") if isinstance(v, str) else v)
            cells[name] = point.to_numpy(float)
    return answers(path, cells)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("recipe", ["table", "plain"])
@pytest.mark.parametrize("least", [0.0, 0.5, -1.0])
def test_intervals_of_numbers_that_are_never_negative_end_at_0(
    tmp_path: Path, recipe: str, least: float
) -> None:
    r = np.random.default_rng(1)
    frame = pd.DataFrame(r.normal(size=(200, 2)), columns=["a", "b"])
    frame["sales"] = np.exp(2 * frame["a"] + r.normal(size=200)).clip(lower=0.5) - 0.5 + least
    run = tr.fit(frame, target="sales", epochs=8, parent=tmp_path, recipe=recipe, lean=True)
    ours, theirs = run.predict(frame), asked(exported(run, "onnx").paths[0], frame)
    for name in ("low", "high"):
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-5, atol=1e-4)
    low, value = ours["low"], ours["prediction"]
    assert ((low >= 0) | (low >= value)).all() == (least >= 0)
    assert (low <= value).all()
    assert least < 0 or (low == 0).any()


@pytest.mark.parametrize(
    "kinds", [{}, {"kind": "NA<flat<house<hüt;te"}], ids=["NA is nothing", "NA is a rank"]
)
def test_blanks_and_words_for_nothing_are_what_they_are_to_predict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table().to_csv("t.csv", index=False, na_rep="NA")
    run = tr.fit("t.csv", target="price", kinds=kinds, epochs=3)
    blanks = ["", " ", "\t", "\u00a0", "\u3000 ", "\x1f", "\u200b"]  # the last is none
    cells = [
        left + cell + right for cell in ("flat", "NA", "", "na", "a b") for left in blanks for right in blanks
    ]
    new = table(len(cells), seed=7).assign(kind=cells)
    ours, theirs = run.predict(new), asked(exported(run, "onnx").paths[0], new)
    np.testing.assert_allclose(theirs["prediction"], ours["prediction"], rtol=1e-5)


def test_a_model_that_differs_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tr.fit(table(), target="price", epochs=1, parent=tmp_path)
    monkeypatch.setattr("treino.reports.export.onnx_columns.DAYS_TO_ERA", 719400)
    assert "answers otherwise" in str(refusal_of(exported, run, "onnx"))
    assert not list((run.path / "exports").glob("*"))


class Recurrent(torch.nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm, self.drop = torch.nn.LayerNorm(inputs), torch.nn.Dropout(0.2)
        self.walk, self.out = torch.nn.GRU(1, 8, batch_first=True), torch.nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        steps, _last = self.walk(self.norm(x)[:, :, None])
        return self.out(self.drop(steps[:, -1]))  # type: ignore[no-any-return]


@pytest.mark.release
def test_a_network_of_other_layers_is_written_by_torch_behind_the_preparation(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    data = tr.load(table(), target="price", kinds=KINDS | {"kind": "hashed"})
    run = tr.fit(data, Recurrent(data.inputs), epochs=2, parent=tmp_path)
    new = table(30, seed=4)
    ours, theirs = run.predict(new), asked(exported(run, "onnx").paths[0], new)
    for name in ("prediction", "low", "high"):
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-5, atol=1e-5 * run.spec.target_scale)


@pytest.mark.slow
def test_a_layer_that_needs_torch_s_exporter_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Mish(), torch.nn.Linear(8, 3))
    own = tr.fit("iris", net, epochs=1, lean=True, parent=tmp_path)
    refusal = refusal_of(exported, own, "onnx")
    assert "Mish" in str(refusal)
    assert "pip install onnxscript" in refusal.hint
    assert exported(own, "pt2").rows == 21


def test_a_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tr.fit("iris", epochs=1, lean=True, parent=tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(TreinoError, match="onnxruntime is not installed") as caught:
        exported(run, "onnx")
    assert "treino[onnx]" in caught.value.hint


@pytest.mark.slow
def test_a_program_of_torch(tmp_path: Path) -> None:
    run = tr.fit(table(), target="price", kinds=KINDS, epochs=2, parent=tmp_path)
    (path,) = exported(run, "pt2").paths
    more = {"preparation.json": ""}
    program = torch.export.load(path, extra_files=more).module()
    assert json.loads(more["preparation.json"])["target"] == "price"
    for rows in (1, 2, 17):
        x = run.data.train.x[:rows]
        assert torch.allclose(program(x), run.module(x), atol=1e-6)


@pytest.mark.slow
def test_the_command_says_every_file(treino: Callable[..., Any]) -> None:
    assert treino("train", "wine", "--epochs", "1", "--name", "one").status == 0
    for form, endings in (("onnx", ["onnx"]), ("pt2", ["pt2"]), ("script", ["py", "pt"])):
        said = treino("export", "one", "--format", form, "--json")
        assert [Path(p).name for p in said.document["paths"]] == [f"one.{ending}" for ending in endings]
        assert said.document["path"] == said.document["paths"][0]
        assert ("difference" in said.document) == (form in ("onnx", "pt2"))
    assert "checked on" in treino("export", "one", "--format", "onnx").out


AVERAGES = cnn(8, 8, group_norm=2, blocks=1, pool="average", head="average", activation="gelu")
STRIDES: dict[str, Any] = {"stride": [2, 1], "kernel": [5, 3], "padding": [0, 1], "pool": ["none", "max"]}
IMAGES: dict[str, tuple[tuple[int, int, int], Any]] = {
    "pools": ((1, 9, 7), cnn(8, 16)),
    "blocks, groups, averages": ((3, 12, 11), AVERAGES),
    "strides, batch norm, dropout": (
        (2, 12, 11),
        cnn(8, 4, batch_norm=True, dropout=0.2, hidden=[7], **STRIDES),
    ),
}


def images(shape: tuple[int, int, int], rows: int = 120) -> torch.utils.data.TensorDataset:
    r = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (rows, *shape), generator=r, dtype=torch.uint8)
    return torch.utils.data.TensorDataset(pixels, torch.randint(0, 3, (rows,), generator=r))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("pools", marks=pytest.mark.slow),
        pytest.param("blocks, groups, averages", marks=pytest.mark.release),
        pytest.param("strides, batch norm, dropout", marks=pytest.mark.release),
    ],
)
def test_convolutions_answer_as_the_run_does(tmp_path: Path, name: str) -> None:
    shape, net = IMAGES[name]
    run = tr.fit(images(shape), net.module(shape, 3), epochs=2, parent=tmp_path)
    found = exported(run, "onnx")
    assert found.apart is not None
    assert found.apart <= 1e-5
    raw = np.arange(3 * np.prod(shape), dtype=float).reshape(3, -1) % 256
    ours = torch.as_tensor(run.data.preparation.transform(raw)).reshape(-1, *shape)
    with torch.no_grad():
        wanted = run.module.eval()(ours.float()).softmax(1).numpy()
    probabilities = answers(found.paths[0], {"x": raw})["probabilities"]
    np.testing.assert_allclose(probabilities, wanted, atol=1e-5)
    assert exported(run, "pt2").rows == found.rows
