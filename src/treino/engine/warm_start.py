"""Going out from weights that were learnt before, in place of an initialisation."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from treino.engine.shared_config import store_buffers
from treino.engine.training_loop import Training
from treino.errors import TreinoError
from treino.words import _


def begin_from(training: Training, weights: Mapping[str, Tensor]) -> None:
    """Every member begins with these weights, by their ``state_dict`` names; the optimizer begins anew.

    Raises:
        TreinoError: the network has other tensors; the training has begun already.
    """
    if training.step:
        raise TreinoError(
            "weights_late",
            _("The training has taken {n} steps already.").format(n=training.step),
            _("Make a new one, and give it the weights before its first step."),
        )
    shared, population = training.shared, training._population
    module = copy.deepcopy(shared.template)
    try:
        module.load_state_dict(dict(weights))
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise TreinoError(
            "weights_differ",
            _("The weights are another network's: {why}").format(why=lines[min(1, len(lines) - 1)]),
            _("Use the same layers, e.g. by [[like]] of the same name."),
        ) from None
    own = dict(module.named_parameters())
    with torch.no_grad():
        for row in range(len(population)):
            for name, tensor in shared.layout.named(population.params[row]).items():
                tensor.copy_(own[name])
            store_buffers(module, shared.buffer_layout, population.buffers[row])
