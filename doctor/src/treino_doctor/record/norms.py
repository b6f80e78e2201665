"""Record the batches that batch-norm layers get, and in which mode."""

from collections.abc import Callable

import torch
from torch import nn

from treino_doctor.finding import Site
from treino_doctor.record.identity import ByIdentity
from treino_doctor.record.lines import stack
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import Normed


class Batches:
    """The batches of one layer."""

    def __init__(self, made_at: Site | None) -> None:
        self.made_at = made_at
        self.ones = self.larger = self.evaluated = 0
        self.crashed = False
        self.shape: tuple[int, ...] = ()
        self.stack: tuple[Site, ...] = ()
        self.loader: Site | None = None


class Norms(Observer):
    """Watches batches by layer, as ``Nets`` passes them on.

    every: the batches of all layers. made: the line that made each layer. loader: returns the line of the
    loader in use.
    """

    def __init__(
        self, of: Recording, made: ByIdentity[Site | None], loader: Callable[[], Site | None]
    ) -> None:
        super().__init__(of)
        self._made, self._loader = made, loader
        self._layers: ByIdentity[Batches] = ByIdentity()
        self.every: list[Batches] = []

    def batch(
        self, layer: nn.Module | None, x: torch.Tensor, training: bool, *, crashed: bool = False
    ) -> None:
        """Record a layer's batch."""
        if layer is None:
            return
        known = self._layers.get(layer)
        if known is None:
            known = self._layers[layer] = Batches(self._made.get(layer))
            self.every.append(known)
        known.crashed = known.crashed or crashed
        known.evaluated += not training
        known.larger += training and x.shape[0] > 1
        if training and x.shape[0] == 1:
            known.ones += 1
            known.shape, known.stack, known.loader = tuple(x.shape), stack(), self._loader()

    def finish(self) -> None:
        for one in self.every:
            if one.ones:
                self._log.tell(Normed, **vars(one))
