"""Training by hand: a program updates weights by their gradients without an optimizer."""

import math
from typing import Any

import torch

from treino_doctor.finding import Site
from treino_doctor.record.clearing import of_gradient
from treino_doctor.record.identity import Ref
from treino_doctor.record.lines import here, unseen
from treino_doctor.record.log import BY_HAND
from treino_doctor.record.measures import MANY, Force, force_of, sampled
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.reach import leaves
from treino_doctor.record.values import Node

MOVES = ("sub", "add", "addcmul", "addcdiv", "copy", "lerp", "_foreach_add_", "_foreach_sub_")
MOST = 512  # maximum number of weights
NOBODY: tuple[None, Any] = None, lambda: None


class ManualTraining:
    """The weights that one hand-written training updates; stands in for an optimizer.

    tried: a line that computed a new value from a weight and its gradient; the value may be discarded. moved:
    the first line that changed a weight since the last backward. force: the gradients when ``moved`` ran.
    touched: ids of the weights changed since the last backward. unseen: backwards between windows before the
    first change that was seen.
    """

    kind = BY_HAND

    def __init__(self) -> None:
        self.refs: dict[int, Ref[torch.Tensor]] = {}
        self.before, self.rate = list[torch.Tensor](), math.nan
        self.tried: Site | None = None
        self.moved: Site | None = None
        self.force, self.touched = Force(), set[int]()
        self.unseen = 0
        self.autograd_grads: dict[int, torch.Tensor] = {}  # id of a weight -> result of ``autograd.grad``
        self.asks = False  # whether gradients from ``autograd.grad`` moved the weights

    def has(self, weight: torch.Tensor) -> bool:
        """Whether a tensor is one of these weights."""
        ref = self.refs.get(id(weight))
        return ref is not None and ref() is weight

    @property
    def weights(self) -> list[torch.Tensor]:
        """The weights that still exist."""
        return [p for r in self.refs.values() if (p := r()) is not None]

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The parameter groups, in an optimizer's format."""
        return [{"params": self.weights, "lr": self.rate}]


class ManualTrainings(Observer):
    """The trainings by hand of a program that has no optimizer.

    unseen: whether the change that follows the newest backward is made between windows.
    """

    def __init__(self, of: Recording, gradients: Any) -> None:
        super().__init__(of)
        self._gradients = gradients
        self.every: list[ManualTraining] = []
        self.unseen = False
        self._places: dict[int, tuple[ManualTraining, Ref[torch.Tensor]]] = {}  # by data_ptr()

    def install(self) -> None:
        self._tape.observe(self._changed, *MOVES)
        self._tape.observe(self._set, "set_data")
        self._hooks.replace(torch.autograd, "grad", self._hooks.observed(torch.autograd.grad, self._grad))

    def _led(self) -> bool:
        """Whether the program has an optimizer, so that no training is by hand."""
        return any(not isinstance(h.ref(), ManualTraining) for h in self._gradients.held.values())

    def drop(self) -> None:
        """Forget all trainings by hand: the program has an optimizer."""
        for hand in self.every:
            self._gradients.held.pop(id(hand), None)
        self.every, self._places = [], {}

    def reached(self, weights: list[torch.Tensor], grads: dict[int, torch.Tensor]) -> None:
        """Note that these weights received gradients."""
        if not weights or len(weights) > MOST or self._led():
            return
        hand = next((h for h in self.every if any(map(h.has, weights))), None)
        newest = self.every[-1] if self.every else None
        if hand is None and newest is not None and newest.tried is not None:
            hand = newest  # the newest training computed these weights itself
            hand.refs = {}
            if (held := self._gradients.held.get(id(hand))) is not None:
                held.moved = True
        if hand is None:
            hand = ManualTraining()
            self.every.append(hand)
        hand.refs |= {id(p): Ref(p) for p in weights}
        hand.autograd_grads, hand.before = grads, [p.detach().clone() for p in hand.weights]
        hand.tried, hand.moved, hand.touched = None, None, set()
        self._places |= {p.data_ptr(): (hand, Ref(p)) for p in weights}

    def ran(self, root: Any) -> None:
        """A backward ran from this value."""
        if not self._led():
            self.reached(weights_of(root), {})

    @unseen
    def _grad(self, original: Any, args: Any, kwargs: Any) -> Any:
        gradients, hooks = self._gradients, self._hooks
        if gradients.inside or self._led():
            return original(*args, **kwargs)
        root, weights = self._value_and_weights(*args, **kwargs)
        known = any(h.asks and any(map(h.has, weights)) for h in self.every)
        start = gradients.begin("grad", root) if known else None
        result = original(*args, **kwargs)
        if weights and gradients.windows.open:
            grads = {id(p): g for p, g in zip(weights, result, strict=True) if g is not None}
            hooks.quietly("grad", self.reached, weights, grads)
        if start is not None:
            hooks.quietly("grad", gradients.after, root, start, weights)
        if known:
            if gradients.windows.tick():
                gradients.shift()
            self.unseen = start is None or not gradients.windows.open
        return result

    def _value_and_weights(
        self, outputs: Any, inputs: Any, *_: Any, create_graph: bool = False, **__: Any
    ) -> tuple[Any, list[torch.Tensor]]:
        """The value and the weights of an ``autograd.grad`` call; no weights if no update can follow."""
        some = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
        plain = isinstance(outputs, torch.Tensor) and outputs.numel() == 1 and not create_graph
        ours = plain and all(isinstance(p, torch.Tensor) and p.is_leaf and p.requires_grad for p in some)
        return outputs, some if ours else []

    def _changed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if not self._places or (torch.is_grad_enabled() and getattr(args[0], "requires_grad", True)):
            return
        for target in args[0] if isinstance(args[0], (list, tuple)) else args[:1]:
            hand, weight = self._weight(target)
            if hand is None:
                continue
            if result is target or isinstance(args[0], (list, tuple)):
                self._move(hand, weight)
            elif any(isinstance(a, torch.Tensor) and of_gradient(self._values.find(a)) for a in args[1:2]):
                hand.tried, hand.asks = here(), bool(hand.autograd_grads)

    def _set(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        weight: torch.Tensor = args[0]
        for hand in self.every:
            if hand.has(weight):
                self._places[weight.data_ptr()] = hand, hand.refs[id(weight)]
                self._move(hand, weight)

    def _weight(self, target: Any) -> tuple[ManualTraining | None, Any]:
        """The weight whose memory a tensor shares: the weight itself or its ``p.data``."""
        if not isinstance(target, torch.Tensor) or target.layout != torch.strided:
            return None, None
        hand, ref = self._places.get(target.data_ptr(), NOBODY)
        weight = ref()
        if weight is None or weight.data_ptr() != target.data_ptr() or weight.shape != target.shape:
            return None, None
        return hand, weight

    def _move(self, hand: ManualTraining, weight: torch.Tensor) -> None:
        if hand.moved is None:
            hand.moved, hand.asks = here(), bool(hand.autograd_grads)
            hand.force = force_of(hand.weights, list(hand.autograd_grads.values()))
            self._gradients.clearing.look(self._gradients.held.values())
        hand.touched.add(id(weight))

    def settle(self) -> None:
        """Log the changes since the last backward as one step."""
        gradients = self._gradients
        if all(h.moved is None for h in self.every):
            self.passed()
        self.unseen = False
        for hand in [h for h in self.every if h.moved is not None or h.tried is not None]:
            held = gradients.held.get(id(hand))
            if hand.moved is None:
                held = held or gradients.hold(hand, hand.tried)
                continue
            weights = hand.weights
            pairs = ((p, b) for p, b in zip(weights, hand.before, strict=False) if p.shape == b.shape)
            far = sum(float((p.detach() - b).abs().double().pow(2).sum()) for p, b in pairs)
            if hand.force.norm > 0:
                hand.rate = math.sqrt(far) / hand.force.norm
            held = held or gradients.hold(hand, hand.moved)
            held.before = [sampled(b, MANY) for b in hand.before]
            held.steps += 1 + hand.unseen
            gradients.steps += 1 + hand.unseen
            gradients.tell(held, hand.moved, hand.force, hand.touched)
            self._values.tick(gradients.steps)
            hand.moved, hand.touched, hand.unseen = None, set(), 0

    def passed(self) -> None:
        """Count the change after the newest backward, if it was made between windows, as a step of the newest
        training; if that was not yet seen to change weights, as soon as it is."""
        hand = self.every[-1] if self.unseen and self.every else None
        if hand is not None:
            held = self._gradients.held.get(id(hand))
            if held is not None and held.steps:
                held.steps += 1
                self._gradients.steps += 1
            else:
                hand.unseen += 1


def weights_of(root: Any) -> list[torch.Tensor]:
    """The leaves that a backward from this value gave gradients, the first layer's first."""
    value = root[0] if isinstance(root, (list, tuple)) and root else root
    behind = leaves(value) if isinstance(value, torch.Tensor) and value.grad_fn is not None else []
    return [p for p in reversed(behind) if p.is_floating_point() and p.grad is not None]
