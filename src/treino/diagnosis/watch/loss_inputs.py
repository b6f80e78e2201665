"""What the input of a loss function is made of: a softmax over the wrong axis or one too many, or
probabilities in place of their logarithms.
"""

import math
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.loss_seen import CLASSES, LossSeen
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.transformed import TWICE

# Operations after which values can't be told to be unnormalised on purpose.
LOGS = 40  # nodes before weighed values, of which one makes logarithms
ON_PURPOSE = (
    *("LogSoftmax", "Log", "Sub", "Mul", "Div", "Neg", "Where", "MaskedFill"),
    *("Logaddexp", "Sum", "Cumsum"),
)


REAL = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")


class LossInputs:
    """Looks at the inputs of losses, by their graphs and their values."""

    def __init__(self, seen: Seen, backward: Backward) -> None:
        self.seen, self.backward = seen, backward

    def look(self, name: str, facts: LossSeen, x: torch.Tensor, node: Any) -> None:
        """Which operation made the input, and over which axis."""
        class_dim = (1 if x.dim() > 1 else 0) if name in CLASSES else x.dim() - 1
        made, dim = graph.joined(*graph.source(node, class_dim))
        if made is None:
            return
        kind, over = graph.squash(made)
        logged = False
        if not kind and name in TWICE:
            self._blended(facts, x, node)
        if (
            name == "nll_loss" and made.name() == "LogBackward0"
        ):  # torch.log(softmax(x)) is right if its axis is
            before, dim = graph.source(*graph.raised(*graph.source(made.next_functions[0][0], dim)))
            made, logged = before or made, True
            kind, over = graph.squash(made)
        if kind == "log_softmax" and name in CLASSES:
            before, before_dim = graph.source(made.next_functions[0][0], dim)
            if before is not None and graph.squash(before)[0] == "softmax":
                made, dim, (kind, over) = before, before_dim, graph.squash(before)
                if name == "nll_loss":
                    facts.softmax += 1
                    facts.softmax_at = facts.softmax_at or self._site_of(made)
                    return
        if kind in ("softmax", "log_softmax"):
            self.squashed(name, facts, kind, made, over, dim, class_dim)
        elif kind == "sigmoid" and name in ("binary_cross_entropy_with_logits", "cross_entropy"):
            facts.sigmoid += 1
            facts.sigmoid_at = facts.sigmoid_at or self._site_of(made)
        elif made.name() == "ReluBackward0" and name in REAL:
            facts.rectified += 1
            facts.rectified_at = facts.rectified_at or self._site_of(made)
        if name == "nll_loss" and kind != "log_softmax" and not logged:
            self._log_probabilities(facts, x, made, kind, class_dim)

    def _blended(self, facts: LossSeen, x: torch.Tensor, node: Any) -> None:
        """Several probabilities that were put together, and values that sum to one however they were made."""
        low, high = (float(v) for v in torch.aminmax(x.detach())) if x.numel() else (-1.0, -1.0)
        if low < 0 or high > 1 + 1e-4:
            return
        kind, made = graph.blended(node)
        made = made or graph.soft_behind(node, x.shape[1] if x.dim() > 1 else 0)
        place = self._site_of(made) if made is not None else None
        if kind == "sigmoid" or facts.name != "cross_entropy":
            facts.sigmoid += bool(kind)
            facts.sigmoid_at = facts.sigmoid_at or place
        elif kind or _sums_to_one(x.detach()):
            facts.softmax += 1
            facts.softmax_at = facts.softmax_at or place or self.backward.lines.just_made(node)

    def _site_of(self, node: Any) -> Site | None:
        return self.backward.softmax_sites.get(node._sequence_nr()) or self.backward.lines.just_made(node)

    def squashed(
        self,
        name: str,
        facts: LossSeen,
        kind: str,
        node: Any,
        actual: int | None,
        dim: int | None,
        classes: int,
    ) -> None:
        """A (log-)softmax before a loss: over the wrong axis, or one too many."""
        shape = graph.shape_of(node)
        other = (
            actual is not None and dim is not None and actual != dim and len(shape) > 1 and shape[actual] > 1
        )
        if other and (name in CLASSES or (len(shape) == 2 and actual == 0 and name != "multi_margin_loss")):
            facts.wrong_dim += 1
            layer = self.backward.softmax_layers.get(node._sequence_nr())
            facts.wrong_dim_at = layer or facts.wrong_dim_at or self._site_of(node)
            facts.wrong_dims = (actual or 0, dim if dim is not None else classes)
        if kind == "softmax" and name == "cross_entropy":
            facts.softmax += 1
            facts.softmax_at = facts.softmax_at or self._site_of(node)
        elif kind == "softmax" and name == "binary_cross_entropy_with_logits" and not other:
            facts.sigmoid += 1
            facts.sigmoid_at = facts.sigmoid_at or self._site_of(node)

    def _log_probabilities(
        self, facts: LossSeen, x: torch.Tensor, node: Any, kind: str, class_dim: int
    ) -> None:
        made = node.name()
        on_purpose = made.startswith(ON_PURPOSE) and float(x.detach().amax(class_dim).min()) <= 0
        on_purpose = on_purpose and any("Log" in n.name() for n in graph.walk(node, LOGS))
        if kind != "softmax" and (on_purpose or not x.numel()):
            return  # weighed logarithms: of probabilities, whatever the weights, none is above zero
        total = float(torch.logsumexp(x.detach(), class_dim).abs().max())
        if total > 1e-3 and math.isfinite(total):
            facts.unnormalised += 1
            facts.largest = max(facts.largest, total)
            facts.source = kind or made.replace("Backward0", "").lower()
            lines = self.backward.lines
            last = lines.just_made(x.grad_fn) if x.grad_fn is not None and kind != "softmax" else None
            facts.source_at = last or lines.just_made(node) or self._site_of(node) or facts.source_at

    def figure(self, facts: LossSeen, x: torch.Tensor, reduction: str) -> None:
        """A figure: probabilities in place of their logarithms; or values above zero, scores as they are,
        where cross_entropy is what is learned.
        """
        if reduction == "none" or x.dim() < 2 or min(x.shape[:2]) < 2 or not 0 < float(x.max()) < math.inf:
            return
        probable = bool((x >= 0).all()) and bool(((x.sum(1) - 1).abs() < 1e-3).all())
        scored = (f.name == "cross_entropy" and f.trained for f in self.seen.losses.values())
        if not probable and not any(scored):
            return
        facts.unnormalised += 1
        facts.figure = True
        facts.source = "softmax" if probable else "scores"
        facts.largest = max(facts.largest, float(torch.logsumexp(x, 1).abs().max()))


def _sums_to_one(x: torch.Tensor) -> bool:
    """Whether values are probabilities of classes, as they stand on the second axis."""
    if x.dim() < 2 or min(x.shape[:2]) < 2:
        return False
    total = x.sum(1)
    return bool(((total - 1).abs() < 1e-4).all()) and bool((x != x[:1]).any())
