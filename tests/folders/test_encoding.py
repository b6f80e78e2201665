"""JSON and safetensors: what goes in comes out to the last bit, and the bytes are stable."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load

from tests.conftest import refusal_of
from treino.base.encoding import array_parts, json_bytes, json_value, tensor_bytes, tensor_value
from treino.base.errors import TreinoError

HERE = Path("x.json")
texts = st.text(st.characters(codec=None))  # lone surrogates too
finite = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(finite, lambda each: st.lists(each) | st.dictionaries(texts, each), max_leaves=8)


@settings(max_examples=50)
@given(values)
def test_json_comes_back_exactly_from_stable_bytes(value: object) -> None:
    data = json_bytes(value)
    assert json_value(data, HERE) == value
    assert json_bytes(json_value(data, HERE)) == data
    assert data.decode("utf-8")


@given(st.floats())
def test_floats_keep_every_bit_and_others_become_null(number: float) -> None:
    found = json_value(json_bytes([number]), HERE)[0]
    if math.isfinite(number):
        assert found == number
        assert math.copysign(1, found) == math.copysign(1, number)
    else:
        assert found is None


def test_json_takes_arrays_tensors_and_their_scalars() -> None:
    value = {
        "array": np.array([[1, 2], [3, 4]]),
        "tensor": torch.tensor([0.1, float("nan")]),
        "scalars": (np.float32(0.1), np.int64(3), np.bool_(True), torch.tensor(2.5)),
        "infinite": -math.inf,
        "numpy infinite": np.float64("inf"),
    }
    assert json.loads(json_bytes(value)) == {
        "array": [[1, 2], [3, 4]],
        "tensor": [float(np.float32(0.1)), None],
        "scalars": [float(np.float32(0.1)), 3, True, 2.5],
        "infinite": None,
        "numpy infinite": None,
    }
    with pytest.raises(TypeError, match="set"):
        json_bytes({"a": {1}})


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"{}x"])
def test_what_is_no_json_names_the_file(data: bytes) -> None:
    with pytest.raises(TreinoError, match=r"x\.json") as caught:
        json_value(data, HERE)
    assert caught.value.rule == "run_damaged"


def test_tensors_come_back_whole_aligned_and_on_their_own() -> None:
    base = torch.randn(64, 3, dtype=torch.float64)
    tensors = {
        "view": base[3:7].t(),
        "same storage": base,
        "row": base[1],
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 4),
        "mask": torch.tensor([True, False]),
        "half": torch.ones(3, dtype=torch.bfloat16),
        "gradient": torch.ones(2, requires_grad=True),
        "not finite": torch.tensor([math.nan, math.inf]),
    }
    metadata = {"step": 3, "best": math.inf, "worst": [-math.inf, math.nan], "name": "é", "none": None}
    data = tensor_bytes(tensors, metadata)
    found, meta = tensor_value(data, HERE)
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name].nan_to_num(), tensor.detach().nan_to_num())
        assert found[name].is_contiguous()
        assert found[name].data_ptr() % 64 == 0
    assert meta["worst"][0] == -math.inf
    assert math.isnan(meta["worst"][1])
    assert {**meta, "worst": 0} == {**metadata, "worst": 0}
    assert tensor_bytes(tensors, metadata) == data
    assert load(data)["view"].shape == (3, 4)  # any safetensors reader takes it
    with pytest.raises(TypeError):
        tensor_bytes({}, {"a": object()})


def test_arrays_in_parts_make_the_same_kind_of_file() -> None:
    arrays: dict[str, np.ndarray] = {
        "view": np.arange(12.0).reshape(3, 4)[:, 1:3],
        "counts": np.array([[1, -2]], dtype=np.int64),
        "bytes": np.arange(3, dtype=np.uint8),
        "mask": np.array([True, False, True]),
        "scalar": np.array(7, dtype=np.int32),
        "empty": np.zeros((0, 4), dtype=np.float32),
        "single": np.array([math.nan, -0.0], dtype=np.float32),
    }
    data = b"".join(bytes(part) for part in array_parts(arrays, {"step": 3}))
    found, meta = tensor_value(data, HERE)
    assert meta == {"step": 3}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].numpy().dtype == array.dtype
        np.testing.assert_array_equal(found[name].numpy(), array)


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"\xff" * 8 + b"{}", torch.zeros(3).numpy().tobytes()])
def test_what_is_no_safetensors_names_the_file(data: bytes) -> None:
    assert "x.json" in str(refusal_of(tensor_value, data, HERE))


def test_a_foreign_safetensors_file_has_no_metadata_of_ours() -> None:
    from safetensors.torch import save

    assert "safetensors" in str(refusal_of(tensor_value, save({"a": torch.ones(2)}), HERE))
