"""Going out from weights that were learnt before, in place of an initialisation."""

from collections.abc import Mapping

import torch
from torch import Tensor

from treino.engine.net_state import put_state, store_buffers
from treino.engine.training_loop import Training
from treino.engine.user_module import module_copy
from treino.errors import TreinoError
from treino.words import _


def begin_from(training: Training, weights: Mapping[str, Tensor]) -> None:
    """Every member begins with these weights, by their ``state_dict`` names; the optimizer begins anew.

    Buffers that ``state_dict`` leaves out may be among them; one that isn't there is as it was made.

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
    module = module_copy(shared.template)
    try:
        put_state(module, weights)
    except ValueError as error:
        raise TreinoError(
            "weights_differ",
            _("The weights are another network's: {why}").format(why=error),
            _("Use the same layers, e.g. by [[like]] of the same name."),
        ) from None
    own = dict(module.named_parameters())
    with torch.no_grad():
        for row in range(len(population)):
            for name, tensor in shared.layout.named(population.params[row]).items():
                tensor.copy_(own[name])
            store_buffers(module, shared.buffer_layout, population.buffers[row])
