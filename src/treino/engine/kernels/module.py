"""The kernel ``module``: the plain loop for any ``nn.Module``, member by member (autograd, torch.optim)."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal, TreinoError, cause
from treino.base.own_calls import own_call
from treino.engine.augmentation import augmented
from treino.engine.model import Model
from treino.engine.net_state import check_forms, load_buffers, store_buffers
from treino.engine.optim import OFF, OPTIMIZERS, ema_limit, torch_settings
from treino.engine.own_optimizers import (
    AS_SET,
    OWN_OPTIMIZER_UPDATE,
    load_state,
    number_like,
    store_state,
)
from treino.engine.population import Population
from treino.engine.rng import dropout_keys, fork_rng, reseed, step_seed
from treino.engine.step_plan import EVALUATION_ROWS, Chunk
from treino.engine.user_module import HashDropout, evaluated, module_copy, replace_dropout, shape_text

NET_TRAINING = Refusal(
    "The network fails in update {update}, on a batch of shape {shape}: {cause}",
    "Send one such batch through net.train() yourself; a batch of one row is too few for batch norm.",
)


@dataclass(eq=False)
class BoundMember:
    """A member's module; its parameters, gradients and optimizer state are views of the member's rows."""

    module: nn.Module
    parameters: list[nn.Parameter]
    drops: list[HashDropout]
    optimizer: torch.optim.Optimizer
    groups: list[dict[str, Any]]  # each group's own values of the settings

    @contextmanager
    def weights(self, views: list[Tensor]) -> Iterator[None]:
        """Within the block, the module uses these weights."""
        trained = [p.data for p in self.parameters]
        for p, view in zip(self.parameters, views, strict=True):
            p.data = view
        try:
            yield
        finally:
            for p, view in zip(self.parameters, trained, strict=True):
                p.data = view


class ModuleKernel:
    """The kernel for any module. It equals, bit for bit, the loop of zero_grad, forward, backward,
    clip_grad_norm_ and step."""

    def __init__(self, model: Model, threads: int = 1) -> None:
        self.model, self.threads, self.intra_op_threads = model, threads, threads
        self.optimizer = OPTIMIZERS[model.optimizer]

    def run(self, population: Population, rows: Tensor, chunk: Chunk) -> Tensor:
        loss_RS = torch.empty(len(rows), chunk.steps, dtype=self.model.dtype, device=self.model.device)
        with fork_rng(device=self.model.device, own=self.model.own):
            for loss_S, row in zip(loss_RS, rows.tolist(), strict=True):
                self._member(population, row, chunk, loss_S)
        return loss_RS.T

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        outputs = []
        with fork_rng(device=self.model.device, own=self.model.own):
            for row in rows.tolist():
                bound = self._bound(population, row)
                module = bound.module.eval()
                if self.model.own:
                    reseed(step_seed(int(population.seed_P[row]), -1), self.model.device)
                self._load(module, population, row)
                parts = x.split(EVALUATION_ROWS)
                with bound.weights(population.layout.views(population.answering[row])):
                    if self.model.net is None:
                        outputs.append(torch.cat([evaluated(module, part) for part in parts]))
                    else:
                        outputs.append(torch.cat([module(part) for part in parts]))
        return torch.stack(outputs).flatten(2)

    def _bound(self, population: Population, row: int) -> BoundMember:
        if row not in population.bound:
            module = module_copy(self.model.template)
            views, slopes = (population.layout.views(t[row]) for t in (population.params, population.grads))
            parameters = [p for p in module.parameters() if p.requires_grad]
            for p, view, slope in zip(parameters, views, slopes, strict=True):
                p.data, p.grad = view, slope
            if self.optimizer.own is not None:
                optimizer = self.optimizer.own.make(module)
            else:
                optimizer = self.optimizer.torch(parameters, lr=0.0)  # type: ignore[call-arg]
                states = zip(*(population.layout.views(m[row]) for m in population.moments), strict=True)
                for p, state in zip(parameters, states, strict=True):
                    optimizer.state[p] = dict(zip(self.optimizer.states, state, strict=True))
            groups = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
            population.bound[row] = BoundMember(
                module, parameters, replace_dropout(module), optimizer, groups
            )
        bound: BoundMember = population.bound[row]
        return bound

    def _member(self, population: Population, row: int, chunk: Chunk, loss_S: Tensor) -> None:
        bound, model = self._bound(population, row), self.model
        module, optimizer = bound.module.train(), bound.optimizer
        self._load(module, population, row)
        hp = {name: float(value[row]) for name, value in population.hp.items()}
        seed = int(population.seed_P[row])
        self._set(population, row, bound, hp, chunk.optimizer_first)
        keys = self._keys(bound, hp, seed, chunk)
        factors = chunk.factors[int(population.schedule_P[row])]
        ((_place, rows_x, rows_y, batches, changes),) = chunk.groups(population, torch.tensor([row]))
        weight_N = None if chunk.weight_GN is None else chunk.weight_GN[int(population.bag_P[row])]
        for s, (batch, factor) in enumerate(zip(batches, factors, strict=True)):
            x, y, weight = rows_x, rows_y, weight_N
            if batch is not None:
                x, y = x.index_select(0, batch), y.index_select(0, batch)
                weight = None if weight is None else weight.index_select(0, batch)
            elif model.net is None:
                x = x.clone()
            if changes:
                x = augmented(x, rows_x.index_select(0, changes[s].partner_B), changes[s])
            if model.own:
                reseed(step_seed(seed, chunk.first + s), model.device)
            for drop, a, b in zip(bound.drops, *keys[s], strict=True) if bound.drops else ():
                drop.begin((a, b))
            if not model.summed:
                population.grads[row].zero_()
            update = chunk.first + s + 1
            own_net = own_call(partial(_fails, update, module, x)) if model.net is None else nullcontext()
            with own_net, torch.enable_grad():
                with torch.autocast(model.device.type, torch.bfloat16, enabled=model.bf16):
                    loss = model.loss(module(x), y, weight)
                loss.backward()
            loss_S[s] = loss.detach()
            if hp["clip"] != OFF["clip"]:
                nn.utils.clip_grad_norm_(bound.parameters, hp["clip"])
            for group, own in zip(optimizer.param_groups, bound.groups, strict=True):
                group["lr"] = hp["lr"] * factor
                if len(bound.groups) > 1:  # each in its own proportion
                    group["lr"] *= own["lr"] / bound.groups[0]["lr"]
            called = OWN_OPTIMIZER_UPDATE.of_cause(name=model.optimizer, update=update)
            with nullcontext() if self.optimizer.own is None else own_call(called):
                optimizer.step()
            if len(population.average):
                share = 1 - min(hp["ema"], ema_limit(chunk.optimizer_first + s + 1))
                population.average[row].lerp_(population.params[row], share)
            if s + 1 in chunk.keyframe_steps:
                self._store(bound, population, row)
                chunk.copy_member(population)
        self._store(bound, population, row)

    def _load(self, module: nn.Module, population: Population, row: int) -> None:
        check_forms(self.model.forms, module)
        load_buffers(module, population.buffer_layout, population.buffers[row])

    def _store(self, bound: BoundMember, population: Population, row: int) -> None:
        check_forms(self.model.forms, bound.module)
        store_buffers(bound.module, population.buffer_layout, population.buffers[row])
        if self.optimizer.own is not None:
            store_state(bound.optimizer, self.model.state_form, population.moments[0][row])

    def _set(
        self, population: Population, row: int, bound: BoundMember, hp: dict[str, float], first: int
    ) -> None:
        settings = torch_settings(self.model.optimizer, hp, self.model.nesterov)
        if self.optimizer.own is not None:
            if first:
                load_state(bound.optimizer, self.model.state_form, population.moments[0][row])
            else:
                bound.optimizer.state.clear()
                for group, own in zip(bound.optimizer.param_groups, bound.groups, strict=True):
                    group.update(own)
            usual = bound.groups[0]  # what a group has of its own stays until the setting differs
            for group, own in zip(bound.optimizer.param_groups, bound.groups, strict=True):
                for name, value in hp.items():
                    if group.get(AS_SET.format(name), value) != value:
                        group[name] = number_like(group[name], value)
                        group[AS_SET.format(name)] = value
                for name in settings.keys() & group.keys():
                    group[name] = own[name] if settings[name] == usual[name] else settings[name]
        else:
            bound.optimizer.param_groups[0].update(settings)
        if self.optimizer.own is None and self.optimizer.torch is not torch.optim.SGD:
            for p in bound.parameters:
                bound.optimizer.state[p]["step"] = torch.tensor(float(first))
        if self.model.net is not None:
            for drop in bound.drops:
                drop.rate = hp["dropout"]

    def _keys(
        self, bound: BoundMember, hp: dict[str, float], seed: int, chunk: Chunk
    ) -> list[tuple[list[int], list[int]]]:
        if not bound.drops:
            return []
        a, b = dropout_keys(torch.tensor([seed]), len(bound.drops), chunk.first, chunk.steps)
        return list(zip(a.squeeze(-1).tolist(), b.squeeze(-1).tolist(), strict=True))


def _fails(update: int, module: nn.Module, x: Tensor, error: BaseException) -> TreinoError:
    return NET_TRAINING(update=update, shape=shape_text(module, x), cause=cause(error))
