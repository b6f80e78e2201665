"""Loss landscapes: around a network, along its training path, between two networks."""

import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.machine import cpu_cores
from treino.data.rows import Rows, generator
from treino.engine import ACTIVATIONS, MLP, Loss
from treino.engine.activations import name_of
from treino.engine.devices import torch_threads
from treino.engine.kernels.lanes import LanesKernel, lanes_obstacle
from treino.engine.model import Model
from treino.engine.net_state import untrained_tensors
from treino.engine.population import Layout
from treino.engine.rng import fork_rng
from treino.inspection.boundary import principal_components
from treino.inspection.feature_importance import flops
from treino.inspection.input_planes import Floats, draw
from treino.inspection.outputs import evaluating, outputs

LANDSCAPE_NO_ROWS = Refusal(
    "There are no rows to compute a loss on.", "Take the landscape of a run with training rows."
)
LANDSCAPE_NETS_DIFFER = Refusal(
    "The two networks have other tensors: there is no straight line between them.",
    "Compare runs with the same layers, e.g. two seeds of the same settings.",
)

MOST_ROWS, FEWEST_ROWS = 2000, 128
POINTS = 51 * 51  # points of the default grid
LARGEST = 1.5e12  # maximum number of multiply-adds over the default grid: about ten seconds on two cores
ALONE = 24  # how many times slower a multiply-add is if places are evaluated one by one
AT_ONCE = 16_000_000  # parameters in memory at once
IN_CACHE = 2_000_000  # activations of a layer at all places that are evaluated together

Places = tuple[Tensor, Tensor, Tensor]  # an origin [n], axes [A, n], and places [K, A] on these


@dataclass(frozen=True, eq=False)
class LossSurface:
    """Network, rows and loss of a loss surface, without its plane.

    A place is a vector ``[n]`` of all floating-point tensors of the network: first its trained parameters
    (the first ``trained`` numbers), then frozen parameters and buffers such as running means. Losses are
    computed in eval mode (dropout off, batch norm with the running statistics of the place), without weight
    decay.

    total: the number of rows of the split, from which ``rows`` are a seeded sample. item_shape: as in
    ``outputs``.
    """

    net: nn.Module
    rows: Rows
    total: int
    loss: Loss
    item_shape: Sequence[int] | None = None

    @cached_property
    def layout(self) -> Layout:
        """The positions of the network's tensors in a place."""
        return Layout.of(_tensors(self.net))

    @cached_property
    def trained(self) -> int:
        return Layout.of((n, p) for n, p in self.net.named_parameters() if p.requires_grad).n

    def place(self, net: nn.Module | None = None) -> Tensor:
        """The place of a network (default: the surface's own): ``[n]`` float32.

        Raises:
            TreinoError: its tensors differ from the tensors of the surface's network.
        """
        net = self.net if net is None else net
        there = dict(_tensors(net))
        if _layers(net) and _layers(net) == _layers(self.net):  # dropout layers shift the numbers in names
            there = dict(zip(self.layout.names, there.values(), strict=True))
        if {k: t.shape for k, t in there.items()} != dict(
            zip(self.layout.names, self.layout.shapes, strict=True)
        ):
            raise LANDSCAPE_NETS_DIFFER()
        place_n = torch.zeros(self.layout.n)
        for name, view in self.layout.named(place_n).items():
            view.copy_(there[name])
        return place_n

    def losses(self, origin_n: Tensor, axes_An: Tensor, at_KA: Floats, rows: Rows | None = None) -> Floats:
        """``[K]`` float64: the mean loss over ``rows`` at ``origin + at @ axes``, possibly inf or NaN.

        rows: default: the surface's own rows.
        """
        rows, at = self.rows if rows is None else rows, torch.from_numpy(np.asarray(at_KA)).to(origin_n.dtype)
        target, weight = self.loss.target(rows.y, torch.float64), rows.weight

        def measured(output_KNC: Tensor) -> Tensor:
            """``[K]``: the loss at each place, in float64 as in the engine."""
            return torch.stack([self.loss(output_NC, target, weight) for output_NC in output_KNC.double()])

        with torch.no_grad():
            places = (origin_n, axes_An, at)
            if self._lanes is not None:
                return self._in_lanes(self._lanes, places, rows.x, measured).numpy()
            if self._mlp is not None:
                return self._side_by_side(self._mlp, places, rows.x, measured).numpy()
            alone = self._one_by_one(places, rows.x)
            return torch.cat([measured(output_NC.unsqueeze(0)) for output_NC in alone]).numpy()

    def slope(self, place_n: Tensor) -> tuple[float, Tensor]:
        """Return the loss at a place and its gradient ``[n]`` by autograd (0 for untrained numbers)."""
        net = self._moved(place_n)
        slope_n = torch.zeros_like(place_n)
        free = {name: p for name, p in net.named_parameters() if p.requires_grad}
        with evaluating(net, gradients=True), fork_rng(0):
            x = self.rows.x
            out = net(x.reshape(len(x), *self.item_shape) if self.item_shape else x.clone())
            loss = self.loss(out, self.loss.target(self.rows.y, out.dtype), self.rows.weight)
            slopes = torch.autograd.grad(loss, list(free.values()), allow_unused=True)
        views = self.layout.named(slope_n)
        for name, slope in zip(free, slopes, strict=True):
            if slope is not None:
                views[name].copy_(slope)
        return float(loss.detach()), slope_n

    @cached_property
    def work(self) -> float:
        """The multiply-adds for one row at one place; times ``ALONE`` for networks other than plain MLPs,
        which are slower."""
        return _work(self.net, self.rows.x[:1], self.item_shape)

    @property
    def batch_norm(self) -> bool:
        """Whether the network has batch norm with running statistics, which fit one place but are used at all
        places."""
        norms = [m for m in self.net.modules() if isinstance(m, nn.modules.batchnorm._NormBase)]
        return any(m.running_mean is not None for m in norms)

    @cached_property
    def _mlp(self) -> MLP | None:
        return described(self.net)

    @cached_property
    def _lanes(self) -> LanesKernel | None:
        """The compiled kernel; None if it doesn't support the network, or if most of the work is in the first
        layer, which ``_side_by_side`` computes once for all places."""
        if self._mlp is None or self._mlp.batch_norm or not self._mlp.hidden:
            return None
        first, *others = (W.numel() for W in self.layout.views(self.place().unsqueeze(0))[0::2])
        model = Model(self.net, self._mlp, self.loss)
        if first > sum(others) or model.layout.n != self.layout.n or lanes_obstacle(model) is not None:
            return None
        return LanesKernel(model)

    def _in_lanes(
        self,
        kernel: LanesKernel,
        places: Places,
        x_ND: Tensor,
        measured: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Return ``measured`` of an MLP's outputs at K places, computed by the compiled kernel in blocks."""
        (origin_n, axes_An, at_KA), parts = places, []
        size = max(1, AT_ONCE // (self.layout.n + len(x_ND) * kernel.model.shape.sizes[-1]))
        for part_KA in at_KA.split(size):
            places_Kn = torch.addmm(origin_n, part_KA, axes_An)
            parts.append(measured(kernel.outputs_of(places_Kn, torch.arange(len(places_Kn)), x_ND)))
        return torch.cat(parts)

    def _side_by_side(
        self, mlp: MLP, places: Places, x_ND: Tensor, measured: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Return ``measured`` of an MLP's outputs at K places, by batched products on every core.

        The first layer's sums are linear in its parameters, so they are computed only for the origin and each
        axis, not at every place. For a network with many inputs this saves most of the work.
        """
        (origin_n, axes_An, at_KA), whole = places, self.layout
        act = ACTIVATIONS[mlp.activation].module()
        skip = whole.starts[2] if len(whole.starts) > 2 else whole.n  # the first layer's numbers
        above = Layout(
            whole.names[2:], whole.shapes[2:], tuple(s - skip for s in whole.starts[2:]), whole.n - skip
        )

        def job(part_KA: Tensor) -> Tensor:
            with torch.no_grad():  # grad mode is per thread
                h = torch.addmm(first[0].flatten(), part_KA, first[1:].flatten(1)).unflatten(
                    1, first.shape[1:]
                )
                layers = above.views(torch.addmm(origin_n[skip:], part_KA, axes_An[:, skip:]))
                for W, b in zip(layers[0::2], layers[1::2], strict=True):
                    h = torch.baddbmm(b.unsqueeze(1), act(h), W.mT)
                return measured(h)

        # on a busy machine, threads of one operation wait for each other, so each core gets its own places
        with torch_threads(1), ThreadPoolExecutor(cpu_cores(), "treino", torch.set_num_threads, (1,)) as pool:
            W, b, *_rest = self.layout.views(torch.cat([origin_n.unsqueeze(0), axes_An]))
            first = torch.baddbmm(b.unsqueeze(1), x_ND.expand(len(W), *x_ND.shape), W.mT)
            widest = max(first.shape[-1], *mlp.hidden, 1)
            size = max(1, min(AT_ONCE // (above.n + 1), IN_CACHE // (len(x_ND) * widest)))
            parts = [
                (copy_context(), part) for part in at_KA.split(size)
            ]  # an error is in the reader's words
            return torch.cat(list(pool.map(lambda part: part[0].run(job, part[1]), parts)))

    def _one_by_one(self, places: Places, x_ND: Tensor) -> Iterator[Tensor]:
        """Yield the outputs ``[N, C]`` of any network, one place after the other."""
        origin_n, axes_An, at_KA = places
        for at_A in at_KA:
            with fork_rng(0):  # a network that draws random numbers gets the same at all places
                net = self._moved(origin_n + at_A @ axes_An)
                yield outputs(net, x_ND.clone(), item_shape=self.item_shape)

    @cached_property
    def _twin(self) -> nn.Module:
        return copy.deepcopy(self.net).eval()

    def _moved(self, place_n: Tensor) -> nn.Module:
        """A network with the tensors of this place; every call returns the same module."""
        with torch.no_grad():
            views = self.layout.named(place_n)
            for name, tensor in _tensors(self._twin):
                tensor.copy_(views[name])
        return self._twin


def loss_surface(
    net: nn.Module, rows: Rows, loss: Loss, *, item_shape: Sequence[int] | None = None
) -> LossSurface:
    """A surface over at most MOST_ROWS of these rows: a sample with a fixed seed, in row order.

    A very large network, whose landscape would take minutes, gets fewer rows, but at least 128.

    Raises:
        TreinoError: there are no rows.
    """
    if not len(rows):
        raise LANDSCAPE_NO_ROWS()
    work = POINTS * _work(net, rows.x[:1], item_shape)
    most = min(MOST_ROWS, max(FEWEST_ROWS, int(LARGEST / work)))
    return LossSurface(net, draw(rows, most), len(rows), loss, item_shape)


def _work(net: nn.Module, x_1D: Tensor, item_shape: Sequence[int] | None) -> float:
    """The multiply-adds for one row: each weight counts once per position of its layer's output. For a plain
    MLP the first layer's weights don't count, only the combination of its sums for the origin and two
    axes."""
    mlp = described(net)
    if mlp is not None:
        first, *above = [p.numel() for p in net.parameters() if p.dim() > 1]
        return 2.0 * sum(above) + 4.0 * first / x_1D.shape[1]
    return ALONE * flops(net, x_1D, item_shape)


def described(net: nn.Module) -> MLP | None:
    """The ``MLP`` description of a module; None if the module isn't an MLP without batch norm."""
    layers = [m for m in net.children() if type(m) is not nn.Dropout] if type(net) is nn.Sequential else []
    linear, between = layers[0::2], layers[1::2]
    if not linear or len(linear) != len(between) + 1:
        return None
    if not all(type(m) is nn.Linear and m.bias is not None for m in linear):
        return None
    kinds = {name_of(m) for m in between} or {"relu"}
    free = all(p.requires_grad for p in net.parameters())
    if len(kinds) > 1 or None in kinds or not free or len(set(linear)) < len(linear):
        return None
    return MLP(tuple(int(m.out_features) for m in linear[:-1]), str(kinds.pop()))  # type: ignore[arg-type]


def _layers(net: nn.Module) -> list[str]:
    """The layers of an ``nn.Sequential`` as text, without dropout; empty for any other network."""
    chain = net.children() if type(net) is nn.Sequential else ()
    return [repr(module) for module in chain if type(module) is not nn.Dropout]


def _tensors(net: nn.Module) -> list[tuple[str, Tensor]]:
    trained = [(n, p.detach()) for n, p in net.named_parameters() if p.requires_grad]
    return trained + [(n, t.detach()) for n, t in untrained_tensors(net) if t.is_floating_point()]


LANDSCAPE_NO_FILTERS = Refusal(
    "The network has no weights to move: all of its filters are zero, or it has none.",
    "Take the landscape of a network with at least one layer of weights that are not all zero.",
)
LANDSCAPE_PATH_NOT_FINITE = Refusal(
    "The run's path leads to parameters that are not finite.",
    "Draw the landscape of a run that did not diverge; treino doctor RUN says why this one did.",
)
LANDSCAPE_PATH_SHORT = Refusal(
    "The run's path has {n} places, and a plane needs three that differ.",
    "Train for more steps, or draw [[what=landscape]], which needs no path.",
)

# ---- planes through a network's parameters and the line between two networks

MOMENTS, FEWEST = 60, 8  # maximum and minimum number of a run's steps on its path
NUMBERS = 20_000_000  # maximum number of parameters of all these steps together
RESOLUTION = 51
COARSE = 25  # resolution for a network for which the fine grid takes too long
MARGIN = 0.3  # margin around the path, as a share of its extent
BEYOND = 0.25  # extent of the line beyond both networks, as a share of their distance
FLAT = 1e-12  # with a smaller share of the variance, the second direction is rounding error


@dataclass(frozen=True, eq=False)
class RunPath:
    """K moments of a run, projected on the plane of a landscape.

    step_K: updates done. at_K2: places on the plane (the last at 0, 0). loss_K: the losses of the networks
    themselves, which may lie off the plane, on the landscape's rows. share: the share of the path's variance
    along each axis.
    """

    step_K: NDArray[np.int64]
    at_K2: Floats
    loss_K: Floats
    share: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Landscape:
    """The loss over a plane through the parameters of a network.

    kind: ``random`` (two filter-normalised random directions; length 1 is the norm of the network's weights)
    or ``path`` (the first two principal axes of the run's path, in units of the parameters).
    a_R, b_R: places along the two axes. loss_RR: ``[b, a]``, possibly inf or NaN. centre: the loss at (0, 0).
    rows: the number of rows used, of ``total`` training rows. seed: the random directions' seed. batch_norm:
    whether the network uses running statistics; the statistics at (0, 0) are used everywhere.
    origin_n, axes_2n: the plane's origin and axes in parameter space.
    """

    kind: Literal["random", "path"]
    a_R: Floats
    b_R: Floats
    loss_RR: Floats
    centre: float
    rows: int
    total: int
    origin_n: Tensor
    axes_2n: Tensor
    seed: int = 0
    path: RunPath | None = None
    batch_norm: bool = False


@dataclass(frozen=True, eq=False)
class Interpolation:
    """The loss along the straight line from one network (0) to another (1).

    at_R: places on the line. loss: ``{split: [R]}``. barrier: ``{split: (height, place)}``: the largest rise
    of the loss above the straight line between the losses at both ends, and its place; height 0 without a
    rise. rows: ``{split: rows used}``. distance: between the networks' trained parameters.
    """

    at_R: Floats
    loss: dict[str, Floats]
    barrier: dict[str, tuple[float, float]]
    rows: dict[str, int]
    distance: float


def random_plane(surface: LossSurface, *, seed: int = 0, resolution: int | None = None) -> Landscape:
    """The loss around a network along two random directions (Li et al. 2018, arXiv:1712.09913).

    Each direction is drawn from a normal distribution; then each of its filters (the incoming weights of a
    unit: a row of a matrix, a kernel of a convolution) is scaled to the norm of the network's filter. Biases
    and parameters of batch norm are not moved, as in the paper. So a step of 1 is as large as the network's
    weights, and landscapes of networks of different scale can be compared.

    Raises:
        TreinoError: the network has no weights of two or more axes, or they are all zero.
    """
    origin_n = surface.place()
    axes_2n = filter_normalised(surface, origin_n, seed)
    at_R = np.linspace(-1.0, 1.0, resolution or _resolution(surface))
    centre = float(surface.losses(origin_n, axes_2n, np.zeros((1, 2)))[0])
    return _landscape("random", surface, origin_n, axes_2n, at_R, at_R, centre, seed=seed)


def _landscape(
    kind: Literal["random", "path"],
    surface: LossSurface,
    origin_n: Tensor,
    axes_2n: Tensor,
    a_R: Floats,
    b_R: Floats,
    centre: float,
    **more: Any,
) -> Landscape:
    at_K2 = np.stack(np.meshgrid(a_R, b_R), axis=-1).reshape(-1, 2)
    loss_RR = surface.losses(origin_n, axes_2n, at_K2).reshape(len(b_R), len(a_R))
    more |= {"batch_norm": surface.batch_norm}
    rows = len(surface.rows)
    return Landscape(kind, a_R, b_R, loss_RR, centre, rows, surface.total, origin_n, axes_2n, **more)


def filter_normalised(surface: LossSurface, origin_n: Tensor, seed: int) -> Tensor:
    """``[2, n]``: two random directions, whose filters have the norms of the network's filters."""
    chance = generator(seed, "landscape")
    axes_2n = torch.zeros(2, len(origin_n))
    own = surface.layout.named(origin_n)
    for axis_n in axes_2n:
        for name, view in surface.layout.named(axis_n[: len(origin_n)]).items():
            if view.dim() < 2 or surface.layout.starts[surface.layout.names.index(name)] >= surface.trained:
                continue
            drawn = torch.randn(view.shape, generator=chance).flatten(1)
            length = drawn.norm(dim=1, keepdim=True).clamp(min=1e-10)
            view.copy_((drawn * own[name].flatten(1).norm(dim=1, keepdim=True) / length).view(view.shape))
    if not bool(axes_2n.abs().sum(1).gt(0).all()):
        raise LANDSCAPE_NO_FILTERS()
    return axes_2n


def path_plane(
    surface: LossSurface, place_Kn: Tensor, step_K: Sequence[int], *, resolution: int | None = None
) -> Landscape:
    """The loss over the plane of a run's path, through its last place (Li et al. 2018, section 7).

    place_Kn: the network's places after ``step_K`` updates, in order. The axes are the first two principal
    axes of these places' trained parameters; untrained numbers keep their values at the last place.

    Raises:
        TreinoError: the path has fewer than three different places, or is not finite.
    """
    if not bool(place_Kn.isfinite().all()):
        raise LANDSCAPE_PATH_NOT_FINITE()
    too_short = LANDSCAPE_PATH_SHORT(n=len(place_Kn))
    if len(place_Kn) < 3:
        raise too_short
    _mean, axes, share = principal_components(place_Kn[:, : surface.trained].double().numpy())
    if share[1] < FLAT:
        raise too_short
    axes_2n = torch.from_numpy(axes).to(place_Kn.dtype)
    axes_2n = torch.nn.functional.pad(axes_2n, (0, len(place_Kn[0]) - surface.trained))
    origin_n = place_Kn[-1]
    at_K2 = ((place_Kn - origin_n).double() @ axes_2n.double().T).numpy()
    low, high = at_K2.min(0), at_K2.max(0)
    middle, half = (low + high) / 2, (0.5 + MARGIN) * float((high - low).max())
    a_R, b_R = (np.linspace(m - half, m + half, resolution or _resolution(surface)) for m in middle)
    true_K = surface.losses(torch.zeros_like(origin_n), place_Kn, np.eye(len(place_Kn)))
    path = RunPath(np.asarray(step_K, dtype=np.int64), at_K2, true_K, share)
    return _landscape("path", surface, origin_n, axes_2n, a_R, b_R, float(true_K[-1]), path=path)


def interpolation(
    surface: LossSurface, other_n: Tensor, splits: dict[str, Rows], *, resolution: int = 61
) -> Interpolation:
    """The loss on the line from the surface's network to ``other_n``, and ``BEYOND`` it on both sides.

    The barrier is defined as for linear mode connectivity (Frankle et al. 2020, arXiv:1912.05671; as measured
    by Entezari et al. 2022, arXiv:2110.06296): the largest rise above the line between the losses of both
    ends. splits: the rows to measure on, by name. Running statistics are interpolated like the parameters.
    """
    origin_n = surface.place()
    axis_1n = (other_n - origin_n).unsqueeze(0)
    inside_R = np.linspace(0.0, 1.0, resolution)
    step = inside_R[1]
    more_R = np.arange(1, round(BEYOND / step) + 1) * step
    at_R = np.concatenate([-more_R[::-1], inside_R, 1 + more_R])
    loss = {name: surface.losses(origin_n, axis_1n, at_R[:, None], rows) for name, rows in splits.items()}
    barrier = {name: _barrier(at_R, loss_R) for name, loss_R in loss.items()}
    distance = float(axis_1n[0, : surface.trained].double().norm())
    return Interpolation(at_R, loss, barrier, {name: len(rows) for name, rows in splits.items()}, distance)


def _barrier(at_R: Floats, loss_R: Floats) -> tuple[float, float]:
    """Return (height, place) of the barrier; the height is inf if a loss between the two networks is not
    finite."""
    inside = (at_R >= 0) & (at_R <= 1)
    at, loss = at_R[inside], loss_R[inside]
    with np.errstate(invalid="ignore"):
        rise = loss - ((1 - at) * loss[0] + at * loss[-1])
    if not np.isfinite(rise).all():
        return float("inf"), float(at[~np.isfinite(rise)][0])
    top = int(rise.argmax())
    return max(0.0, float(rise[top])), float(at[top])


def _resolution(surface: LossSurface) -> int:
    return RESOLUTION if surface.work * len(surface.rows) * RESOLUTION**2 <= 2 * LARGEST else COARSE


# ---- gradient descent as a walk in fog

STANDS = 4


@dataclass(frozen=True, eq=False)
class SurfacePoint:
    """A point on the plane of a run's path, with the local slope.

    step: updates done. at_2: the place on the plane. loss: the loss at this place. slope_2: the loss's
    derivatives along the two axes, per unit of the parameters; gradient descent moves against them. inside:
    the share of the gradient's norm within the plane, from 0 to 1.
    """

    step: int
    at_2: Floats
    loss: float
    slope_2: Floats
    inside: float


def walk_points(surface: LossSurface, land: Landscape) -> list[SurfacePoint]:
    """``STANDS`` points or fewer, evenly spaced along the path on the plane, including its first and last."""
    assert land.path is not None
    at_K2 = land.path.at_K2
    gone_K = np.concatenate([[0.0], np.linalg.norm(np.diff(at_K2, axis=0), axis=1).cumsum()])
    ways = np.linspace(0, gone_K[-1], STANDS)
    places = dict.fromkeys(int(np.abs(gone_K - way).argmin()) for way in ways)
    points = []
    for k in places:
        place_n = land.origin_n + torch.from_numpy(at_K2[k]).to(land.origin_n.dtype) @ land.axes_2n
        loss, slope_n = surface.slope(place_n)
        slope_2 = (land.axes_2n.double() @ slope_n.double()).numpy()
        whole = float(slope_n.double().norm())
        inside = float(np.linalg.norm(slope_2)) / whole if whole > 0 else 0.0
        points.append(SurfacePoint(int(land.path.step_K[k]), at_K2[k], loss, slope_2, min(1.0, inside)))
    return points
