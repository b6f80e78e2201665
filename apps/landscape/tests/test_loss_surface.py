"""Loss landscapes: each point is a moved network, filter-normalised axes, slopes are exact."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from tests.conftest import refusal_of
from torch import nn
from torch.nn import functional

from treino.base.errors import TreinoError
from treino.data.rows import Rows
from treino.engine import ACTIVATIONS, Loss, mlp
from treino.inspection.boundary import principal_components
from treino_landscape.loss_surface import LossSurface, described, loss_surface
from treino_landscape.planes import (
    filter_normalised,
    interpolation,
    path_plane,
    random_plane,
    walk_points,
)

TORCH: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cross_entropy": functional.cross_entropy,
    "bce": functional.binary_cross_entropy_with_logits,
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "huber": functional.huber_loss,
}


def rows(count: int, inputs: int, y: torch.Tensor | None = None, seed: int = 0) -> Rows:
    x = torch.randn(count, inputs, generator=torch.Generator().manual_seed(seed))
    return Rows(x, torch.arange(count) % 3 if y is None else y, torch.arange(count))


def seeded(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def small(
    *hidden: int, inputs: int = 4, outputs: int = 3, activation: str = "tanh", seed: int = 0
) -> nn.Module:
    return seeded(lambda: mlp(*hidden, activation=activation).module(inputs, outputs), seed)


def moved(net: nn.Module, directions: list[dict[str, torch.Tensor]], at: list[float]) -> nn.Module:
    """A copy of the network with each parameter moved, one after the other, in float64."""
    twin = copy.deepcopy(net).double()
    with torch.no_grad():
        for name, p in twin.named_parameters():
            for direction, far in zip(directions, at, strict=True):
                p += far * direction[name].double()
    return twin.eval()


def by_name(place: LossSurface, axis_n: torch.Tensor) -> dict[str, torch.Tensor]:
    return place.layout.named(axis_n)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_the_mountain_of_weighted_rows_is_that_of_repeated_rows(loss: str) -> None:
    data, count = rows(20, 4, None if loss == "cross_entropy" else torch.randn(20, 3)), torch.arange(20) % 4
    weighed = Rows(data.x, data.y, data.index, count.float())
    place, other = (
        loss_surface(small(6, 5), each, Loss(loss))
        for each in (weighed, data[data.index.repeat_interleave(count)])
    )
    lands = [random_plane(each, resolution=3).loss_RR for each in (place, other)]
    np.testing.assert_allclose(*lands, rtol=1e-9)
    for mine, theirs in zip(place.slope(place.place()), other.slope(other.place()), strict=True):
        torch.testing.assert_close(mine, theirs)


@settings(max_examples=40)
@given(
    hidden=st.lists(st.integers(1, 9), max_size=3),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(TORCH)),
    seed=st.integers(0, 99),
    count=st.integers(1, 40),
)
def test_any_network_and_loss(hidden: list[int], activation: str, loss: str, seed: int, count: int) -> None:
    outputs = 3 if loss == "cross_entropy" else 1
    y = torch.arange(count) % 3 if outputs == 3 else (torch.arange(count) % 2).float().unsqueeze(1)
    data = rows(count, 4, y, seed)
    net = small(*hidden, outputs=outputs, activation=activation, seed=seed)
    place = loss_surface(net, data, Loss(loss))
    known = described(net)
    assert known.hidden == tuple(hidden)
    assert known.activation == (activation if hidden else "relu")
    land = random_plane(place, seed=seed, resolution=4)
    axes = [by_name(place, axis_n) for axis_n in land.axes_2n]
    for j, i in ((0, 3), (1, 2), (3, 3)):
        out = moved(net, axes, [land.a_R[i], land.b_R[j]])(data.x.double())
        wanted = TORCH[loss](out, y if outputs == 3 else y.double()).item()
        assert land.loss_RR[j, i] == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_an_own_network_has_the_mountain_that_its_plain_twin_has() -> None:
    net = small(6, 5)
    own = nn.Sequential(nn.Identity(), net)
    assert described(own) is None
    data = rows(30, 4)
    ours, theirs = (
        random_plane(loss_surface(n, data, Loss("cross_entropy")), resolution=4) for n in (net, own)
    )
    np.testing.assert_allclose(ours.loss_RR, theirs.loss_RR, rtol=2e-5)


@pytest.mark.parametrize(
    "net",
    [
        mlp(4, batch_norm=True).module(4, 3),
        nn.Sequential(nn.Linear(4, 3, bias=False)),
        nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3)),
        nn.Sequential(nn.Linear(4, 4), nn.GELU("tanh"), nn.Linear(4, 3)),
        nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3)).requires_grad_(False),
        nn.Linear(4, 3),
    ],
)
def test_only_a_plain_mlp_goes_through_the_engines_kernel(net: nn.Module) -> None:
    assert described(net) is None


def test_filters_are_as_long_as_the_networks_own_and_biases_stay() -> None:
    net = nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)),
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(12, 2),
    )
    place = loss_surface(net, rows(8, 16, torch.arange(8) % 2), Loss("cross_entropy"))
    origin_n = place.place()
    axes = filter_normalised(place, origin_n, 3)
    own = by_name(place, origin_n)
    for axis_n in axes:
        for name, view in by_name(place, axis_n).items():
            if name in ("1.weight", "5.weight"):
                for ours, theirs in zip(view, own[name], strict=True):
                    assert float(ours.norm()) == pytest.approx(float(theirs.norm()), rel=1e-5)
            else:
                assert not view.any(), name
    assert torch.equal(axes, filter_normalised(place, origin_n, 3))
    assert not torch.equal(axes, filter_normalised(place, origin_n, 4))
    assert abs(float(functional.cosine_similarity(axes[0], axes[1], dim=0))) < 0.5


def test_a_network_without_weights_has_no_mountain() -> None:
    net = small(3)
    with torch.no_grad():
        for p in net.parameters():
            p.zero_()
    with pytest.raises(TreinoError, match="no weights to move"):
        random_plane(loss_surface(net, rows(5, 4), Loss("cross_entropy")))
    assert "no rows" in str(refusal_of(loss_surface, net, rows(0, 4), Loss("cross_entropy")))


@settings(max_examples=40)
@given(st.integers(3, 12), st.integers(2, 40), st.integers(0, 999))
def test_the_axes_of_a_path_are_principal_components(count: int, n: int, seed: int) -> None:
    place_Kn = np.random.default_rng(seed).normal(size=(count, n)) * np.linspace(3, 1, n)
    _mean, axes, share = principal_components(place_Kn)
    theirs = PCA(2, svd_solver="full").fit(place_Kn)
    np.testing.assert_allclose(share, theirs.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(np.abs((axes * theirs.components_).sum(1)), 1, rtol=1e-6)
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-9)


def walk(
    net: nn.Module, data: Rows, steps: int, lr: float = 0.5
) -> tuple[torch.Tensor, list[int], nn.Module]:
    """Places of a plain gradient descent, and the network at its end."""
    net, places = copy.deepcopy(net), []
    for _step in range(steps + 1):
        places.append(loss_surface(net, data, Loss("cross_entropy")).place())
        loss = functional.cross_entropy(net(data.x), data.y)
        for p, slope in zip(net.parameters(), torch.autograd.grad(loss, list(net.parameters())), strict=True):
            p.data -= lr * slope if _step < steps else 0 * slope
    return torch.stack(places), list(range(steps + 1)), net


def test_the_path_lies_where_its_networks_are() -> None:
    data = rows(40, 4)
    place_Kn, steps, net = walk(small(6, 5), data, 25)
    place = loss_surface(net, data, Loss("cross_entropy"))
    land = path_plane(place, place_Kn, steps, resolution=9)
    np.testing.assert_allclose(land.path.at_K2[-1], 0)
    np.testing.assert_array_equal(land.path.step_K, steps)
    moved_Kn = (place_Kn - place_Kn[-1]).double()
    np.testing.assert_allclose(
        land.path.at_K2, (moved_Kn @ land.axes_2n.double().T).numpy(), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        land.path.share, PCA(2).fit(place_Kn.double().numpy()).explained_variance_ratio_, rtol=1e-4
    )
    # every moment's own loss, by the network itself
    twin = copy.deepcopy(net)
    for k in (0, 7, 25):
        with torch.no_grad():
            for name, p in twin.named_parameters():
                p.copy_(place.layout.named(place_Kn[k])[name])
        wanted = functional.cross_entropy(twin.double()(data.x.double()), data.y).item()
        assert land.path.loss_K[k] == pytest.approx(wanted, rel=1e-5)
        twin.float()
    # the whole path is in view
    for k in (0, 1):
        edge = (land.a_R, land.b_R)[k]
        assert edge[0] < land.path.at_K2[:, k].min()
        assert edge[-1] > land.path.at_K2[:, k].max()
    assert land.a_R[-1] - land.a_R[0] == pytest.approx(land.b_R[-1] - land.b_R[0])


def test_a_path_of_two_places_or_without_an_end_is_no_plane() -> None:
    data, net = rows(10, 4), small(3)
    place = loss_surface(net, data, Loss("cross_entropy"))
    here_n = place.place()
    for few in (here_n.expand(1, -1), torch.stack([here_n, here_n * 2]), here_n.expand(5, -1)):
        assert "needs three that differ" in str(refusal_of(path_plane, place, few, list(range(len(few)))))
    with pytest.raises(TreinoError, match="not finite"):
        path_plane(place, torch.stack([here_n, here_n * torch.inf, here_n * 2]), [0, 1, 2])


def test_the_walkers_slope_is_the_mountains() -> None:
    data = rows(40, 4)
    place_Kn, steps, net = walk(small(6, 5), data, 25)
    place = loss_surface(net, data, Loss("cross_entropy"))
    land = path_plane(place, place_Kn, steps, resolution=5)
    found = walk_points(place, land)
    assert [found[0].step, found[-1].step] == [0, 25]
    assert len(found) == 4
    for stand in found:
        step = 1e-2
        near = np.array([[step, 0], [-step, 0], [0, step], [0, -step]]) + stand.at_2
        right, left, up, down = place.losses(land.origin_n, land.axes_2n, near)
        slope = np.array([(right - left) / (2 * step), (up - down) / (2 * step)])
        np.testing.assert_allclose(stand.slope_2, slope, rtol=2e-3, atol=2e-5)
        (here,) = place.losses(land.origin_n, land.axes_2n, stand.at_2[None])
        assert stand.loss == pytest.approx(here, rel=1e-5)
        assert 0 < stand.inside <= 1
    # at the first place the whole gradient is what a plain backward pass finds
    start = moved(net, [by_name(place, land.axes_2n[k]) for k in (0, 1)], found[0].at_2.tolist())
    functional.cross_entropy(start(data.x.double()), data.y).backward()
    whole = torch.cat([p.grad.flatten() for p in start.parameters()]).norm().item()
    assert found[0].inside == pytest.approx(np.linalg.norm(found[0].slope_2) / whole, rel=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 999), st.integers(0, 999))
def test_a_convex_loss_has_no_barrier(one: int, other: int) -> None:
    data = rows(25, 4)
    first, second = (nn.Sequential(nn.Linear(4, 3)) for _ in range(2))
    for net, seed in ((first, one), (second, other)):
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(torch.randn(p.shape, generator=torch.Generator().manual_seed(seed)))
    place = loss_surface(first, data, Loss("cross_entropy"))
    found = interpolation(place, place.place(second), {"train": data}, resolution=11)
    assert found.barrier["train"][0] == pytest.approx(0, abs=1e-6)
    loss_R = found.loss["train"]
    assert (np.diff(loss_R, 2) >= -1e-5).all()
    for at, net in ((0.0, first), (1.0, second)):
        wanted = functional.cross_entropy(net(data.x), data.y).item()
        assert loss_R[np.argmin(np.abs(found.at_R - at))] == pytest.approx(wanted, rel=1e-5)


def test_the_same_network_with_its_units_in_another_order_lies_behind_a_barrier() -> None:
    data = rows(40, 4)
    _places, _steps, net = walk(small(8), data, 150)
    other, order = copy.deepcopy(net), torch.arange(8).flip(0)
    with torch.no_grad():
        other[0].weight.copy_(net[0].weight[order])
        other[0].bias.copy_(net[0].bias[order])
        other[2].weight.copy_(net[2].weight[:, order])
    place = loss_surface(net, data, Loss("cross_entropy"))
    found = interpolation(place, place.place(other), {"train": data, "validation": rows(15, 4, seed=5)})
    inside = (found.at_R >= 0) & (found.at_R <= 1)
    loss_R = found.loss["train"][inside]
    assert loss_R[0] == pytest.approx(loss_R[-1], rel=1e-5)
    height, at = found.barrier["train"]
    assert height == pytest.approx(loss_R.max() - loss_R[0], rel=1e-4)
    assert height > 0.1
    assert 0 < at < 1
    assert found.rows == {"train": 40, "validation": 15}
    difference = [
        (p - q).detach().double() for p, q in zip(net.parameters(), other.parameters(), strict=True)
    ]
    assert found.distance == pytest.approx(
        float(torch.cat([d.flatten() for d in difference]).norm()), rel=1e-6
    )


def test_batch_norm_keeps_its_statistics_and_the_network_its_state() -> None:
    net = small_with_norm()
    net.train()
    data = rows(30, 4)
    before = copy.deepcopy(net.state_dict())
    place = loss_surface(net, data, Loss("cross_entropy"))
    land = random_plane(place, resolution=3)
    with torch.no_grad():
        wanted = functional.cross_entropy(copy.deepcopy(net).eval()(data.x), data.y).item()
    assert land.centre == pytest.approx(wanted, rel=1e-5)
    assert land.batch_norm
    place.slope(place.place())
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(module.training for module in net.modules())
    # between two such networks the running statistics move along
    other = small_with_norm(seed=1)
    found = interpolation(place, place.place(other), {"train": data}, resolution=3)
    with torch.no_grad():
        wanted = functional.cross_entropy(copy.deepcopy(other).eval()(data.x), data.y).item()
    assert found.loss["train"][np.argmin(np.abs(found.at_R - 1))] == pytest.approx(wanted, rel=1e-5)


def small_with_norm(seed: int = 0) -> nn.Module:
    net = seeded(lambda: mlp(6, batch_norm=True).module(4, 3), seed)
    net(rows(64, 4, seed=seed + 7).x * 2 + 1)  # statistics of its own
    return net


def test_rows_are_a_fixed_draw_and_fewer_for_a_large_network() -> None:
    many = rows(5000, 4)
    place = loss_surface(small(3), many, Loss("cross_entropy"))
    assert (len(place.rows), place.total) == (2000, 5000)
    assert torch.equal(place.rows.index, loss_surface(small(3), many, Loss("cross_entropy")).rows.index)
    assert bool((place.rows.index.diff() > 0).all())
    image = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 5, 3, padding=1), nn.Flatten(), nn.Linear(320, 2)
    )
    worked = loss_surface(image, rows(9, 64, torch.arange(9) % 2), Loss("cross_entropy")).work
    assert worked == pytest.approx(24 * 2 * (64 * 5 * 9 + 320 * 2), rel=0.01)
    wide = rows(3000, 10_000)
    net = seeded(lambda: mlp(64).module(10_000, 3))
    assert (
        len(loss_surface(net, wide, Loss("cross_entropy")).rows) == 2000
    )  # all but the first layer is small
    assert len(loss_surface(nn.Sequential(net), wide, Loss("cross_entropy")).rows) == 128


def test_dropout_keeps_no_network_from_a_line() -> None:
    place = loss_surface(small(3), rows(5, 4), Loss("cross_entropy"))
    dropped = mlp(3, activation="tanh", dropout=0.5).module(4, 3)
    assert {*dropped.state_dict()} != {*place.net.state_dict()}
    dropped.load_state_dict(
        dict(zip(dropped.state_dict(), [t + 1 for t in place.net.state_dict().values()], strict=True))
    )
    there = place.layout.named(place.place(dropped))
    for name, tensor in place.net.state_dict().items():
        assert torch.equal(there[name], tensor + 1)
    with pytest.raises(TreinoError, match="other tensors"):  # the numbers fit, and another function uses them
        place.place(mlp(3, activation="relu", dropout=0.5).module(4, 3))
