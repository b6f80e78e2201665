"""Conversion between modules and rows of a population."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.engine.activations import ACTIVATIONS
from treino.engine.gates import LAYER, gates_apart, without_gates
from treino.engine.hyperparameters import whole
from treino.engine.init import initialise
from treino.engine.model import Model
from treino.engine.net_state import load_buffers, store_buffers
from treino.engine.nets import MLP
from treino.engine.optim import OPTIMIZERS
from treino.engine.own_optimizers import form_bytes
from treino.engine.population import Layout, Population
from treino.engine.rng import generator
from treino.engine.training_state import BestWeights
from treino.engine.user_module import module_copy

MEMBER_RANGE = Refusal("There is no member {member}; there are {n}.", "Members count from 0.")


def new_population(model: Model, seeds: Sequence[int], hp: dict[str, Tensor]) -> Population:
    """Make the members before the first step. hp: hyper-parameters, each ``[P]`` float64."""
    layout, buffer_layout, P = model.layout, model.buffer_layout, len(seeds)

    def zeros() -> Tensor:
        return torch.zeros(P, layout.n, dtype=model.dtype, device=model.device)

    def moments() -> list[Tensor]:
        if OPTIMIZERS[model.optimizer].own is None:
            return [zeros() for _state in OPTIMIZERS[model.optimizer].states]
        return [torch.zeros(P, form_bytes(model.state_form), dtype=torch.uint8)]

    def indices() -> Tensor:
        return torch.zeros(P, dtype=torch.int64)

    population = Population(
        layout,
        buffer_layout,
        torch.tensor(list(seeds), dtype=torch.int64),
        indices(),
        indices(),
        indices(),
        zeros(),
        zeros(),
        moments(),
        torch.zeros(P, buffer_layout.n, dtype=torch.float64),
        hp,
        zeros()[: P if model.averages else 0],
        model.summed,
    )
    for row, seed in enumerate(seeds):
        module = model.template if model.construct is None else model.construct(seed)
        if model.net is not None:
            named = layout.named(population.params[row])
            initialise(named, model.init, ACTIVATIONS[model.net.activation], generator(seed, "init"))
            if isinstance(model.net, MLP) and model.net.gates:
                weight_G = named[f"{LAYER}.weight"].fill_(1 / model.net.gates)
                if any(model.net.plain[row : row + 1]) and model.shape.gates is not None:
                    weight_G[model.shape.gates.closed(model.net.plain[row])] = 0.0
        else:
            store_parameters(module, layout, population.params[row])
        store_buffers(module, buffer_layout, population.buffers[row])
    begin_average(population)
    return population


def begin_average(population: Population) -> None:
    """Set the running averages, if there are any, to the present weights."""
    if len(population.average):
        population.average.copy_(population.params)


def member_module(
    model: Model,
    population: Population,
    member: int,
    best: BestWeights | None = None,
) -> nn.Module:
    """A plain module in evaluation mode on the CPU, with copies of a member's weights, without gates.

    best: use the best weights instead of the last ones for members that keep them.

    Raises:
        TreinoError: there is no such member.
    """
    member = _checked(population, member)
    chosen = best is not None and bool(best.chosen_P[member])
    params_n, buffers_m = population.answering[member], population.buffers[member]
    if best is not None and chosen:
        params_n, buffers_m = best.params[member], best.buffers[member]
    module = without_gates(_filled(model, params_n, buffers_m))
    return _with_dropout(module, model, population, member).cpu().eval()


def trained_module(model: Model, population: Population, member: int) -> tuple[nn.Module, Tensor | None]:
    """Return the member as ``member_module`` does, but with the weights that the optimizer updates: no
    running averages, and gates not multiplied in. Returns also the gates' factors ``[D]``, None
    without gates."""
    member = _checked(population, member)
    module, factor_D = gates_apart(_filled(model, population.params[member], population.buffers[member]))
    return _with_dropout(module, model, population, member).cpu().eval(), factor_D


def _checked(population: Population, member: int) -> int:
    if whole("member", member, 0, text="member") >= len(population):
        raise MEMBER_RANGE(member=member, n=len(population))
    return member


def _filled(model: Model, params_n: Tensor, buffers_m: Tensor) -> nn.Module:
    """A copy of the template with these parameters and buffers."""
    module = module_copy(model.template)
    named = model.layout.named(params_n)
    with torch.no_grad():
        for name, p in module.named_parameters():
            if name in named:
                p.copy_(named[name])
        load_buffers(module, model.buffer_layout, buffers_m)
    return module


def _with_dropout(module: nn.Module, model: Model, population: Population, member: int) -> nn.Module:
    """The module with the member's own dropout."""
    if model.net is not None:
        rate, first = float(population.hp["dropout"][member]), model.net.dropout
        if isinstance(first, tuple) and not rate and not first[member % len(first)]:
            # a network without dropout has no Dropout layers; its weights are named by position
            module = nn.Sequential(*(m for m in module.children() if not isinstance(m, nn.Dropout)))
        for layer in module.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = rate
    return module


def store_parameters(module: nn.Module, layout: Layout, row: Tensor) -> None:
    """Copy the module's trained parameters into a member's row ``[n]``."""
    named = dict(module.named_parameters())
    for name, view in layout.named(row).items():
        view.copy_(named[name].detach())
