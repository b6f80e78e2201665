"""Record dead ReLUs, vanishing gradients and weights with identical rows in training calls."""

import math
from typing import Any

import torch

from treino_doctor.finding import Site
from treino_doctor.record.gradients import Gradients
from treino_doctor.record.lines import here
from treino_doctor.record.log import Backward
from treino_doctor.record.measures import largest
from treino_doctor.record.nets import Nets, kind_of
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import AlikeRows, Depth, Rectified
from treino_doctor.record.values import Node

FILLS = ("fill", "zero", "constant", "normal", "uniform", "trunc_normal", "copy", "repeat", "expand")
MADE = ("zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full")
DRAWN = ("randn", "rand", "randn_like", "rand_like", "tensor", "clone", "div", "mul")
SATURATING = ("sigmoid", "tanh", "softsign", "hardtanh", "hardsigmoid")
CUTS = ("clamp", "clip", "clamp_min", "clamp_max", "hardtanh", "relu6", "relu", "minimum", "maximum")
SMALL = 16_384  # entries of a value whose cut ones are counted
NEWEST = 16  # number of a ReLU's newest calls that are kept
LEAST_LAYERS = 5  # minimum number of weight matrices of a deep net
EVEN = 1e-3  # times the largest entry: slices that differ by less count as equal
FILLED = 4096  # maximum number of tensors remembered with the line that filled them


class Activations(Observer):
    """Watches ReLUs, saturating activations and initial weights."""

    def __init__(self, of: Recording, nets: Nets, gradients: Gradients) -> None:
        super().__init__(of)
        self._nets, self._gradients = nets, gradients
        of.ran.append(self._ran)
        self._filled: dict[int, Site | None] = {}  # data pointer -> line
        self._call = -1, -1  # (call of a net, turn)
        self._place = self._bent = 0
        self._below: Site | None = None  # the line that filled a bias with a negative value
        self._first_bent: Site | None = None
        self._relus: dict[Any, Rectified] = {}
        # Number of a matrix -> (its event, the axes along which all its slices are still equal)
        self._alike: dict[int, tuple[AlikeRows, list[int]]] = {}

    def install(self) -> None:
        self._tape.observe(self._written, *FILLS, *MADE, *DRAWN)
        self._tape.observe(self._relu, "relu", "clamp", "clamp_min")
        self._tape.observe(self._bends, *SATURATING)
        self._tape.observe(self._cut, *CUTS)

    def _written(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        filled = args[0] if args and isinstance(args[0], torch.Tensor) else result
        filled = result if isinstance(result, torch.Tensor) and not result.requires_grad else filled
        if isinstance(filled, torch.Tensor) and filled.dim() and node is not None:
            if len(self._filled) > FILLED:
                self._filled.clear()
            self._filled[filled.data_ptr()] = site = here()
            value = kwargs.get("val", args[1] if len(args) == 2 else None)
            if filled.dim() == 1 and isinstance(value, (int, float)) and value < 0 and result is filled:
                self._below = site

    def filled_at(self, parameter: torch.Tensor) -> Site | None:
        """The line that initialised or made a parameter; None if that was not recorded."""
        node = self._values.find(parameter)
        return self._filled.get(parameter.data_ptr()) or (node.site if node is not None else None)

    def _began(self) -> None:
        """Reset the counts when a new call of a net begins."""
        call = self._nets.forwards, self._gradients.windows.turn
        if self._call != call:
            self._call = call
            self._place = self._bent = 0
            self._first_bent = None

    def _bends(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if isinstance(result, torch.Tensor) and result.requires_grad and node is not None:
            self._began()
            self._bent += 1
            self._first_bent = self._first_bent or self._made(node)

    def _made(self, node: Node) -> Site | None:
        """The line that made the current module, if it is a single activation; else the operation's line."""
        module = self._nets.current
        alone = module is not None and next(module.children(), None) is None
        alone = alone and module is not None and next(module.parameters(recurse=False), None) is None
        return self._nets.made.get(module, node.site) if alone and module is not None else node.site

    def _cut(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Note the share of a small tensor's entries that a limit changes, so that no gradient passes."""
        of = args[0] if args else None
        if not isinstance(of, torch.Tensor) or not isinstance(result, torch.Tensor) or node is None:
            return
        if result.requires_grad and of.shape == result.shape and 0 < result.numel() <= SMALL:
            node.detail = node.detail | {"cut": float((result.detach() != of.detach()).float().mean())}

    def _relu(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if not isinstance(result, torch.Tensor) or not result.requires_grad or node is None:
            return
        low = kwargs.get("min", args[1] if len(args) > 1 else None)
        if node.op != "relu" and (low != 0 or kwargs.get("max") is not None or len(args) > 2):
            return
        self._began()
        self._place += 1
        if result.dim() < 2 or not result.numel():
            return
        convolved = bool(node.parents) and node.parents[0].op.startswith(("conv", "batch_norm"))
        axis = 1 if convolved or result.dim() == 4 else result.dim() - 1
        flat, units = result.detach(), result.shape[axis]
        highest = flat.amax(dim=tuple(d for d in range(flat.dim()) if d != axis))  # faster than `any`
        dead = int((highest <= 0).count_nonzero())
        made = self._made(node)
        counted = Rectified(site=node.site, made_at=made, units=units)
        counted = self._relus.setdefault((made, self._place), counted)
        counted.dead = (*counted.dead[-NEWEST + 1 :], dead)
        counted.constant = 10 * dead >= 9 * units and bool((flat == flat[:1]).all())

    def _ran(self, event: Backward, root: Any) -> None:
        for held in self._gradients.held.values():
            if held.number not in event.filled:
                continue
            every = held.gradients()
            self._deep(every, held.number)
            if held.steps > 1:
                self._look([p for p, _ in every])

    def _deep(self, every: list[tuple[torch.Tensor, torch.Tensor]], optimizer: int) -> None:
        wide = [i for i, (p, _) in enumerate(every) if p.dim() in (2, 3, 4) and not p.is_complex()]
        if len(wide) < LEAST_LAYERS:
            return
        (first, slope), (last, newest) = every[wide[0]], every[wide[-1]]
        # If values vanish like the gradients, only the last bias receives the loss's gradient.
        beside = [g for b, g in every[wide[-1] + 1 : wide[-1] + 2] if b.shape == last.shape[:1]]
        end, start = max(map(size, (newest, *beside))), size(slope)
        if not end > 0 or not math.isfinite(start):
            return
        usual = 1 / math.sqrt(3 * max(1, first[0].numel()))
        spread = float(first.detach().float().std()) / usual if first.numel() > 1 else math.nan
        drawn = {"spread": spread, "written_at": self.filled_at(first)}
        bent = {"saturating": self._bent, "made_at": self._first_bent}
        self._log.tell(Depth, layers=len(wide), optimizer=optimizer, ratio=start / end, **drawn, **bent)

    def _look(self, every: list[torch.Tensor]) -> None:
        """Check which trained matrices still have identical rows or columns."""
        for p in every:
            if p.dim() < 2:
                continue
            number = self._gradients.number(p)
            if number not in self._alike:
                made = AlikeRows(layer=self._layer(p), shape=tuple(p.shape), filled_at=self.filled_at(p))
                self._alike[number] = made, [0, 1]
            matrix, axes = self._alike[number]
            if axes:
                matrix.looks += 1
                axes[:] = [axis for axis in axes if even(p, axis)]
                matrix.zero = not bool(p.detach().count_nonzero())

    def _layer(self, parameter: torch.Tensor) -> str:
        """The kind of the layer that holds a parameter."""
        for net in list(self._nets.numbers):
            for m in net.modules():
                if any(p is parameter for p in m.parameters(recurse=False)):
                    return kind_of(m)
        return type(parameter).__name__

    def finish(self) -> None:
        for counted in self._relus.values():
            self._log.add(counted, below=self._below)
        for matrix, axes in self._alike.values():
            if axes:
                self._log.add(matrix, axis=axes[0])


def size(t: torch.Tensor) -> float:
    """The root mean square of all entries."""
    return float(t.detach().float().pow(2).mean().sqrt()) if t.numel() else 0.0


def even(p: torch.Tensor, axis: int) -> bool:
    """Whether all slices along an axis are equal, up to rounding; compare two first, as most differ there."""
    p = p.detach()
    if p.shape[axis] < 2 or p.numel() == p.shape[axis] or not p.is_floating_point():
        return False
    most, first = EVEN * largest(p), p.narrow(axis, 0, 1)
    return all(largest(rest - first) <= most for rest in (p.narrow(axis, 1, 1), p))
