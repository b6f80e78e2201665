"""The kernel ``flat-loop``: member by member, hand-written backward pass, torch's fused optimizers."""

import torch
from torch import Tensor

from treino.engine.backprop import Backprop, Scratch
from treino.engine.optim import OFF, OPTIMIZERS, Fused, UpdateNumbers, clip_, member_numbers
from treino.engine.population import Population
from treino.engine.rng import dropout_keys, dropout_threshold
from treino.engine.shared_config import SharedConfig
from treino.engine.step_plan import EVALUATION_ROWS, Chunk


class FlatLoopKernel:
    """The kernel for MLPs with few, larger members. Members share buffers, so each runs all steps in turn."""

    def __init__(self, shared: SharedConfig, threads: int = 1) -> None:
        self.shared, self.threads, self.intra_op_threads = shared, threads, threads
        self.shape, self.optimizer = shared.shape, OPTIMIZERS[shared.optimizer]
        self.scratch: Scratch = {}

    def run(self, population: Population, rows: Tensor, chunk: Chunk) -> Tensor:
        loss_RS = torch.empty(len(rows), chunk.steps, dtype=self.shared.dtype, device=self.shared.device)
        hp_P = {name: value.tolist() for name, value in population.hp.items()}
        for loss_S, row in zip(loss_RS, rows.tolist(), strict=True):
            hp = {name: values[row] for name, values in hp_P.items()}
            self._member(population, row, chunk, hp, loss_S)
        return loss_RS.T

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        return torch.stack(
            [
                torch.cat([back.outputs(part).clone() for part in x.split(EVALUATION_ROWS)])
                for back in (self._answering(population, row) for row in rows.tolist())
            ]
        )

    def _answering(self, population: Population, row: int) -> Backprop:
        """The views and calls for one member's outputs, by its running average if it has one."""
        if not len(population.average):
            return self._bound(population, row)[0]
        key = ("average", row)
        if key not in population.bound:
            p, g = population.average[row], population.grads[row]
            population.bound[key] = Backprop(self.shape, population.layout, p, g, self.scratch)
        back: Backprop = population.bound[key]
        return back

    def _bound(self, population: Population, row: int) -> tuple[Backprop, Fused]:
        """The views, calls and optimizer of one member, cached in ``population.bound`` between chunks."""
        if row not in population.bound:
            p, g = population.params[row], population.grads[row]
            m, nesterov = [moment[row] for moment in population.moments], self.shared.nesterov
            if self.optimizer.fused is not None and p.device.type == "cpu":
                update = self.optimizer.fused(p, g, m, nesterov)
            else:
                spare = [torch.empty_like(p), torch.empty_like(p)]

                def update(n: UpdateNumbers, t: int) -> None:
                    self.optimizer.update(p, g, m, n, spare, nesterov)

            population.bound[row] = Backprop(self.shape, population.layout, p, g, self.scratch), update
        bound: tuple[Backprop, Fused] = population.bound[row]
        return bound

    def _member(
        self, population: Population, row: int, chunk: Chunk, hp: dict[str, float], loss_S: Tensor
    ) -> None:
        back, update = self._bound(population, row)
        g, x, y = population.grads[row], chunk.x, chunk.y
        clip = None if hp["clip"] == OFF["clip"] else hp["clip"]
        keys = self._keys(population, row, chunk, hp["dropout"])
        factors, keyframe_steps = chunk.factors[int(population.schedule_P[row])], chunk.keyframe_steps
        batches = chunk.batches_of(population, row)
        for s, (batch, factor, loss) in enumerate(zip(batches, factors, loss_S.unbind(0), strict=True)):
            if batch is None:
                now = back.whole(x, y)
            else:
                now = back.batch(batch.shape[0], x, y)
                torch.index_select(x, 0, batch, out=now.x)
                torch.index_select(y, 0, batch, out=now.y)
                for call in now.begin:
                    call()
            for drop, (a, b) in zip(now.drops, keys[s] if keys else (), strict=True):
                drop.threshold, drop.scale = dropout_threshold(hp["dropout"]), 1 / (1 - hp["dropout"])
                drop.draw(a, b)
            for call in now.forward:
                call()
            for call in now.backward:
                call()
            loss.copy_(now.loss)
            if clip is not None:
                clip_(g, clip)
            t = chunk.optimizer_first + s + 1
            numbers = member_numbers(hp, factor, t)
            update(numbers, t)
            if len(population.average):
                population.average[row].lerp_(population.params[row], numbers.ema_share)
            if s + 1 in keyframe_steps:
                chunk.copy_member(population)

    def _keys(
        self, population: Population, row: int, chunk: Chunk, rate: float
    ) -> list[list[tuple[int, int]]]:
        layers = len(self.shape.sizes) - 2
        if not self.shape.dropout:
            return []
        a, b = dropout_keys(population.seed_P[row : row + 1], layers, chunk.first, chunk.steps)
        return [
            list(zip(a_L, b_L, strict=True))
            for a_L, b_L in zip(a.squeeze(-1).tolist(), b.squeeze(-1).tolist(), strict=True)
        ]
