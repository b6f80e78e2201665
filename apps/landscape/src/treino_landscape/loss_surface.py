"""The loss of a network moved to other places of its parameter space."""

import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.machine import cpu_cores
from treino.data import Rows
from treino.engine import (
    ACTIVATIONS,
    MLP,
    LanesKernel,
    Layout,
    Loss,
    Model,
    fork_rng,
    lanes_obstacle,
    name_of,
    torch_threads,
    untrained_tensors,
)
from treino.inspection import Floats, draw, flops
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
