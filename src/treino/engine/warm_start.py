"""Warm start: begin a training with the weights of a trained network."""

from collections.abc import Mapping

import torch
from torch import Tensor

from treino.engine.ensemble import Ensemble
from treino.engine.members import begin_average, store_parameters
from treino.engine.net_state import put_state, store_buffers
from treino.engine.shared_config import SharedConfig
from treino.engine.training_state import TrainingState
from treino.engine.user_module import module_copy
from treino.errors import TreinoError
from treino.words import _


def warm_start(
    shared: SharedConfig, state: TrainingState, weights: Mapping[str, Tensor], *, of_each: bool = False
) -> None:
    """Give every member these weights, by their ``state_dict`` names; the optimizer starts anew.

    They may include buffers that ``state_dict`` leaves out; missing ones keep their initial values. of_each:
    weights of an ``Ensemble`` of all members, each of which gets its own.

    Raises:
        TreinoError: the network has other tensors; the training has begun already.
    """
    if state.step:
        raise TreinoError(
            "weights_late",
            _("The training has taken {n} steps already.").format(n=state.step),
            _("Make a new one, and give it the weights before its first step."),
        )
    modules = [module_copy(shared.template) for _row in range(len(state.population) if of_each else 1)]
    try:
        put_state(Ensemble(modules, shared.loss.name, shared.limits) if of_each else modules[0], weights)
    except ValueError as error:
        raise TreinoError(
            "weights_differ",
            _("The weights are another network's: {why}").format(why=error),
            _("Use the same layers, e.g. by [[like]] of the same name."),
        ) from None
    population = state.population
    with torch.no_grad():
        for row in range(len(population)):
            module = modules[row if of_each else 0]
            store_parameters(module, shared.layout, population.params[row])
            store_buffers(module, shared.buffer_layout, population.buffers[row])
        begin_average(population)
