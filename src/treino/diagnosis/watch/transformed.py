"""Losses inside the transforms of torch.func: no values, but a graph that says what was squashed twice."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from treino.diagnosis.finding import Site
from treino.diagnosis.record.hooks import in_functorch
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.patches import Patches

TWICE = {"cross_entropy": ("softmax",), "binary_cross_entropy_with_logits": ("softmax", "sigmoid")}
MOST = 512  # places that are kept


class Transformed:
    """Looks at softmax, sigmoid and the losses that apply them, only where a transform is running."""

    def __init__(
        self, patches: Patches, facts: Callable[[str], LossSeen], place: Callable[[], Site | None]
    ) -> None:
        self.patches, self.facts, self.place = patches, facts, place
        self._squashed_at: dict[int, Site | None] = {}  # by the node of what was squashed

    def install(self) -> None:
        for owner in (torch, torch.Tensor):
            for name in ("softmax", "sigmoid"):
                self.patches.before(owner, name, self._squashing, always=False)
        for name in TWICE:
            self.patches.before(F, name, self._loss(name), always=False)

    def _squashing(self, args: Any, kwargs: Any) -> None:
        node = graph.inside(args[0]) if in_functorch() and args else None
        if node is not None:
            if len(self._squashed_at) > MOST:
                self._squashed_at.clear()
            self._squashed_at[node._sequence_nr()] = self.place()

    def _loss(self, name: str) -> Any:
        def observe(args: Any, kwargs: Any) -> None:
            if not in_functorch():
                return
            node = graph.inside(args[0] if args else kwargs.get("input"))
            made = graph.joined(*graph.source(node, None))[0] if node is not None else None
            kind = graph.squash(made)[0] if made is not None else ""
            if kind not in TWICE[name]:
                return
            facts, before = self.facts(name), made.next_functions[0][0] if made is not None else None
            place = self._squashed_at.get(before._sequence_nr()) if before is not None else None
            facts.calls += 1
            if name == "cross_entropy":
                facts.softmax, facts.softmax_at = facts.softmax + 1, place
            else:
                facts.sigmoid, facts.sigmoid_at = facts.sigmoid + 1, place

        return observe
