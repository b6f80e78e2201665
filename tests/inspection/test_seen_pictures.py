"""What a network sees of a picture: occlusion, channels, kernels, cells of confusion, row numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.data import Data, load
from treino.data.mapped_rows import MappedRows
from treino.data.rows import Rows
from treino.inspection.input_planes import pictures, planes, row_of
from treino.inspection.occlusion import PATCH, channels, occlusions
from treino.inspection.outputs import answered_picture, confusion, confusion_cells, outputs
from treino.inspection.thumbnails import first_weights


def spots(
    rows: int = 200, shape: tuple[int, int, int] = (3, 33, 21), at: tuple[int, int] = (24, 6), task: str = ""
) -> Data:
    """Noise in which only the square of 3 pixels ``at`` matters: bright is class 1."""
    r = np.random.RandomState(0)
    x = r.randint(60, 140, (rows, *shape)).astype(np.uint8)
    y = r.randint(0, 2, rows)
    x[:, :, at[0] : at[0] + 3, at[1] : at[1] + 3] = np.where(y, 250, 5)[:, None, None, None]
    target = y + r.normal(0, 0.01, rows) if task else y
    return load(TensorDataset(torch.from_numpy(x), torch.from_numpy(target)))


class Spot(nn.Module):
    """Classes by the brightness of one square alone, above or below what is usual."""

    def __init__(self, data: Data, at: tuple[int, int] = (24, 6), classes: bool = True) -> None:
        super().__init__()
        self.at, self.classes, self.usual = at, classes, float(data.train.x.mean())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b = self.at
        bright = 9 * (x[:, :, a : a + 3, b : b + 3].mean(dim=(1, 2, 3)) - self.usual)
        return torch.stack([-bright, bright], dim=1) if self.classes else bright[:, None]


def test_occlusion_points_to_the_only_place_that_matters_and_the_check_says_so() -> None:
    data = spots()
    found = occlusions(Spot(data), data, item_shape=data.item_shape)
    assert len(found) == 2  # of each class one: there are no mistakes
    assert {one.shown.true for one in found} == {0.0, 1.0}
    for one in found:
        place = np.unravel_index(one.effect_AB.argmax(), one.effect_AB.shape)
        assert (place[0] * one.cell, place[1] * one.cell) == (24, 6)
        assert one.effect_AB.max() > 0.2
        far_AB = np.ones_like(one.effect_AB, bool)
        near = 24 // one.cell, 6 // one.cell
        far_AB[near[0] - PATCH + 1 : near[0] + PATCH, near[1] - PATCH + 1 : near[1] + PATCH] = False
        assert (np.abs(one.effect_AB[far_AB]) < 1e-12).all()
        assert one.holds
        assert one.ordered_S[0] == one.shown.share > 0.9
        assert one.ordered_S[2] == pytest.approx(0.5, abs=0.01)  # covered by the mean: it can't tell
        assert one.random_RS[:, 2].mean() > 0.85


def test_a_map_of_what_nothing_hangs_on_does_not_hold() -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[0.0, 1.0]]).expand(len(x), 2)

    data = spots()
    (one,) = occlusions(Constant(), data, 3, item_shape=data.item_shape)
    assert not one.holds
    assert (one.effect_AB == 0).all()


@settings(max_examples=15, deadline=None)
@given(
    channels_=st.sampled_from([1, 3]),
    height=st.integers(2, 40),
    width=st.integers(2, 40),
    seed=st.integers(0, 99),
)
def test_each_effect_is_the_mean_over_the_patches_that_cover_the_place(
    channels_: int, height: int, width: int, seed: int
) -> None:
    """Against patches laid by hand, one by one, on the picture."""
    torch.manual_seed(seed)
    x = torch.randint(0, 256, (12, channels_, height, width), dtype=torch.uint8)
    data = load(TensorDataset(x, torch.arange(12) % 2), validation=0.2, test=0.2)
    colour_C11 = data.train.x.reshape(-1, channels_, height * width).mean(dim=(0, 2))[:, None, None]
    net = nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), 2))
    row = int(data.test.index[0])
    (one,) = occlusions(net, data, row, item_shape=data.item_shape)
    picture_CHW = data.test.x[0].reshape(channels_, height, width)
    down, across = one.effect_AB.shape
    assert (down - 1) * one.cell < height <= down * one.cell
    sums, counts = np.zeros((down, across)), np.zeros((down, across))
    with torch.no_grad():
        share_C = net(picture_CHW[None]).double().softmax(1)[0]
        said = int(share_C.argmax())
        for a in range(1 - PATCH, down):
            for b in range(1 - PATCH, across):
                covered = picture_CHW.clone()
                top, left = max(0, a), max(0, b)
                rows = slice(top * one.cell, (a + PATCH) * one.cell)
                columns = slice(left * one.cell, (b + PATCH) * one.cell)
                covered[:, rows, columns] = colour_C11
                lost = float(share_C[said] - net(covered[None]).double().softmax(1)[0, said])
                sums[top : a + PATCH, left : b + PATCH] += lost
                counts[top : a + PATCH, left : b + PATCH] += 1
    np.testing.assert_allclose(one.effect_AB, sums / counts, atol=1e-6)


def test_occlusion_of_a_number_and_of_rows_on_disk(tmp_path: object) -> None:
    data = spots()
    numbers = spots(task="regression")
    assert numbers.task == "regression"
    (one,) = occlusions(Spot(data, classes=False), numbers, 5, item_shape=data.item_shape)
    assert one.holds
    assert one.shown.share_C.size == 0
    most = np.unravel_index(np.abs(one.effect_AB).argmax(), one.effect_AB.shape)
    assert (most[0] * one.cell, most[1] * one.cell) == (24, 6)
    file = f"{tmp_path}/x.npy"
    np.save(file, data.test.x.numpy())
    mapped = replace(data, test=Rows(MappedRows(np.load(file, "r")), data.test.y, data.test.index))
    for there, here in zip(
        occlusions(Spot(data), mapped, item_shape=data.item_shape),
        occlusions(Spot(data), data, item_shape=data.item_shape),
        strict=True,
    ):
        np.testing.assert_array_equal(there.effect_AB, here.effect_AB)
    cells = confusion_cells(Spot(data), mapped, ("0", "0"), item_shape=data.item_shape).cells
    assert cells[0].rows == int((data.test.y == 0).sum())


def small_cnn() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 40, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(40, 6, 3),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 14 * 8, 5),
        nn.Tanh(),
        nn.Linear(5, 2),
    )


def test_the_maps_are_those_of_torch_and_of_the_strongest_channels() -> None:
    data, net = spots(), small_cnn().eval()
    row = int(data.test.index[7])
    found = channels(net, data, row, item_shape=data.item_shape)
    x = data.test.x[7].reshape(1, *data.item_shape)
    with torch.no_grad():
        first = net[1](net[0](x))[0].double()
        second = net[:6](x)[0].double()
        hidden = net[:9](x)[0].double()
        share_C = net(x).double().softmax(1)[0]
    one, two, three = found.layers
    assert (one.total, len(one.units_K), one.what) == (40, 32, "Conv2d, ReLU, MaxPool2d")
    np.testing.assert_allclose(one.map_KHW, first[one.units_K], rtol=1e-6)
    left_out = [u for u in range(40) if u not in one.units_K]
    assert first[left_out].amax(dim=(1, 2)).max() <= first[one.units_K].amax(dim=(1, 2)).min()
    np.testing.assert_allclose(two.map_KHW, second, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(three.map_KHW[:, 0, 0], hidden, rtol=1e-5, atol=1e-7)
    shown = found.shown
    assert (shown.index, shown.split, shown.true) == (row, "test", float(data.test.y[7]))
    np.testing.assert_allclose(shown.share_C, share_C, rtol=1e-5)
    assert shown.answer == int(share_C.argmax())
    raw_CHW = data.preparation.inverse(data.test.x[7:8]).reshape(data.item_shape) / 255
    np.testing.assert_allclose(shown.picture_CHW, raw_CHW, atol=1e-6)


def test_kernels_of_later_layers_are_the_longest_in_order() -> None:
    data, net = spots(), small_cnn()
    found = first_weights(net, data, item_shape=data.item_shape)
    assert found.convolution
    (later,) = found.later
    kernel = net[3].weight.detach().double().numpy()
    assert (later.name, later.total, later.before) == ("3", 6, 40)
    length_J = np.sqrt((kernel**2).sum(axis=(0, 2, 3)))
    assert later.inputs_J.tolist() == sorted(np.argsort(-length_J)[:12].tolist())
    np.testing.assert_array_equal(later.kernel_UJHW, kernel[:, later.inputs_J])
    assert later.share == pytest.approx((kernel[:, later.inputs_J] ** 2).sum() / (kernel**2).sum())
    assert not first_weights(nn.Sequential(nn.Flatten(), nn.Linear(2079, 2)), data).convolution


def test_cells_hold_the_rows_of_the_confusion_matrix() -> None:
    data = spots()
    torch.manual_seed(3)
    net = nn.Sequential(nn.Flatten(), nn.Linear(2079, 2))
    matrix = confusion(net, data, item_shape=data.item_shape)
    found = confusion_cells(net, data, item_shape=data.item_shape)
    assert [(c.true, c.predicted, c.rows) for c in found.cells] == matrix.pairs(4)
    for cell in found.cells:
        place_K = [data.test.index.tolist().index(n) for n in cell.index_K]
        out_K2 = outputs(net, data.test.x[place_K], item_shape=data.item_shape)
        assert (data.test.y[place_K] == cell.true).all()
        assert (out_K2.argmax(1) == cell.predicted).all()
        np.testing.assert_allclose(cell.share_K, F.softmax(out_K2.double(), 1).max(1).values)
        assert (np.diff(cell.share_K) <= 0).all()
        np.testing.assert_array_equal(cell.picture_KCHW, pictures(data, data.test.x[place_K]))
    (right,) = confusion_cells(net, data, ("1", "1"), item_shape=data.item_shape).cells
    assert (right.rows, right.of) == (matrix.count_CC[1, 1], matrix.count_CC[1].sum())
    assert (np.diff(right.share_K) >= 0).all()
    with pytest.raises(TreinoError, match="no class 'one'"):
        confusion_cells(net, data, ("one", "1"), item_shape=data.item_shape)


def test_rows_are_found_by_their_number_and_test_rows_only_when_the_run_is_over(iris: Data) -> None:
    data = spots()
    for split, rows in data.splits.items():
        number = int(rows.index[3])
        where, row = row_of(data, number)
        assert (where, row.index.tolist()) == (split, [number])
        assert torch.equal(row.x[0], rows.x[3])
    assert row_of(data, None)[1].index.tolist() == data.test.index[:1].tolist()
    assert "looked at once" in str(refusal_of(row_of, data, int(data.test.index[0]), ("train", "validation")))
    with pytest.raises(TreinoError, match="has no row 4711") as caught:
        row_of(data, 4711)
    assert "0 to 199" in caught.value.hint
    assert "no classes of pictures" in str(refusal_of(confusion_cells, nn.Linear(4, 3), iris))
    assert "no pictures" in str(refusal_of(answered_picture, nn.Linear(4, 3), iris, "test", iris.test))
    with pytest.raises(TreinoError, match="not finite for row"):
        answered_picture(nn.Linear(4, 3), replace(iris, kind="image"), "test", inf_rows(iris.test))


def inf_rows(rows: Rows) -> Rows:
    return Rows(torch.full_like(rows.x, torch.inf), rows.y, rows.index)


def test_pictures_have_channels_first_and_one_scale() -> None:
    value = np.arange(24)[None]
    assert planes(value, (4, 6)).shape == (1, 1, 4, 6)
    assert planes(value, (3, 4, 2)).shape == (1, 3, 4, 2)  # three channels: as they lie
    last = planes(value, (6, 2, 2))
    assert last.shape == (1, 2, 6, 2)
    assert last[0, 1, 3, 1] == value.reshape(6, 2, 2)[3, 1, 1]
    grey = load(TensorDataset(torch.rand(20, 1, 5, 5) * 7 - 2, torch.arange(20) % 2))
    shown = pictures(grey, grey.train.x)
    raw = grey.preparation.inverse(grey.train.x).reshape(shown.shape)
    np.testing.assert_allclose(shown, (raw - raw.min()) / (raw.max() - raw.min()))
