"""Detection of a network's plain attributes, neither parameters nor buffers, that its training changes."""

from typing import Any

import torch
from torch import Tensor, nn

from treino.engine.rng import fork_rng
from treino.engine.torch_context import torch_context
from treino.engine.training_setup import TrainingSetup
from treino.engine.training_state import TrainingState
from treino.engine.user_module import HashDropout, module_copy

COMPARED_ROWS = 64  # on which outputs are compared
_PLAIN = (bool, int, float, str, tuple, list, dict, set, Tensor, type(None))


def unkept(setup: TrainingSetup, state: TrainingState, x: Tensor) -> list[str] | None:
    """The plain attributes that the user's network changed in training, if its outputs or its training depend
    on them; None if all of its state is stored. x: rows in the network's input shape.
    """
    population, kernel, shared, plan = state.population, setup.kernel, setup.shared, setup.plan
    if 0 not in population.bound:  # no training in this process
        return None
    x, first, anew = x.to(shared.device, shared.dtype), torch.tensor([0]), population.rows([0])
    batch = plan.batch_size or plan.rows
    with torch_context(kernel.intra_op_threads):
        pairs = [[kernel.outputs(p, first, x[:COMPARED_ROWS]) for p in (population, anew)]]
        pairs += [
            [_trained_on(p.bound[0].module, x[:size]) for p in (population, anew)]
            for size in {batch, plan.rows % batch or batch}
        ]
    if all(torch.allclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True) for one, other in pairs):
        return None
    return changed_attributes(population.bound[0].module, shared.template)


def _trained_on(module: nn.Module, x: Tensor) -> Tensor:
    """The outputs of a copy in training mode, with the same random numbers each time."""
    twin = module_copy(module).train()
    for layer in twin.modules():
        if isinstance(layer, HashDropout):
            layer.begin((1, 0))
    with fork_rng(0, x.device):
        answer: Tensor = twin(x.clone())
        return answer


def changed_attributes(now: nn.Module, before: nn.Module) -> list[str]:
    """The names of the modules' plain attributes that have changed."""
    usual = vars(nn.Module()).keys()
    first = dict(before.named_modules())
    return [
        f"{name}.{key}".lstrip(".")
        for name, module in now.named_modules()
        if name in first and type(module) is type(first[name])
        for key, value in vars(module).items()
        if key not in usual and not _alike(value, vars(first[name]).get(key))
    ]


def _alike(one: Any, other: Any) -> bool:
    """Whether two tensors or plain values are equal. Values of other types count as unchanged."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    if not (isinstance(one, _PLAIN) or isinstance(other, _PLAIN)):
        return True
    try:
        return bool(one == other)
    except Exception:  # an ambiguous truth value, as of a list of tensors
        return True
