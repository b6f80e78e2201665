"""Record layers that an optimizer holds and no call of a net ever reaches."""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from torch import nn

from treino_doctor.record.gradients import Gradients
from treino_doctor.record.learning import LayerUnreached
from treino_doctor.record.lines import is_own
from treino_doctor.record.log import Backward, Log
from treino_doctor.record.nets import Nets, kind_of


class Unreached:
    """Notes which parameters of optimizers ever had a gradient."""

    def __init__(self, log: Log, nets: Nets, gradients: Gradients) -> None:
        self._log, self._nets, self._gradients = log, nets, gradients
        self._reached: set[int] = set()  # numbers of parameters
        self._looks: Counter[int] = Counter()  # by optimizer
        gradients.ran.append(self._ran)

    def _ran(self, event: Backward, root: Any) -> None:
        for held in self._gradients.held.values():
            if held.number in event.filled:
                self._looks[held.number] += 1
                known = self._gradients.known
                self._reached.update(known(p) for p in held.parameters() if p.grad is not None)

    def finish(self) -> None:
        """Log the layers without any gradient, each once, the outermost of those in one another."""
        looks = {
            id(p): self._looks[held.number]
            for held in self._gradients.held.values()
            for p in held.parameters()
            if p.requires_grad and not nn.parameter.is_lazy(p) and p.numel()
            if self._gradients.known(p) not in self._reached
        }
        seen: set[int] = set()
        for net in list(self._nets.numbers):
            for layer in self._layers(net, looks, is_users_own(net)):
                if id(layer) not in seen:
                    seen.add(id(layer))
                    own = list(layer.parameters())
                    self._log.tell(
                        LayerUnreached,
                        kind=kind_of(layer),
                        looks=min(looks[id(p)] for p in own),
                        parameters=sum(p.numel() for p in own),
                        made_at=self._nets.made.get(layer),
                    )

    def _layers(self, module: nn.Module, looks: dict[int, int], users: bool) -> Iterator[nn.Module]:
        """Yield the unreached layers below a module. users: whether the user's own class made them."""
        for child in module.children():
            own = list(child.parameters())
            if not own or child in self._nets.loaded:
                continue
            if users and child in self._nets.made and all(id(p) in looks for p in own):
                if not any(id(part) in self._nets.entered for part in child.modules()):
                    yield child
            else:
                container = type(child).__module__.startswith("torch.nn.modules.container")
                yield from self._layers(child, looks, users if container else is_users_own(child))


def is_users_own(net: nn.Module) -> bool:
    """Whether a net's class is the user's own code, or it is a container that the user filled."""
    if type(net).__module__.startswith("torch.nn.modules.container"):
        return True
    name = type(net).__module__
    return name == "__main__" or is_own(getattr(sys.modules.get(name), "__file__", None) or "<unknown>")
