"""The batches that batch-norm layers get, and in which mode."""

from collections.abc import MutableMapping
from typing import Any

import torch.nn.functional as F
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.weak import WeakIdKeyDictionary

from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import BatchNormSeen, Seen
from treino.diagnosis.watch.where import stack


class Norms:
    """Wraps ``torch.nn.functional.batch_norm``."""

    def __init__(self, seen: Seen, patches: Patches, nets: Nets) -> None:
        self.seen, self.patches, self.nets = seen, patches, nets
        self._ones = False
        self._norms: MutableMapping[nn.Module, BatchNormSeen] = WeakIdKeyDictionary()

    def install(self) -> None:
        self.patches.after(F, "batch_norm", self._batch_norm, self._batch_norm_failed)

    def _norm(self, args: Any) -> BatchNormSeen | None:
        layer = next((m for m in reversed(self.nets.stack) if isinstance(m, _BatchNorm)), None)
        if layer is None and args[0].shape[0] == 1 and len(args) > 1 and args[1] is not None:
            known = (m for m in list(self.nets.made) if isinstance(m, _BatchNorm))  # outside of the windows
            layer = next((m for m in known if m.running_mean is args[1]), None)
        if layer is None and self._ones and len(args) > 1:
            known = (m for m in list(self._norms) if isinstance(m, _BatchNorm))
            layer = next((m for m in known if m.running_mean is args[1]), None)
        if layer is None:
            return None
        facts = self._norms.get(layer)
        if facts is None:
            facts = self._norms[layer] = BatchNormSeen(self.nets.made.get(layer))
            self.seen.batch_norms.append(facts)
        return facts

    def _batch_norm(self, result: Any, args: Any, kwargs: Any) -> None:
        plain = args[0].shape[0] != 1 and (not self._ones or len(args) < 6 or args[5])
        if plain and not self.patches.full:  # a batch in training, or no single rows yet
            return
        facts = self._norm(args)
        if facts is None:
            return
        training = args[5] if len(args) > 5 else kwargs.get("training", False)
        if not training:
            facts.evaluated += 1
        elif args[0].shape[0] == 1:
            self._one(facts, tuple(args[0].shape))
        else:
            facts.larger += 1

    def _one(self, facts: BatchNormSeen, shape: tuple[int, ...]) -> None:
        facts.ones += 1
        self._ones = True
        facts.shape = shape
        facts.called, facts.loader = stack(), self.nets.loader_of()

    def _batch_norm_failed(self, error: BaseException, args: Any, kwargs: Any) -> None:
        facts = self._norm(args)
        if facts is not None and "more than 1 value" in str(error):
            facts.crashed = True
            self._one(facts, tuple(args[0].shape))
