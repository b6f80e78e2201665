"""Weights whose units began alike and get the same gradients."""

import weakref
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.manual import LARGEST, even
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.seen import LayerSeen, OptimizerSeen, Seen

LAST_LOOK = 48
WHEN = {6, 12, 24, LAST_LOOK}  # steps; later rounding may break the symmetry, long after the harm was done
LAYERS = (nn.Linear, _ConvNd, nn.RNNBase)
WITHOUT_UNITS = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
TABLES = (nn.Embedding, nn.EmbeddingBag)  # a row for each word: their columns are the units


class Alike:
    """Looks at the weights of each optimizer a few times."""

    def __init__(self, seen: Seen, gradients: Gradients, nets: Nets) -> None:
        self.seen, self.gradients, self.nets = seen, gradients, nets
        self._layers: dict[tuple[int, int], LayerSeen] = {}  # by optimizer and weight
        self._leaves: dict[int, tuple[weakref.ref[torch.Tensor], torch.Tensor, LayerSeen]] = {}
        self._by_hand: dict[Site | None, OptimizerSeen] = {}  # lines that run backward without an optimizer
        nets.backward.graph_listeners.append(self._trained_by_hand)

    def began(self, facts: OptimizerSeen) -> None:
        """Before the first step: layers each of which has one number for all of its weights. Dropout may give
        their units other gradients, but nothing else to begin with.
        """
        every = [p for f in self.gradients.followed[id(facts)] if (p := f.ref()) is not None]
        flat = [p for p in every if p.requires_grad and even(p.detach())]
        homes = self._homes() if len(flat) > 1 else {}
        own = [(p, *homes[id(p)]) for p in flat if isinstance(homes.get(id(p), (None,))[0], LAYERS)]
        own = [(p, module, name) for p, module, name in own if getattr(module, "groups", 1) == 1]
        if len(own) > 1:
            p, module, name = own[0]
            site, kind = self.nets.made.get(module) or facts.site, type(module).__name__
            self.seen.layers.append(LayerSeen(kind, site, len(p), 0, False, name, facts))

    def _began_by_hand(self, site: Site | None, leaves: list[torch.Tensor]) -> None:
        """The same for weights that no optimizer owns: those of plain tensors, too."""
        facts = self._by_hand.get(site)
        if facts is not None:
            facts.steps = self.seen.backwards[site].calls
            return
        facts = self._by_hand[site] = OptimizerSeen("by hand", site)
        flat = [p for p in leaves if even(p.detach())]
        homes = self._homes() if len(flat) > 1 else {}
        plain = [p for p in flat if isinstance(homes.get(id(p), (None,))[0], (*LAYERS, type(None)))]
        if len(plain) > 1:
            module, name = homes.get(id(plain[0]), (None, ""))
            made = self.nets.made.get(module) if module is not None else site
            kind = type(module).__name__ if module is not None else "tensor"
            self.seen.layers.append(LayerSeen(kind, made, len(plain[0]), 0, False, name, facts))

    def after_step(self, facts: OptimizerSeen) -> None:
        """Compare units: their weights, and what their gradients are."""
        if facts.steps not in WHEN:
            return
        homes: dict[int, tuple[nn.Module, str]] | None = None
        for f in self.gradients.followed[id(facts)]:
            p = f.ref()
            if p is None or p.dim() < 2 or p.grad is None or p.numel() > LARGEST or p.is_sparse:
                continue
            known, grad = self._layers.get((id(facts), id(p))), p.grad
            if known is None and facts.steps != min(WHEN):
                continue
            if grad.is_sparse:
                grad = grad.coalesce().values()
            if known is None and not any(alike_along(p, grad, a) for a in (0, 1, -3, -4)):
                continue
            homes = self._homes() if homes is None else homes
            module, name = homes.get(id(p), (None, ""))
            if isinstance(module, WITHOUT_UNITS):
                continue
            if isinstance(module, TABLES):
                stuck = self._all_zero(facts) if not bool(grad.any()) else ()
                alike = any(q is p for q in stuck) if len(stuck) > 1 else _columns_alike(p.detach(), grad)
                axis = 1 if alike and p.shape[1] > 1 else None
            else:
                axis = next((a for a in self._axes(p, module) if alike_along(p, grad, a)), None)
            if known is None:
                if axis is not None:
                    site = self.nets.made.get(module, facts.site) if module is not None else facts.site
                    kind = type(module).__name__ if module is not None else "tensor"
                    units = p.shape[axis] if axis >= 0 else p.shape[0] // -axis
                    known = LayerSeen(kind, site, units, 0, True, name)
                    self._layers[id(facts), id(p)] = known
                    self.seen.layers.append(known)
                continue
            known.alike = axis is not None
            known.checks += 1

    def _trained_by_hand(self, site: Site | None, nodes: list[Any], leaves: list[torch.Tensor]) -> None:
        """Plain tensors that no optimizer owns: alike at first, and still alike after they have moved."""
        if not self.seen.optimizers and site in self.seen.backwards:
            self._began_by_hand(site, leaves)
        for p in leaves:
            if p.dim() != 2 or p.numel() > LARGEST or p.is_sparse or self.gradients.owner(p) is not None:
                continue
            axis = next((a for a in self._axes(p, None) if _equal(p.detach(), a)), None)
            key = self.nets.backward.asked.place(p)
            known = self._leaves.get(key)
            if known is None or (known[0]() is not p and key == id(p)):
                if axis is not None:
                    layer = LayerSeen("tensor", site, p.shape[axis], 0, False)
                    self._leaves[key] = weakref.ref(p), p.detach().flatten()[:64].clone(), layer
                continue
            layer = known[2]
            if layer.checks >= len(WHEN):
                continue
            layer.alike = axis is not None
            still = torch.equal(known[1], p.detach().flatten()[:64])
            if still and not layer.checks and not self._all_stuck(leaves, p):
                continue
            if layer.checks or not still or layer.alike:
                if not layer.checks:
                    self.seen.layers.append(layer)
                layer.checks += 1

    def _all_stuck(self, leaves: list[torch.Tensor], p: torch.Tensor) -> bool:
        """Whether this one and another weight are all zeros that got nothing but zeros as gradients: each
        keeps the other from learning.
        """
        never = self.nets.backward.leaves.never_learned
        stuck = [q for q in leaves if q.dim() == 2 and never(q) and not bool(q.detach().any())]
        return len(stuck) > 1 and any(q is p for q in stuck)

    def _all_zero(self, facts: OptimizerSeen) -> list[torch.Tensor]:
        """Matrices of zeros that got nothing but zeros as gradients: each keeps the others from learning."""
        every = [p for f in self.gradients.followed[id(facts)] if (p := f.ref()) is not None]
        wide = [p for p in every if p.dim() == 2 and p.shape[1] > 1 and p.grad is not None]
        return [p for p in wide if not bool(p.detach().any()) and not bool(p.grad.any())]  # type: ignore[union-attr]

    def _homes(self) -> dict[int, tuple[nn.Module, str]]:
        """Where each parameter is kept: in modules that were made, or copied for a net that is called."""
        modules = {id(m): m for net in list(self.nets.nets) for m in net.modules()}
        modules |= {id(m): m for m in list(self.nets.made)}
        return {id(p): (m, n) for m in modules.values() for n, p in m._parameters.items() if p is not None}

    @staticmethod
    def _axes(p: torch.Tensor, module: nn.Module | None) -> tuple[int, ...]:
        """The axes that may be that of the units: a weight made by hand may be [in, out]; -3 and -4 are the
        first one of that many gates, each of which has units of its own.
        """
        if isinstance(module, (nn.LSTM, nn.LSTMCell)):
            return (-4,)
        if isinstance(module, (nn.GRU, nn.GRUCell)):
            return (-3,)
        if module is not None and type(module).__module__.startswith("torch.nn"):
            axes: tuple[int, ...] = (0,)
        else:
            axes = (0, 1) if p.dim() == 2 else (0,)
        return tuple(a for a in axes if p.shape[a] > 1 and p.numel() > p.shape[a])


def alike_along(p: torch.Tensor, grad: torch.Tensor, axis: int) -> bool:
    """Whether all slices of a weight along an axis agree, and those of its gradient."""
    return _equal(p.detach(), axis) and _equal(grad.detach(), axis)


def _columns_alike(p: torch.Tensor, grad: torch.Tensor) -> bool:
    """Whether all columns of a table are alike, and are moved alike: in the rows that this step learns."""
    if p.shape[1] < 2 or not _equal(p, 1):
        return False
    learned = grad[grad.abs().amax(1) > 0]
    return len(learned) > 0 and _equal(learned, 1)


def _equal(t: torch.Tensor, axis: int) -> bool:
    """Whether all slices along an axis agree to a thousandth of the largest entry."""
    if axis < 0:
        gates = t.chunk(-axis) if t.shape[0] % -axis == 0 and t.shape[0] > -axis else ()
        return bool(gates) and all(_equal(g, 0) for g in gates)
    rows = t.transpose(0, axis).flatten(1)[:64, :64]
    spread = float((rows - rows[:1]).abs().max())
    return spread <= 1e-3 * float(rows.abs().max())  # False where NaN
