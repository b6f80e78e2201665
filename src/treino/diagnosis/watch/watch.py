"""All sensors together: put on, taken off, and their tables completed at the end."""

import functools
import weakref
from collections.abc import Callable
from threading import get_ident
from time import perf_counter
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedTensorMixin, is_lazy  # type: ignore[attr-defined]
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from treino.diagnosis.record.hooks import compiling, unseen
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.alike import WHEN, Alike
from treino.diagnosis.watch.axes import Axes
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.clips import Clips
from treino.diagnosis.watch.draws import Draws
from treino.diagnosis.watch.figures import Figures
from treino.diagnosis.watch.functional import Functional
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.left_out import LeftOut
from treino.diagnosis.watch.lines import Lines
from treino.diagnosis.watch.losses import Losses
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.norms import Norms
from treino.diagnosis.watch.ownership import Ownership
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.plain_use import PlainUse
from treino.diagnosis.watch.rows import Rows
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.diagnosis.watch.settings import Settings
from treino.diagnosis.watch.sklearn_hooks import SklearnHooks

SENSORS = (
    "lines",
    "backward",
    "nets",
    "norms",
    "losses",
    "ownership",
    "rows",
    "draws",
    "axes",
    "figures",
    "settings",
    "clips",
    "sklearn",
    "functional",
    "plain_use",
)


class Watch:
    """The sensors of one examination; ``seen`` holds what they saw.

    after_each_step: called with the number of optimizer steps so far (limits, live findings).
    """

    def __init__(self, after_each_step: Callable[[int], None] | None = None) -> None:
        self.seen = Seen()
        self.patches = Patches()
        self.gradients = Gradients(self.seen)
        self.lines = Lines(self.patches)
        self.gradients.around_closure = self.lines.begin, self.lines.end  # a step's own work is not looked at
        self.backward = Backward(self.seen, self.patches, self.gradients, self.lines)
        self.nets = Nets(self.seen, self.patches, self.gradients, self.backward)
        self.lines.place = self.nets.place
        self.norms = Norms(self.seen, self.patches, self.nets)
        self.rows = Rows(self.seen, self.patches, self.nets)
        self.left_out = LeftOut(self.seen, self.backward)
        self.plain_use = PlainUse(self.seen, self.patches, self.nets, self.rows.plain)
        self.nets.loader_of = lambda: self.rows.loader
        self.sklearn = SklearnHooks(self.patches, self.rows)
        self.draws = Draws(self.seen, self.patches, self.nets)
        self.sklearn.drew = self.draws.drew
        self.axes = Axes(self.seen, self.patches, self.nets)
        self.figures = Figures(self.seen, self.patches, self.nets)
        self.settings = Settings(self.seen, self.patches, self.gradients, self.backward, self.nets)
        self.rows.loaders.starts.append(self.settings.reading)
        self.clips = Clips(self.seen, self.patches, self.gradients, self.backward)
        self.losses = Losses(self.seen, self.patches, self.backward, self.nets)
        self.ownership = Ownership(self.seen, self.patches, self.gradients, self.backward, self.nets)
        self.alike = Alike(self.seen, self.gradients, self.nets)
        self.functional = Functional(self.seen, self.patches)
        self.after_each_step = after_each_step
        self._hooks: list[Any] = []
        self._stepping: OptimizerSeen | None = None
        self._known: dict[int, tuple[weakref.ref[Any], OptimizerSeen]] = {}
        self._clears = 0  # until the last step

    def install(self, without: str = "") -> None:
        """Start watching. Call it before the script imports anything from torch by name.

        without: the name of a sensor to leave out (its cost is what is then saved).
        """
        patches = self.patches
        for name in SENSORS:
            if name != without:
                getattr(self, name).install()
        patches.after(Optimizer, "__init__", self._optimizer_made)
        patches.after(Optimizer, "add_param_group", self._group_added)
        for owner in (Optimizer, nn.Module):
            patches.replace(owner, "zero_grad", self._clearing(owner.zero_grad))
        self._hooks = (
            []
            if without == "steps"
            else [
                register_optimizer_step_pre_hook(self._before_step),
                register_optimizer_step_post_hook(self._after_step),
            ]
        )
        # Lazy parameters know by identity what may be called before they have a shape.
        own = UninitializedTensorMixin._allowed_methods
        now = [getattr(torch.Tensor, m.__name__) for m in own if hasattr(torch.Tensor, m.__name__)]
        patches.replace(UninitializedTensorMixin, "_allowed_methods", [*own, *now])
        patches.install()

    def _optimizer_made(self, result: Any, args: Any, kwargs: Any) -> None:
        self.gradients.made(args[0]).order = self.ownership.order() + 1
        self.ownership.optimizer_made()
        self.patches.news()
        self.lines.begin()

    def _group_added(self, result: Any, args: Any, kwargs: Any) -> None:
        group = args[1] if len(args) > 1 else kwargs["param_group"]
        self.gradients.own(args[0], group["params"])

    def _clearing(self, original: Any) -> Any:
        gradients, nets, patches, ident = self.gradients, self.nets, self.patches, get_ident

        @functools.wraps(original)
        def zero_grad(*args: Any, **kwargs: Any) -> None:
            if not (patches.careful and compiling()) and patches.on and ident() == patches.thread:
                gradients.clears += 1
                if nets.unfinished:
                    nets.unfinished.clear()  # what was reached before trains nothing
                if patches.full:
                    gradients.cleared_at = here()
            original(*args, **kwargs)

        return unseen(zero_grad)

    def _facts(self, optimizer: Any) -> OptimizerSeen:
        facts = self.gradients.made(optimizer)
        self._known[id(optimizer)] = weakref.ref(optimizer), facts
        return facts

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> Any:
        if self.lines.on:
            self.lines.end()
        if not self.patches.full or not self.patches.watching():
            return None
        self.patches.count += 1
        started = 0.0 if self.patches.count & 15 else perf_counter()
        self.patches.on = False
        try:
            known = self._known.get(id(optimizer))
            facts = known[1] if known is not None and known[0]() is optimizer else self._facts(optimizer)
            self._stepping = facts
            if facts.steps or not any(is_lazy(p) for g in optimizer.param_groups for p in g["params"]):
                self.settings.before_step(optimizer, facts)
                if not facts.steps:
                    self.alike.began(facts)
            return self.gradients.before_step(optimizer, facts, args, kwargs)
        except Exception as error:
            self.patches.defect("step", error)
            return None
        finally:
            self.patches.on = True
            if started:
                self.patches.spent += 16 * (perf_counter() - started)

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self.patches.quiet:
            try:
                if self._stepped_quietly(optimizer):
                    return
            except Exception as error:
                self.patches.defect("step", error)
                return
        if not self.patches.watching():
            return
        self.patches.count += 1
        started = 0.0 if self.patches.count & 15 else perf_counter()
        self.patches.on = False
        try:
            facts = self._stepping
            if facts is None:
                known = self._known.get(id(optimizer))
                facts = known[1] if known is not None and known[0]() is optimizer else self._facts(optimizer)
            self._stepping = None
            if not facts.steps:
                facts.began, group = self.seen.steps, optimizer.param_groups[0]
                facts.tried = float(group.get("lr", 0)), float(group.get("weight_decay", 0))
            facts.steps += 1
            self.seen.steps += 1
            full = self.patches.full
            turn = (self.gradients.clears - self._clears, self.backward.since_step)
            self._clears, self.backward.since_step = self.gradients.clears, 0
            if turn not in facts.turns and len(facts.turns) < 32:
                facts.turns.add(turn)
                self.patches.news()
            if full:
                self.gradients.after_step(facts)
            if self.settings.schedules:
                self.settings.scheduled(optimizer, turn[1])
            self.settings.after_step(optimizer, facts)
            if facts.steps in WHEN:
                self.alike.after_step(facts)
            if self.backward.bad_since_step is not None:
                self.backward.after_step()
            self.nets.after_step(facts)
            self.ownership.after_step(facts)
            if self.lines.wanted:
                self.lines.begin()
            self.patches.tick(self.seen.steps)
            if self.patches.full and not full:
                self.gradients.forget()
        except Exception as error:
            self.patches.defect("step", error)
        self.patches.on = True
        if started:
            self.patches.spent += 16 * (perf_counter() - started)
        if self.after_each_step is not None:
            self.after_each_step(self.seen.steps)

    def _stepped_quietly(self, optimizer: Any) -> bool:
        """Count a step between windows; no if there is more to do."""
        known, nets, gradients, backward = (
            self._known.get(id(optimizer)),
            self.nets,
            self.gradients,
            self.backward,
        )
        if known is None or known[0]() is not optimizer or nets.unfinished or nets.outputs.pending:
            return False
        facts, clears = known[1], gradients.clears
        if backward.bad_since_step is not None or not (facts.steps + 1) & 63 or facts.steps + 1 in WHEN:
            return False
        if (
            clears - self._clears,
            backward.since_step,
        ) not in facts.turns or get_ident() != self.patches.thread:
            return False
        backwards, self._clears, backward.since_step = backward.since_step, clears, 0
        facts.steps += 1
        nets.steps += 1
        self.seen.steps = self.patches.clock = steps = self.seen.steps + 1
        if self.settings.schedules:
            self.settings.scheduled(optimizer, backwards)
        if steps >= self.patches.next:
            self.patches.tick(steps)
            if self.patches.full:
                gradients.forget()
        if self.after_each_step is not None:
            self.after_each_step(steps)
        return True

    def stop(self) -> None:
        """Take everything off and complete the tables."""
        self.lines.remove()
        self.patches.undo()
        self.sklearn.remove()
        for hook in self._hooks:
            hook.remove()
        self.seen.inits = self.settings.inits
        parts = (
            *(self.backward, self.nets, self.rows, self.plain_use, self.left_out),
            *(self.ownership, self.settings, self.losses.over_rows),
        )
        for part in parts:
            try:
                part.finish()
            except Exception as error:
                self.patches.defect(type(part).__name__, error)
