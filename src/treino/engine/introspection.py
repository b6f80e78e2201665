"""The state before a training's next update: hyper-parameters, the optimizer's state, the batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from treino.engine.optim import OPTIMIZERS
from treino.engine.step_plan import BatchIndices, StepPlan
from treino.engine.training_setup import TrainingSetup
from treino.engine.training_state import TrainingState


@dataclass(frozen=True, eq=False)
class NextUpdate:
    """One member before its next update.

    hp: lr (with its schedule's factor), weight_decay, momentum, beta1, beta2, eps, clip (infinite: none),
    dropout. state: ``{parameter: {name: tensor}}`` in torch.optim's names; copies on the CPU. gradients:
    ``{parameter: tensor}``, the sum so far where the fault ``missing_zero_grad`` keeps it, else empty.
    """

    hp: dict[str, float]
    state: dict[str, dict[str, Tensor]]
    gradients: dict[str, Tensor]


def next_update(setup: TrainingSetup, state: TrainingState, member: int = 0) -> NextUpdate:
    """The member before its next update, with all due changes of hyper-parameters applied."""
    population, step = state.population, state.step
    hp = {name: float(value_P[member]) for name, value_P in population.hp.items()}
    hp |= {change.name: change.value[member] for change in state.pending if change.step <= step}
    hp["lr"] *= setup.plan.factors(step, step + 1)[int(population.schedule_P[member])][0]
    layout, optimizer = setup.shared.layout, OPTIMIZERS[setup.shared.optimizer]

    def named(flat: Tensor) -> dict[str, Tensor]:
        return layout.named(flat[member].detach().to("cpu", copy=True))

    moments: dict[str, dict[str, Tensor]] = {name: {} for name in layout.names}
    if "momentum" not in optimizer.reads or hp["momentum"]:  # without momentum torch keeps no buffer either
        for kind, moment in zip(optimizer.states, population.moments, strict=True):
            for name, value in named(moment).items():
                moments[name][kind] = value
    return NextUpdate(hp, moments, named(population.grads) if setup.shared.summed else {})


def next_batch(plan: StepPlan, step: int) -> Tensor:
    """``[B]`` int64: the training rows of the update that follows ``step`` updates."""
    (index,) = BatchIndices(plan, torch.device("cpu"))(step, 1)
    return torch.arange(plan.rows) if index is None else index.clone()
