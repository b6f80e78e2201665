"""Nets that are copies of nets which learned: deep copies, or loaded with what ``state_dict`` gave."""

import sys
import weakref
from collections.abc import MutableMapping
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.utils.weak import WeakIdKeyDictionary

from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.tables import DataSeen, Forebear, TrainSeen

FRAMES = 12  # between a copy's state and the call that copies it
TENSORS, ENTRIES = 4, 8  # of weights, by which they are known again
MOST = 512  # states that are remembered
OFTEN, APART = 32, 4  # after so many, only those that are some steps apart: an average may ask at each step


@dataclass
class _Copy:
    """A copy of a net that was never called."""

    source: weakref.ref[nn.Module]
    key: bytes
    train: TrainSeen | None = None  # what the other learned since


class Lineage:
    """Notes what a copy's weights were trained on."""

    def __init__(self, patches: Patches, nets: Nets, data: DataSeen) -> None:
        self.patches, self.nets, self.data = patches, nets, data
        self.copies: MutableMapping[nn.Module, Forebear] = WeakIdKeyDictionary()
        self._fresh: MutableMapping[nn.Module, _Copy] = WeakIdKeyDictionary()
        self._states: dict[bytes, Forebear] = {}
        self._newest = 0  # the step at which one was taken last

    def install(self) -> None:
        self.patches.before(nn.Module, "__setstate__", lambda a, k: self._copied(a[0]))
        self.patches.after(nn.Module, "state_dict", self._taken)
        self.patches.before(nn.Module, "load_state_dict", self._loaded)

    def _forebear(self, module: Any) -> Forebear | None:
        """What a net learned until now, or what it was copied from."""
        net = self.nets.nets.get(module)
        train = self.data.trains.get(net.number) if net is not None else None
        if train is not None and (train.rows or train.forebear is None):
            return Forebear(train, train.rows, len(train.rows))
        return self.copies.get(module)

    def _copied(self, module: nn.Module) -> None:
        frame: FrameType | None = sys._getframe(1)
        for _ in range(FRAMES):
            if frame is None:
                return
            code = frame.f_code
            if code.co_name == "deepcopy" and code.co_filename.endswith("copy.py"):
                source = frame.f_locals.get("x")
                known = self._forebear(source) if type(source) is type(module) else None
                if known is not None and known.count:
                    self.copies[module] = known
                elif type(source) is type(module):
                    self._fresh[module] = _Copy(weakref.ref(source), _key(dict(source.named_parameters())))
                return
            frame = frame.f_back

    def of(self, module: nn.Module, train: TrainSeen) -> Forebear | None:
        """What a net that is called for the first time learned before it was copied from another; all that
        the other ever learns, where the copy was made before that, and no longer is what it was: an average.
        """
        for copy in self._fresh.values():
            copy.train = train if copy.source() is module else copy.train
        own = self._fresh.get(module)
        if own is not None and own.train is not None and _key(dict(module.named_parameters())) != own.key:
            return Forebear(own.train, own.train.rows, -1)
        return self.copies.get(module)

    def _taken(self, state: Any, args: Any, kwargs: Any) -> None:
        steps, often = self.nets.steps, len(self._states) > OFTEN
        known = self._forebear(args[0]) if not often or steps > self._newest + APART else None
        key = _key(state) if known is not None and len(self._states) < MOST else b""
        if key and known is not None:
            self._states[key], self._newest = known, steps

    def _loaded(self, args: Any, kwargs: Any) -> None:
        module, state = args[0], args[1] if len(args) > 1 else kwargs.get("state_dict")
        if not self._states or not isinstance(state, dict):
            return
        known, net = self._states.get(_key(state)), self.nets.nets.get(module)
        if known is not None:
            self.copies[module] = known
        else:
            self.copies.pop(module, None)
        if net is not None and net.number in self.data.trains:
            self.data.trains[net.number].forebear = known


def _key(state: Any) -> bytes:
    """The first numbers of the first tensors of a state."""
    floats = (t.detach() for t in state.values() if isinstance(t, torch.Tensor) and t.is_floating_point())
    parts = [t.flatten()[:ENTRIES].cpu().double() for t in islice(floats, TENSORS)]
    return b"".join(p.numpy().tobytes() for p in parts)
