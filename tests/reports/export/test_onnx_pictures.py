"""ONNX models of runs on folders of pictures: decoded pixels of any size in, answers out."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import treino as tr
from tests.conftest import refusal_of
from treino.data.photographs.decoding import Fit, decode
from treino.data.preparation.preparation import Preparation
from treino.reports.export import onnx_graph
from treino.reports.export.formats import exported

SHAPES = {"L": (1, 20, 13), "RGB": (3, 9, 16)}


@cache
def resizing(mode: str, fit: Fit) -> Any:
    """The part of a model that brings pictures to one size, alone."""
    shape = SHAPES[mode]
    labels: Any = {"task": "classification", "target": "c", "classes": ("a", "b")}
    how: Any = {"divisor": 255.0, "normalise": True, "item_shape": shape, "fit": fit}
    preparation = Preparation(kind="image", features=("a",), **how, **labels)
    graph = onnx_graph.OnnxGraph()
    pixels = onnx_graph.resized(graph, preparation)
    graph.output("pixels_in_the_run_s_size", pixels, onnx_graph.DOUBLE, int(np.prod(shape)))
    return session(graph.model({}).SerializeToString())


def session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@pytest.mark.slow
@given(
    mode=st.sampled_from(["L", "RGB"]),
    fit=st.sampled_from(["crop", "pad", "stretch"]),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    seed=st.integers(0, 9),
)
def test_pictures_are_resized_as_by_pillow(mode: str, fit: Fit, width: int, height: int, seed: int) -> None:
    r = np.random.default_rng(seed)
    size = (height, width) if mode == "L" else (height, width, 3)
    pixels = r.choice(np.array([0, 1, 90, 254, 255], np.uint8), size)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    _form, wanted = decode(file.getvalue(), SHAPES[mode], fit)
    several = np.stack([pixels.reshape(height, width, -1)] * 2)
    one, other = resizing(mode, fit).run(None, {"pixels": several})[0]
    assert (one == other).all()
    assert np.abs(one - wanted.reshape(-1)).max() <= 1.001
    if (height, width) == SHAPES[mode][1:]:
        assert (one == wanted.reshape(-1)).all()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    """Bright pictures and dark ones, each of its own size."""
    folder, r = tmp_path_factory.mktemp("onnx") / "lights", np.random.default_rng(3)
    for name, level in (("dark", 40), ("light", 160)):
        (folder / name).mkdir(parents=True)
        for i in range(20):
            pixels = r.integers(level, level + 90, (12 + i, 30 - i, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return tr.fit(folder, "cnn", epochs=3, name="lights", parent=folder.parent / "runs")


def test_a_model_answers_decoded_files_as_the_run_does(run: tr.Run) -> None:
    made = exported(run, "onnx")
    assert made.rows == len(run.data.test)
    assert made.apart is not None
    assert made.apart < 0.01
    model = session(made.paths[0].read_bytes())
    (pixels,) = model.get_inputs()
    assert (pixels.name, pixels.type, pixels.shape[3]) == ("pixels", "tensor(uint8)", 3)
    assert [output.name for output in model.get_outputs()] == ["prediction", "probabilities"]
    for path in sorted(Path(run.data.source).rglob("*.png"))[::7]:
        with Image.open(path) as picture:
            answer, shares = model.run(None, {"pixels": np.asarray(picture)[None]})
        assert answer.tolist() == run.predict(path).tolist()
        assert shares.sum() == pytest.approx(1)


def test_a_model_that_resizes_otherwise_is_not_kept(run: tr.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = onnx_graph._weights
    monkeypatch.setattr(onnx_graph, "_weights", lambda x, _fit, *sizes: weights(x, "stretch", *sizes))
    assert "brings pictures otherwise to the size of lights" in str(refusal_of(exported, run, "onnx"))
