"""Dropout by a function in a net's own forward: whether it stops in evaluation mode."""

import sys
import weakref
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.dropout_flags import always_on, on_purpose
from treino.diagnosis.record.lines import here, is_own
from treino.diagnosis.watch.output import Net
from treino.diagnosis.watch.patches import Patches

FUNCTIONS = ("dropout", "alpha_dropout", "feature_alpha_dropout", "dropout1d", "dropout2d", "dropout3d")
OFTEN = 3  # forwards of the same rows: Monte Carlo


class Dropouts:
    """Wraps the functions that drop values; ``taken`` says what they did in the newest call of a net."""

    def __init__(
        self, patches: Patches, stack: list[nn.Module], made: Mapping[nn.Module, Site | None]
    ) -> None:
        self.patches, self.stack, self.made = patches, stack, made
        self.newest: tuple[weakref.ref[nn.Module], bool, Site | None] | None = None
        # Called with a result, its line and whether a mode was told, where no module is called.
        self.others: list[Callable[[Any, Site, bool], None]] = []
        self._apart = False  # whether the newest was a layer that its net doesn't know of
        self._fixed: dict[Site, bool] = {}
        self._registered: set[int] = set()  # layers that the mode of their net reaches
        self._rows: dict[tuple[int, int, tuple[int, ...], float], int] = {}

    def install(self) -> None:
        for name in FUNCTIONS:
            self.patches.after(F, name, self._dropped(1), always=False)
        for name in ("dropout", "dropout_", "alpha_dropout", "feature_dropout"):
            self.patches.after(torch, name, self._dropped(1), always=False)
        self.patches.after(F, "scaled_dot_product_attention", self._dropped(4), always=False)

    def _dropped(self, place: int) -> Any:
        attention = place == 4

        def observe(result: Any, args: Any, kwargs: Any) -> None:
            if not self.stack and not self.others:
                return
            told = kwargs.get("dropout_p", 0.0) if attention else kwargs.get("p", 0.5)
            share = args[place] if len(args) > place else told
            said = args[2] if len(args) > 2 else kwargs.get("training", kwargs.get("train", True))
            if not share > 0 or not (attention or said):
                return
            frame = sys._getframe(2)
            if not self.stack:
                self._by_itself(result, frame, len(args) > 2 or bool(kwargs.keys() & {"training", "train"}))
                return
            net = self.stack[0]
            if is_own(frame.f_code.co_filename):
                site = here()
                if site is not None and site not in self._fixed:
                    given = not attention and (len(args) > 2 or bool(kwargs.keys() & {"training", "train"}))
                    plain = not given or always_on(site)
                    self._fixed[site] = plain and not on_purpose(site)
                by_mode = attention and net.training  # what it is given then says nothing of evaluation
                fixed = site if site is not None and self._fixed[site] and not by_mode else None
                if fixed is not None or net.training:
                    self.newest = weakref.ref(net), net.training, fixed
            elif not net.training and not attention:
                layer = frame.f_locals.get("self")
                if isinstance(layer, _DropoutNd) and id(layer) not in self._registered:
                    self._registered.update(id(m) for m in net.modules())
                    site = self.made.get(layer)
                    if id(layer) not in self._registered and site is not None and not on_purpose(site):
                        self.newest = weakref.ref(net), False, site
                        self._apart = True

        return observe

    def _by_itself(self, result: Any, frame: FrameType, told: bool) -> None:
        site = here() if is_own(frame.f_code.co_filename) else None
        if site is not None:
            for listener in self.others:
                listener(result, site, told)

    def taken(self, module: nn.Module, net: Net, x: torch.Tensor | None, steps: int) -> bool:
        """Whether a function dropped values in this call though the net was in evaluation mode."""
        newest, apart = self.newest, self._apart
        self.newest, self._apart = None, False
        net.dropped = newest is not None and newest[0]() is module
        if newest is None or newest[0]() is not module or newest[1] != module.training:
            return False
        net.seen.modal_kinds = net.seen.modal_kinds or ("F.dropout",)
        net.seen.drops_at = newest[2] or net.seen.drops_at
        net.seen.parts_apart = net.seen.parts_apart or apart
        if module.training or newest[2] is None:
            return False
        if x is not None and x.numel():
            rows = net.number, steps, tuple(x.shape), float(x.detach().double().sum())
            if len(self._rows) > 1024:
                self._rows.clear()
            self._rows[rows] = self._rows.get(rows, 0) + 1
            net.seen.drops_on_purpose = net.seen.drops_on_purpose or self._rows[rows] >= OFTEN
        return True
