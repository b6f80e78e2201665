"""Record calls of torch's loss functions: inputs, targets, and the graphs behind them."""

import cmath
import math
from functools import partial
from typing import Any

import torch
from torch import nn

from treino_doctor.record import loss_figures
from treino_doctor.record.lines import here
from treino_doctor.record.log import LossCall
from treino_doctor.record.nets import PASSED, Nets
from treino_doctor.record.observer import FirstOnes, Observer, Recording
from treino_doctor.record.values import Node, made_of, newest_calls, snapshot


class Losses(Observer):
    """Watches loss functions. count: calls so far."""

    def __init__(self, of: Recording, nets: Nets) -> None:
        super().__init__(of)
        self._nets, self.count, self._whole = nets, 0, FirstOnes()

    def install(self) -> None:
        self._tape.observe(self._called, *loss_figures.NAMES)
        for name in loss_figures.NAMES:
            self._tape.failures.setdefault(name, []).append(partial(self._failed, name))

    def _called(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if node is None or not isinstance(result, torch.Tensor):
            return
        if result.requires_grad or self.windows.keeps(node.op, node.site) or not self._nets.passed:
            self._tell(node.op, args, kwargs, result, node)

    def _failed(self, name: str, error: BaseException, args: Any, kwargs: Any) -> None:
        self._tell(name, args, kwargs, error=f"{type(error).__name__}: {error}"[:200])

    def _tell(
        self, name: str, args: Any, kwargs: Any, result: Any = None, node: Node | None = None, error: str = ""
    ) -> None:
        x, target = loss_figures.input_and_target(name, args, kwargs)
        if x is None or target is None:
            return
        self.count += 1
        if node is not None:
            node.detail = node.detail | {"loss": self.count}
        site, module = here(), self._nets.current
        of_input, of_target = self._values.of(x), self._values.of(target)
        whole = of_input.op != PASSED and self._whole.has(name, site)
        low, high = loss_figures.span(target)
        labels, right = loss_figures.counts(name, x.detach(), target.detach(), kwargs, low, high)
        means, spread = loss_figures.columns_of(name, target.detach(), kwargs)
        counted = {"labels": labels, "right": right, "means": means, "spread": spread}
        counted |= {"low": low, "high": high}
        graphs = {"graph": snapshot(of_input), "target_graph": snapshot(of_target, 24)} if whole else {}
        self._log.tell_here(
            LossCall,
            loss=self.count,
            name=name,
            made_at=self._nets.made.get(module) if isinstance(module, nn.modules.loss._Loss) else None,
            forwards=newest_calls(of_input.forwards, 8),
            trained=result is not None and result.requires_grad,
            value=float(result.detach()) if result is not None and result.numel() == 1 else math.nan,
            reduction=str(kwargs.get("reduction", "mean")),
            input_shape=tuple(x.shape),
            target_shape=tuple(target.shape),
            target_kind="float" if target.is_floating_point() else "int",
            weights=loss_figures.weight_of(name, args, kwargs),
            smoothing=float(kwargs.get("label_smoothing", 0.0)),
            constant=loss_figures.best_constant(name, target.detach(), kwargs),
            logsumexp=loss_figures.logsumexp(x.detach(), name) if name in ("nll_loss", "kl_div") else 0.0,
            of_logs=name == "kl_div" and bool(args[5] if len(args) > 5 else kwargs.get("log_target", False)),
            spoiled=not cmath.isfinite(x.detach().sum().item()),
            several=loss_figures.several(name, target.detach()),
            swapped=not of_input.forwards and loss_figures.swapped(name, x.detach(), target),
            outside=loss_figures.outside(name, target.detach(), low, high),
            bootstrapped=bool(of_target.forwards),
            error=error,
            **counted,
            **graphs,
        )


def losses_behind(node: Node | None) -> tuple[int, ...]:
    """The numbers of the loss calls behind a value, nearest first."""
    return tuple(dict.fromkeys(one.detail["loss"] for one in made_of(node, 64) if "loss" in one.detail))
