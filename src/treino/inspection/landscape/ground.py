"""The loss of a network whose parameters are moved: many places at once, evaluated as one population."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from treino.data.dataset import Rows
from treino.engine import ACTIVATIONS, MLP, Loss, Population
from treino.engine.kernels.flat_bmm import FlatBmm
from treino.engine.layout import Layout
from treino.engine.recipe import Recipe, kept
from treino.engine.rng import fork
from treino.engine.state import torch_state
from treino.errors import TreinoError
from treino.inspection.predict import evaluating, outputs
from treino.inspection.views import Floats
from treino.words import _

MOST_ROWS, FEWEST_ROWS = 2000, 256
POINTS = 51 * 51  # of the usual grid
LARGEST = 1.5e12  # multiplications and additions over such a grid: some ten seconds of two cores
ALONE = 4  # how many times as long they take in a network that goes member by member
NUMBERS = 16_000_000  # parameters laid out at once
OUTPUTS = 4_000_000  # network outputs held at once


@dataclass(frozen=True, eq=False)
class Ground:
    """A network, the rows and the loss: what the mountain is made of, without the place.

    A place is a vector ``[n]`` of all floating-point tensors of the network: first the parameters that are
    trained (the first ``trained`` numbers), then frozen ones and buffers such as running means. Losses are
    those of evaluation mode: dropout off, batch norm with the running statistics of the place; without
    weight decay.

    total: how many rows the split has, of which ``rows`` are a seeded draw. item_shape: as in ``outputs``.
    """

    net: nn.Module
    rows: Rows
    total: int
    loss: Loss
    item_shape: Sequence[int] | None = None

    @cached_property
    def layout(self) -> Layout:
        """Where each tensor of the network lies in a place."""
        return Layout.of(_tensors(self.net))

    @cached_property
    def trained(self) -> int:
        return Layout.of((n, p) for n, p in self.net.named_parameters() if p.requires_grad).n

    def place(self, net: nn.Module | None = None) -> Tensor:
        """Where a network (default: the ground's own) stands: ``[n]`` float32.

        Raises:
            TreinoError: it has other tensors than the ground's own network.
        """
        there = dict(_tensors(self.net if net is None else net))
        if {k: t.shape for k, t in there.items()} != dict(
            zip(self.layout.names, self.layout.shapes, strict=True)
        ):
            raise TreinoError(
                "landscape_nets_differ",
                _("The two networks have other tensors: there is no straight line between them."),
                _("Compare runs with the same layers, e.g. two seeds of the same settings."),
            )
        place_n = torch.zeros(self.layout.n)
        for name, view in self.layout.named(place_n).items():
            view.copy_(there[name])
        return place_n

    def losses(self, origin_n: Tensor, axes_An: Tensor, at_KA: Floats, rows: Rows | None = None) -> Floats:
        """``[K]`` float64: the mean loss over ``rows`` at ``origin + at @ axes``; inf or NaN where it is so.

        rows: others than the ground's own.
        """
        rows = self.rows if rows is None else rows
        at = torch.from_numpy(np.asarray(at_KA)).to(origin_n.dtype)
        target = self.loss.target(rows.y, torch.float64)
        size = max(1, min(NUMBERS // self.layout.n, OUTPUTS // max(1, len(rows) * self._outputs)))
        found: list[float] = []
        for part in at.split(size):
            with torch.no_grad():
                place_Kn = torch.addmm(origin_n, part, axes_An)
                # one at a time and in float64, as the engine measures
                found += [
                    float(self.loss(output_NC.double().contiguous(), target))
                    for output_NC in self._answers(place_Kn, rows.x)
                ]
        return np.array(found)

    def slope(self, place_n: Tensor) -> tuple[float, Tensor]:
        """The loss at a place and its gradient ``[n]`` there (0 for what is not trained), by autograd."""
        net = self._moved(place_n)
        slope_n = torch.zeros_like(place_n)
        free = {name: p for name, p in net.named_parameters() if p.requires_grad}
        with evaluating(net, gradients=True), fork(0):
            x = self.rows.x
            out = net(x.reshape(len(x), *self.item_shape) if self.item_shape else x.clone())
            loss = self.loss(out, self.loss.target(self.rows.y, out.dtype))
            slopes = torch.autograd.grad(loss, list(free.values()), allow_unused=True)
        views = self.layout.named(slope_n)
        for name, slope in zip(free, slopes, strict=True):
            if slope is not None:
                views[name].copy_(slope)
        return float(loss.detach()), slope_n

    @cached_property
    def work(self) -> float:
        """Multiplications and additions for one row; more of one that is no plain MLP, for it is slower."""
        return _work(self.net, self.rows.x[:1], self.item_shape)

    @cached_property
    def _outputs(self) -> int:
        return outputs(self.net, self.rows.x[:1], item_shape=self.item_shape).shape[1]

    @cached_property
    def _kernel(self) -> FlatBmm | None:
        """The engine's kernel for many networks side by side; None where the network is no plain MLP."""
        net = described(self.net)
        return None if net is None else FlatBmm(Recipe(self.net, net, self.loss))

    def _answers(self, place_Kn: Tensor, x_ND: Tensor) -> Sequence[Tensor]:
        if self._kernel is not None:
            whose = torch.zeros(len(place_Kn), dtype=torch.int64)
            layouts = self._kernel.recipe.layout, self._kernel.recipe.buffer_layout
            none = torch.zeros(len(place_Kn), 0)
            moved = Population(*layouts, whose, whose, place_Kn, none, [], none, {})
            with torch_state(self._kernel.intra_op):
                return self._kernel.outputs(moved, torch.arange(len(place_Kn)), x_ND).unbind(0)
        found = []
        for place_n in place_Kn:
            with fork(0):  # a network that draws numbers of its own draws the same everywhere
                found.append(outputs(self._moved(place_n), x_ND.clone(), item_shape=self.item_shape))
        return found

    @cached_property
    def _twin(self) -> nn.Module:
        return copy.deepcopy(self.net).eval()

    def _moved(self, place_n: Tensor) -> nn.Module:
        """The network at that place; the same object each time."""
        with torch.no_grad():
            views = self.layout.named(place_n)
            for name, tensor in _tensors(self._twin):
                tensor.copy_(views[name])
        return self._twin


def ground(
    net: nn.Module, rows: Rows, loss: Loss, *, item_shape: Sequence[int] | None = None, most: int = MOST_ROWS
) -> Ground:
    """The ground over at most ``most`` of these rows, drawn by a fixed seed and kept in their order.

    Fewer, but no fewer than 256, where a network is so large that a landscape would take minutes.

    Raises:
        TreinoError: there are no rows.
    """
    if not len(rows):
        raise TreinoError(
            "landscape_no_rows",
            _("There are no rows to compute a loss on."),
            _("Take the landscape of a run with training rows."),
        )
    work = POINTS * _work(net, rows.x[:1], item_shape)
    most = min(most, max(FEWEST_ROWS, int(LARGEST / work)))
    return Ground(net, drawn(rows, most), len(rows), loss, item_shape)


def _work(net: nn.Module, x_1D: Tensor, item_shape: Sequence[int] | None) -> float:
    """Every weight is multiplied and added once for each place of its layer's output."""
    counted = 1.0

    def passed(module: nn.Module, _args: object, out: object) -> None:
        nonlocal counted
        for weight in module._parameters.values():
            if weight is not None and weight.dim() >= 2 and isinstance(out, Tensor):
                counted += 2 * weight.numel() * max(1.0, out.numel() / weight.shape[0])

    hooks = [module.register_forward_hook(passed) for module in net.modules()]
    try:
        outputs(net, x_1D, item_shape=item_shape)
    finally:
        for hook in hooks:
            hook.remove()
    return counted if described(net) is not None else ALONE * counted


def drawn(rows: Rows, most: int) -> Rows:
    """At most ``most`` of the rows: a draw by a fixed seed, in their own order."""
    if len(rows) <= most:
        return rows
    taken = np.sort(np.random.RandomState(0).choice(len(rows), most, replace=False))
    found: Rows = rows[torch.from_numpy(taken)]
    return found


def described(net: nn.Module) -> MLP | None:
    """The description of which ``net`` is the module; None where no MLP without batch norm has it."""
    layers = [m for m in net.children() if type(m) is not nn.Dropout] if type(net) is nn.Sequential else []
    linear, between = layers[0::2], layers[1::2]
    if not linear or len(linear) != len(between) + 1:
        return None
    if not all(type(m) is nn.Linear and m.bias is not None for m in linear):
        return None
    kinds = {_activation(m) for m in between} or {"relu"}
    free = all(p.requires_grad for p in net.parameters())
    if len(kinds) > 1 or None in kinds or not free or len(set(linear)) < len(linear):
        return None
    return MLP(tuple(int(m.out_features) for m in linear[:-1]), str(kinds.pop()))  # type: ignore[arg-type]


def _activation(module: nn.Module) -> str | None:
    """Its name in the engine's registry, where it is exactly that."""
    for name, known in ACTIVATIONS.items():
        own = known.module()
        if type(own) is type(module) and repr(own) == repr(module):
            return name
    return None


def _tensors(net: nn.Module) -> list[tuple[str, Tensor]]:
    trained = [(n, p.detach()) for n, p in net.named_parameters() if p.requires_grad]
    return trained + [(n, t.detach()) for n, t in kept(net) if t.is_floating_point()]
