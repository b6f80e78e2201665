"""What a training is about to do: settings in force, the optimizer's state, the next batch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from treino.engine.optim import OPTIMIZERS
from treino.engine.step_plan import BatchIndices, StepPlan

if TYPE_CHECKING:
    from treino.engine.training_loop import Training


@dataclass(frozen=True, eq=False)
class Look:
    """One member before its next update.

    hp: lr (with its schedule's factor), weight_decay, momentum, beta1, beta2, eps, clip (infinite: none),
    dropout. state: ``{parameter: {name: tensor}}`` in torch.optim's names; copies on the CPU. gradients:
    ``{parameter: tensor}``, the sum so far where the fault ``missing_zero_grad`` keeps it, else empty.
    """

    hp: dict[str, float]
    state: dict[str, dict[str, Tensor]]
    gradients: dict[str, Tensor]


def look(training: "Training", member: int = 0) -> Look:
    """The member as its next update will find it, with the commands that are due by then."""
    shared, population, step = training.shared, training._population, training.step
    hp = {name: float(value_P[member]) for name, value_P in population.hp.items()}
    for command in training._pending:
        if command.step <= step:
            hp[command.name] = command.value[member]
    hp["lr"] *= training.plan.factors(step, step + 1)[int(population.schedule_P[member])][0]
    layout, optimizer = shared.layout, OPTIMIZERS[shared.optimizer]

    def named(flat: Tensor) -> dict[str, Tensor]:
        return layout.named(flat[member].detach().to("cpu", copy=True))

    state: dict[str, dict[str, Tensor]] = {name: {} for name in layout.names}
    if "momentum" not in optimizer.reads or hp["momentum"]:  # without it torch keeps no buffer either
        for kind, moment in zip(optimizer.states, population.moments, strict=True):
            for name, value in named(moment).items():
                state[name][kind] = value
    return Look(hp, state, named(population.grads) if shared.summed else {})


def next_batch(plan: StepPlan, step: int) -> Tensor:
    """``[B]`` int64: the places in the training rows of the update that follows ``step`` updates."""
    (index,) = BatchIndices(plan, torch.device("cpu"))(step, 1)
    return torch.arange(plan.rows) if index is None else index.clone()
