"""Record layers that an optimizer holds and no call of a net ever reaches."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from treino_doctor.finding import Site
from treino_doctor.record.gradients import Gradients, OptimizerRecord
from treino_doctor.record.learning import LayerUnreached
from treino_doctor.record.lines import is_own
from treino_doctor.record.log import Backward, taken
from treino_doctor.record.nets import Nets, kind_of
from treino_doctor.record.observer import Observer, Recording

LEAST = 8  # backwards of an optimizer that are looked at before its layers are listed


@dataclass
class Layer:
    """A layer that no gradient has reached yet. numbers: of its parameters."""

    kind: str
    parameters: int
    made_at: Site | None
    optimizer: int
    numbers: frozenset[int]


class Unreached(Observer):
    """Notes which parameters of optimizers ever had a gradient, and lists the layers of the others.

    The list is made early, as the nets of a function that has returned exist no more at the end.
    """

    def __init__(self, of: Recording, nets: Nets, gradients: Gradients) -> None:
        super().__init__(of)
        self._nets, self._gradients = nets, gradients
        self._reached: set[int] = set()  # numbers of parameters
        self._looks: Counter[int] = Counter()  # by optimizer
        self._listed: dict[int, Layer] = {}  # by the number of a layer's first parameter
        of.ran.append(self._ran)

    def _ran(self, event: Backward, root: Any) -> None:
        for held in self._gradients.held.values():
            if held.number in event.filled:
                self._looks[held.number] += 1
                known = self._gradients.known
                self._reached.update(known(p) for p in held.parameters() if p.grad is not None)
                if self._looks[held.number] == LEAST:
                    self._list(held)

    def _list(self, held: OptimizerRecord) -> None:
        """List the unreached layers of one optimizer, the outermost of those in one another."""
        known = self._gradients.known
        idle = {
            id(p)
            for p in held.parameters()
            if p.requires_grad and not nn.parameter.is_lazy(p) and p.numel() and known(p) not in self._reached
        }
        for net in list(self._nets.numbers) if idle else []:
            for layer in self._layers(net, idle, is_users_own(net)):
                own = list(layer.parameters())
                numbers = frozenset(known(p) for p in own)
                self._listed[min(numbers)] = Layer(
                    kind_of(layer),
                    sum(p.numel() for p in own),
                    self._nets.made.get(layer),
                    held.number,
                    numbers,
                )

    def finish(self) -> None:
        for layer in self._listed.values():
            if not layer.numbers & self._reached:
                looks = self._looks[layer.optimizer]
                self._log.tell(LayerUnreached, looks=looks, **taken(LayerUnreached, layer))

    def _layers(self, module: nn.Module, idle: set[int], users: bool) -> Iterator[nn.Module]:
        """Yield the unreached layers below a module. users: whether the user's own class made them."""
        for child in module.children():
            own = list(child.parameters())
            if not own or child in self._nets.loaded:
                continue
            if users and child in self._nets.made and all(id(p) in idle for p in own):
                if not any(id(part) in self._nets.entered for part in child.modules()):
                    yield child
            else:
                container = type(child).__module__.startswith("torch.nn.modules.container")
                yield from self._layers(child, idle, users if container else is_users_own(child))


def is_users_own(net: nn.Module) -> bool:
    """Whether a net's class is the user's own code, or it is a container that the user filled."""
    if type(net).__module__.startswith("torch.nn.modules.container"):
        return True
    name = type(net).__module__
    return name == "__main__" or is_own(getattr(sys.modules.get(name), "__file__", None) or "<unknown>")
