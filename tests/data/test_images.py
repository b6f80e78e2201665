"""Images are described as images: planted copies, near-copies and blank ones are found as by brute force."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse.csgraph import connected_components
from torch.utils.data import TensorDataset

from tests.conftest import Treino, mnist_folder, needs_mnist, refusal_of
from treino.data import describe, load
from treino.data.readers import idx
from treino.data.summaries.image_description import ImagesDescription


def described(source: Any, **how: Any) -> ImagesDescription:
    found = describe(source, **how)
    facts = found.to_json()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert [column["name"] for column in facts["columns"]] == ["image", found.target.name]
    assert found.images is not None
    return found.images


def brute_force(x_ND: NDArray[Any], part_N: NDArray[np.int64]) -> Mapping[str, int]:
    """Every image held against every one before it, by numpy's own correlation and SciPy's components."""
    counts = dict.fromkeys(
        ("blank", "duplicates", "duplicates_across", "near_duplicates", "near_duplicates_across"), 0
    )
    for n, x in enumerate(x_ND):
        equal = [m for m in range(n) if (x_ND[m] == x).all()]
        counts["blank"] += len(set(x.tolist())) == 1
        counts["duplicates"] += bool(equal)
        counts["duplicates_across"] += any(part_N[m] < part_N[n] for m in equal)
    plain = [n for n, x in enumerate(x_ND) if len(set(x.tolist())) > 1]
    r_KK = np.atleast_2d(np.corrcoef(x_ND[plain].astype(float))) if plain else np.empty((0, 0))
    assume((abs(r_KK - 0.99) > 1e-5).all())
    _groups, group_K = connected_components(r_KK >= 0.99)
    for k, n in enumerate(plain):
        linked = [m for m, group in zip(plain[:k], group_K, strict=False) if group == group_K[k]]
        if not any((x_ND[m] == x_ND[n]).all() for m in linked):
            counts["near_duplicates"] += bool(linked)
            counts["near_duplicates_across"] += any(part_N[m] < part_N[n] for m in linked)
    return counts


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_counted_is_what_brute_force_counts(data: st.DataObject) -> None:
    kinds: st.SearchStrategy[Any] = st.sampled_from(
        [(np.uint8, st.integers(0, 2)), (np.float32, st.sampled_from([-1.0, -0.0, 0.0, 2.5, 2.6]))]
    )
    dtype, values = data.draw(kinds)
    rows, side = data.draw(st.integers(4, 30)), data.draw(st.integers(1, 3))
    x_NHW = data.draw(hnp.arrays(dtype, (rows, side, 2), elements=values))
    cut = data.draw(st.integers(2, rows - 2))
    y_N = np.arange(rows) % 2
    whole = described((x_NHW, y_N))
    flat_ND = x_NHW.reshape(rows, -1)
    expected = brute_force(flat_ND, np.zeros(rows, dtype=np.int64))
    assert {name: getattr(whole, name) for name in expected} == expected
    assert (whole.minimum, whole.maximum) == (x_NHW.min(), x_NHW.max())
    parts = {
        name: TensorDataset(torch.from_numpy(x_NHW[part]), torch.from_numpy(y_N[part]))
        for name, part in (("train", slice(cut)), ("test", slice(cut, None)))
    }
    halves = described(parts)
    expected = brute_force(flat_ND, (np.arange(rows) >= cut).astype(np.int64))
    assert {name: getattr(halves, name) for name in expected} == expected


def planted(channels: int, side: int) -> NDArray[np.uint8]:
    """Sixty different images; 50 equals 3, 51 is 7 with a little noise, 52 is 9 darker, 53 and 54 are blank,
    55 is 11 mirrored and 56 is 13 with much noise: these two are no copies."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60, channels, side, side))
    x = (x + np.roll(x, 1, axis=2) + np.roll(x, 1, axis=3)) // 3
    x[50] = x[3]
    x[51] = np.clip(x[7] + rng.integers(-4, 5, x[7].shape), 0, 255)
    x[52] = x[9] // 2
    x[53], x[54] = 7, 200
    x[55] = x[11, ..., ::-1]
    x[56] = (x[13] + rng.integers(0, 256, x[13].shape)) // 2
    return x.astype(np.uint8)


@pytest.mark.parametrize(("channels", "side", "compared"), [(1, 12, (12, 12)), (3, 64, (16, 16))])
def test_planted_copies_and_blank_images_are_named_by_their_rows(
    channels: int, side: int, compared: tuple[int, int]
) -> None:
    x_NCHW = planted(channels, side)
    y_N = np.arange(60) % 3
    table = describe((x_NCHW, y_N))
    images = table.images
    assert (images.height, images.width, images.channels) == (side, side, channels)
    assert (images.blank, images.duplicates, images.near_duplicates) == (2, 1, 2)
    assert images.compared_size == compared
    said = {warning.rule: warning for warning in table.warnings}
    assert said["images_blank"].row == "row 53"
    assert "row 50 and row 3" in said["rows_duplicate"].hint
    assert "row 50 and row 3" in said["rows_contradict"].hint  # 50 % 3 is 2
    assert "row 51 and row 7" in said["images_near_duplicate"].hint
    last = np.moveaxis(x_NCHW, 1, -1)
    again = described((last, y_N))
    assert (again.channels, again.near_duplicates) == ((3, 2) if channels == 3 else (1, 2))
    assert load((x_NCHW, y_N)).item_shape == (channels, side, side)


def test_examples_are_the_first_five_of_each_class_in_the_training_rows(small: Path) -> None:
    label_N = np.frombuffer((small / "train-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    x_NHW = np.frombuffer((small / "train-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    x_NHW = x_NHW.reshape(-1, 28, 28) / 9 * 255  # from the darkest to the lightest of all
    examples = described("fashion-mnist").examples
    assert [one.rows for one in examples] == [n for n in np.bincount(label_N, minlength=10) if n]
    for one in examples:
        rows = np.flatnonzero(label_N == load("fashion-mnist").classes.index(one.label))[:5]
        np.testing.assert_allclose(one.pixels, x_NHW[rows], atol=0.51)
    data = load("fashion-mnist")
    (first, *_rest) = data.images.examples
    rows = data.train.index[data.train.y == 0].sort().values[:5].numpy()
    np.testing.assert_allclose(first.pixels, x_NHW[rows], atol=0.51)


def test_a_source_that_is_no_images_or_holds_gaps_is_refused() -> None:
    rows = TensorDataset(torch.rand(8, 3), torch.arange(8) % 2)
    assert refusal_of(describe, rows).rule == "dataset_no_images"
    x_NHW = np.ones((8, 4, 4))
    x_NHW[5, 1, 1] = np.nan
    refused = refusal_of(describe, (x_NHW, np.arange(8)))
    assert refused.rule == "item_not_finite"
    assert "row 5" in refused.message


def test_images_with_numbers_for_targets_or_without_some_are_described_too() -> None:
    x_NHW = planted(1, 12)[:, 0]
    images = described((x_NHW, np.linspace(0, 1, 60)))
    assert images.class_rows == {}
    assert [one.label for one in images.examples] == [""]
    labels = ["cat", "dog", None] * 20
    table = describe((x_NHW, np.array(labels, dtype=object)))
    assert table.images.class_rows == {"all": (20, 20)}
    assert table.target.rows_without_target == 20


def test_pixel_columns_can_still_be_asked_about(small: Path) -> None:
    columns = describe("fashion-mnist", kinds={"pixel_0_0": "out"}).columns
    assert len(columns) == 785
    assert isinstance(largest := columns[30].maximum, float)
    assert largest <= 9


def test_the_command_prints_a_table_of_images_and_writes_sheet_and_page(
    small: Path, treino: Treino, tmp_path: Path
) -> None:
    said = treino("data", "fashion-mnist", "--to", "sheet.png")
    assert said.status == 0
    assert "pixel_" not in said.out
    assert "28 × 28 pixels" in said.out
    assert len(said.out.splitlines()) < 40
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
        assert sheet.width == 1200
    assert (tmp_path / "sheet.png").stat().st_size < 300_000
    assert treino("data", "fashion-mnist", "--to", "sheet.png").status == 2
    document = treino("data", "fashion-mnist", "--to", "sheet.png", "--replace", "--json").document
    assert document["replaced"] == ["sheet.png"]
    assert document["images"]["rows"] == {"train": 60, "test": 10}
    assert sum(document["images"]["class_rows"]["test"]) == 10
    assert treino("data", "fashion-mnist", "--to", "page.html").status == 0
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img ") == len(document["images"]["class_rows"]["train"])
    assert "pixel_" not in page


def test_a_contact_sheet_is_of_images_only(treino: Treino, tmp_path: Path) -> None:
    said = treino("data", "wine", "--to", "wine.png", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "sheet_of_table")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.release
@needs_mnist
def test_mnist_has_no_copies_and_few_near_copies() -> None:
    folder = mnist_folder()
    assert folder is not None
    images = described("mnist")
    assert (images.blank, images.duplicates, images.looked_at, images.compared) == (0, 0, 70_000, 70_000)
    pixels_ND, label_N, _notes = idx.read_idx_set("mnist")
    assert images.class_rows["test"] == tuple(np.bincount(label_N[60_000:]).tolist())
    ones_KD = pixels_ND[label_N == 1].astype(np.float32)  # its near-copies are all of them ones
    near_KK = np.tril(np.corrcoef(ones_KD) >= 0.99, -1)
    assert images.near_duplicates == near_KK.any(axis=1).sum() == 3
