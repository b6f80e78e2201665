"""Every loss function: what its input is made of, whether its target fits, and the labels that it saw.

Loss modules call the functional form, so one wrap serves both; it is put on before the script imports.
"""

import math
import weakref
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from treino.diagnosis.record.lines import here
from treino.diagnosis.record.tables import as_array
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.loss_inputs import LossInputs
from treino.diagnosis.watch.loss_seen import CLASSES, SIGNED, TARGET_AT, LossSeen
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.over_rows import OverRows
from treino.diagnosis.watch.patches import FIRST, Patches
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.soft_targets import SoftTargets, over_rows
from treino.diagnosis.watch.transformed import Transformed
from treino.diagnosis.watch.where import spots, stack
from treino.words import N_

PAIRED = {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "poisson_nll_loss", "gaussian_nll_loss"}
NAMES = sorted(
    CLASSES
    | PAIRED
    | SIGNED
    | {"binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div", "multi_margin_loss"}
)
FEW_CLASSES = 20
PLACES = 1 << 14  # labels of one call that are counted
MOST = 200_000  # loss values that are kept
OFTEN = 8  # calls whose input and labels are looked at, then each 8th
FULL = FIRST  # calls of a loss that are read as a whole, before the windows


class Losses:
    """Wraps torch.nn.functional's losses, softmax and sigmoid."""

    def __init__(self, seen: Seen, patches: Patches, backward: Backward, nets: Nets) -> None:
        self.following: list[LossSeen] = []  # their batches seem to come in order: followed without a gap
        self.seen, self.patches, self.backward, self.nets = seen, patches, backward, nets
        self.made_at = backward.softmax_sites
        self._known: dict[tuple[str, int], LossSeen] = {}  # by the site's id
        self.inputs = LossInputs(seen, backward)
        self.over_rows = OverRows(seen, nets, self._facts)
        backward.lines.made.append(SoftTargets(seen).observe)
        self.layer_at = backward.softmax_layers  # where the layer was made, as its axis was chosen there

    def install(self) -> None:
        for name in NAMES:
            self.patches.after(F, name, self._observer(name), self._failure(name), always=self.following)
        for owner in (torch, torch.Tensor):
            for name in ("softmax", "log_softmax", "sigmoid"):
                self.patches.after(owner, name, self._squashed(name), always=False)
            self.patches.after(owner, "mean", self.over_rows.meant, always=False)
        Transformed(self.patches, self._facts, self.nets.place).install()
        self.patches.after(torch.distributions.Categorical, "__init__", self._categorical)

    def _categorical(self, result: Any, args: Any, kwargs: Any) -> None:
        """Probabilities given to Categorical must sum to one over the last axis."""
        p = args[1] if len(args) > 1 else kwargs.get("probs")
        if not isinstance(p, torch.Tensor) or p.grad_fn is None or p.dim() < 2:
            return
        node, dim = graph.source(p.grad_fn, p.dim() - 1)
        if node is not None and graph.squash(node)[0] == "softmax":
            facts = self._facts("Categorical")
            facts.calls += 1
            self.inputs.squashed(
                "Categorical", facts, "softmax", node, graph.squash(node)[1], dim, p.dim() - 1
            )

    def _squashed(self, name: str) -> Any:
        def observe(result: Any, args: Any, kwargs: Any) -> None:
            node = result.grad_fn
            if name == "softmax" and result.dim() > 1:
                self.over_rows.newest = weakref.ref(result), here()
            if node is not None:
                if len(self.made_at) > 512:
                    self.made_at.clear()
                    self.layer_at.clear()
                self.made_at[node._sequence_nr()] = self.nets.place()
                if name != "sigmoid":
                    self.over_rows.trained(result, args, kwargs)
                layer = self.nets.stack[-1] if self.nets.stack else None
                if isinstance(layer, (torch.nn.Softmax, torch.nn.LogSoftmax)):
                    self.layer_at[node._sequence_nr()] = self.nets.made.get(layer)
            elif result.dim() >= 2 and name != "sigmoid":
                self._looked_at(name, args[0], args[1] if len(args) > 1 else kwargs.get("dim"))
            self.nets.outputs.derived(args[0], result)

        return observe

    def _looked_at(self, name: str, x: torch.Tensor, dim: int | None) -> None:
        """Probabilities of a classifier that are only looked at: of each row, not of each class."""
        output, rows = self.nets.outputs.match(x), self.nets.outputs.rows_of(x)
        if output is not None and output.net.supervised and output.shape == x.shape:
            rows = 0 if output.classifies() or output.maps() or output.single() else rows
        if rows is not None and dim in (rows, rows - x.dim()):
            facts = self._facts(name)
            facts.calls += 1
            facts.wrong_dim += 1
            facts.wrong_dims = (rows, x.dim() - 1)

    def _facts(self, name: str) -> LossSeen:
        site = here()
        facts = self._known.get((name, id(site)))
        if facts is None:
            facts = self._known[name, id(site)] = self.seen.losses[name, site] = LossSeen(name, site, stack())
            module = self.nets.stack[-1] if self.nets.stack else None
            if module is not None and type(module).__module__ == "torch.nn.modules.loss":
                facts.made_at = self.nets.made.get(module)
        return facts

    def _observer(self, name: str) -> Any:
        at = TARGET_AT.get(name, 1)

        def observe(result: Any, args: Any, kwargs: Any) -> None:
            x = args[0] if args else kwargs.get("input")
            target = args[at] if len(args) > at else kwargs.get("target")
            if not isinstance(x, torch.Tensor) or not isinstance(target, torch.Tensor):
                return
            facts = self._facts(name)
            facts.calls += 1
            trained = bool(result.requires_grad)
            if trained and facts.calls > FULL and self.patches.quiet:
                facts.trained += 1
                if facts.sorted:
                    self._in_order(facts, target, result)
                return
            node = x.grad_fn
            if node is not None and (facts.calls <= OFTEN or facts.calls % OFTEN == 0):
                if target.shape != x.shape or not over_rows(target):  # both sum to one over the rows
                    self.inputs.look(name, facts, x, node)
            elif node is None and name == "nll_loss" and facts.calls <= OFTEN:
                self.inputs.figure(facts, x, kwargs.get("reduction", "mean"))
            if name in PAIRED and x.shape != target.shape:
                self._shapes(facts, x, target)
            value = float(result.detach()) if result.numel() == 1 else None
            if facts.calls <= OFTEN or facts.calls % OFTEN == 0 or value is None or not math.isfinite(value):
                self._target(name, facts, x, target, result, kwargs)
            said = self.nets.judging.lost(x, target, trained, result)
            if trained:
                value = self._of_each(facts, result) if value is None else value
                self._trained(name, facts, x, target, value, said, args, kwargs)

        return observe

    def _failure(self, name: str) -> Any:
        def failed(error: BaseException, args: Any, kwargs: Any) -> None:
            x = args[0] if args else kwargs.get("input")
            target = args[1] if len(args) > 1 else kwargs.get("target")
            if name not in CLASSES or not isinstance(x, torch.Tensor) or not isinstance(target, torch.Tensor):
                return
            if target.is_floating_point() or not target.numel() or x.dim() < 2:
                return
            low, high = int(target.min()), int(target.max())
            ignore = kwargs.get("ignore_index", -100)
            if high >= x.shape[1] or (low < 0 and low != ignore):
                facts = self._facts(name)
                facts.calls += 1
                self._bad(facts, f"{low} … {high}, {x.shape[1]} classes", (low, high))

        return failed

    # --- the target -----------------------------------------------------------------------------------------
    def _shapes(self, facts: LossSeen, x: torch.Tensor, target: torch.Tensor) -> None:
        a, b = tuple(x.shape), tuple(target.shape)
        summed = graph.stretched_sum(x.grad_fn) if b in (a[:1], (*a[:1], 1)) else None
        square = len(a) == 2 and a[0] > 1 and sorted((a, b)) == [(a[0], 1), (a[0], a[0])]
        if summed is None and not square and (len(a) == len(b) or not a or not b):
            return
        total = math.prod(torch.broadcast_shapes(a, b))
        if summed is None and not square and total <= max(math.prod(a), math.prod(b)):
            return
        facts.broadcast += 1
        facts.shapes = (a, b)
        fewer = x.grad_fn is not None and len(a) < len(b)
        node = summed or (graph.reshaped(x.grad_fn, fewer=True) if fewer else None)
        if node is not None:
            facts.axis_at = facts.axis_at or self.backward.lines.just_made(node)

    def _target(
        self, name: str, facts: LossSeen, x: torch.Tensor, target: torch.Tensor, result: Any, kwargs: Any
    ) -> None:
        if not target.numel():
            return
        if name.startswith("binary_cross_entropy"):
            low, high = (float(v) for v in torch.aminmax(target.detach()))
            if low < -1e-4 or high > 1 + 1e-4:
                self._bad(facts, f"{low:g} … {high:g}", (low, high))
        elif name in SIGNED:
            t = target.detach()
            if bool(((t != 1) & (t != -1)).any()):
                low, high = float(t.min()), float(t.max())
                self._bad(facts, f"{low:g} … {high:g}", (low, high))
        elif name in PAIRED:
            if result.numel() == 1 and not bool(torch.isfinite(target.detach().sum())):
                self._bad(facts, "NaN", None)
        elif name == "cross_entropy":
            if x.dim() == 2 and x.shape[1] == 1 and x.shape[0] > 1:
                facts.bad_labels += 1
                facts.bad_label = N_("one column of logits")
            elif not target.is_floating_point() and bool((target == kwargs.get("ignore_index", -100)).all()):
                facts.bad_labels += 1
                facts.bad_label = N_("every label is ignored")

    @staticmethod
    def _bad(facts: LossSeen, said: str, span: tuple[float, float] | None) -> None:
        facts.bad_labels += 1
        facts.bad_label = said
        if not facts.bad_calls:
            facts.bad_calls = tuple(zip(stack(), spots(), strict=False))
        if span is not None:
            low, high = facts.bad_range or span
            facts.bad_range = min(low, span[0]), max(high, span[1])

    # --- what was learned on --------------------------------------------------------------------------------
    def _trained(
        self,
        name: str,
        facts: LossSeen,
        x: torch.Tensor,
        target: torch.Tensor,
        value: float | None,
        said: np.ndarray | None,
        args: Any,
        kwargs: Any,
    ) -> None:
        facts.trained += 1
        facts.loader = self.nets.loader_of()
        reduction = kwargs.get("reduction", "mean")
        if reduction == "sum":
            facts.sums += 1
            facts.first_sum = facts.first_sum or value or 0.0
        given = [kwargs.get("weight"), kwargs.get("pos_weight"), args[2] if len(args) > 2 else None]
        if name not in SIGNED and name not in PAIRED and any(isinstance(w, torch.Tensor) for w in given):
            facts.weighted = True
            self._weights(name, facts, args, kwargs)
        facts.smoothing = float(kwargs.get("label_smoothing", 0.0))
        facts.rows = max(facts.rows, int(target.shape[0]) if target.dim() else 1)
        facts.entries = max(facts.entries, target.numel())
        if value is not None and reduction != "sum" and len(facts.values) < MOST:
            facts.values.append(value)
        if target.dim() == 0:
            return
        if name in CLASSES and x.dim() == target.dim() + 1 and not target.is_floating_point():
            facts.classes = int(x.shape[1])
            self._classes(facts, x.detach(), target.detach(), kwargs.get("ignore_index", -100), said)
        elif x.shape != target.shape:
            return
        elif name.startswith("binary_cross_entropy"):
            facts.targets.add(target)
            one_each = target.numel() == target.shape[0]
            if one_each or (x.dim() > 2 and facts.targets.binary):  # maps: a label in each place
                facts.classes = 2
                half, k = 0.5 if name == "binary_cross_entropy" else 0.0, _stride(target)
                y = (target.detach().flatten()[::k] > 0.5).long()
                self._labels(facts, y, (x.detach().flatten()[::k] > half).long().numpy(), rows=one_each)
        elif name in PAIRED:
            facts.targets.add(target)
            facts.knee = float(kwargs.get("beta", kwargs.get("delta", 1.0)))

    @staticmethod
    def _of_each(facts: LossSeen, result: torch.Tensor) -> float | None:
        """The mean of losses that were worked out one by one, where the script takes just that of them."""
        node = result.grad_fn
        if facts.uneven or facts.weighted or node is None or not result.numel():
            return None
        if facts.calls <= OFTEN:
            node.register_prehook(facts.spread)
        return float(result.detach().mean())

    @staticmethod
    def _weights(name: str, facts: LossSeen, args: Any, kwargs: Any) -> None:
        """Weights that a constant answer is known for: of classes, of what is positive."""
        w = kwargs.get("pos_weight") if name.startswith("binary") else kwargs.get("weight")
        w = w if w is not None or name not in CLASSES or len(args) < 3 else args[2]
        if isinstance(w, torch.Tensor) and facts.weights is None:
            facts.weights = w.detach().double().cpu().reshape(-1).numpy().copy()

    def _classes(
        self, facts: LossSeen, x: torch.Tensor, y: torch.Tensor, ignored: int, said: np.ndarray | None
    ) -> None:
        """Labels, one for a row or one in each place of it, and what was said there."""
        rows = y.dim() == 1
        if not rows:
            k = _stride(y)
            x, y = x.flatten(2)[:, :, ::k], y.flatten(1)[:, ::k]
        if said is None or not rows:
            few = facts.classes <= FEW_CLASSES
            said = x.argmax(1).flatten().numpy() if few else np.zeros(y.numel(), np.int64)
        y = y.flatten()
        keep = (y != ignored) & (y >= 0)
        if not bool(keep.all()):
            y, said, rows = y[keep], said[keep.numpy()], False
        self._labels(facts, y, said, rows=rows)

    @staticmethod
    def _in_order(facts: LossSeen, y: torch.Tensor, result: torch.Tensor) -> None:
        """Batches of one class each are followed without a gap, to see whether they come in order."""
        if len(facts.runs) < 4096 and y.dim() == 1 and not y.is_floating_point() and not facts.uneven:
            counts = np.bincount(y.detach().numpy())
            facts.values.append(float(result.detach().mean()))
            facts.follow(counts)

    def _labels(self, facts: LossSeen, y: torch.Tensor, predicted: np.ndarray, *, rows: bool) -> None:
        if y.device.type != "cpu" or not y.numel():
            return
        labels = as_array(y)
        try:
            counts = np.bincount(labels)
        except (ValueError, TypeError):  # labels below zero are ignored ones
            return
        if len(counts) > 1000:
            return
        facts.add(counts)
        if rows and len(facts.runs) < 4096 and len(facts.values) == len(facts.runs) + 1:
            facts.follow(counts)
            if facts.trained == FULL:
                share = sum(share for _, share in facts.runs) / len(facts.runs)
                missing = len(facts.labels) < facts.classes > 2  # classes that come later
                turns = sum(one[0] != two[0] for one, two in pairwise(facts.runs))
                facts.sorted = share > 800 or (share > 600 and missing and turns < FULL // 5)
                if facts.sorted:
                    self.following.append(facts)
        if 2 <= facts.classes <= FEW_CLASSES and len(counts) <= facts.classes:
            facts.newest.append((labels.copy(), predicted))


def _stride(target: torch.Tensor) -> int:
    """Every how many places of a map are looked at: an odd number, so that no column is looked at alone."""
    return (target.numel() // PLACES) | 1
