"""The kernel ``flat-loop``: member by member, a hand-written pass, torch's fused update of the flat row."""

import torch
from torch import Tensor

from treino.engine.backprop import Backprop, Scratch
from treino.engine.optim import OFF, OPTIMIZERS, Fused, Numbers, clip_, member_numbers
from treino.engine.population import Population
from treino.engine.rng import dropout_keys, dropout_threshold
from treino.engine.shared_config import Recipe, Work

EVALUATION_ROWS = 1024  # per pass; fixed, for the bits of a product may depend on its number of rows


class FlatLoop:
    """For an MLP and few members of some size. They share the buffers, so each goes through all steps."""

    def __init__(self, recipe: Recipe, threads: int = 1) -> None:
        self.recipe, self.threads, self.intra_op = recipe, threads, threads
        self.shape, self.optimizer = recipe.shape, OPTIMIZERS[recipe.optimizer]
        self.scratch: Scratch = {}

    def run(self, population: Population, rows: Tensor, work: Work) -> Tensor:
        loss_RS = torch.empty(len(rows), work.steps, dtype=self.recipe.dtype, device=self.recipe.device)
        hp_P = {name: value.tolist() for name, value in population.hp.items()}
        for loss_S, row in zip(loss_RS, rows.tolist(), strict=True):
            hp = {name: values[row] for name, values in hp_P.items()}
            self._member(population, row, work, hp, loss_S)
        return loss_RS.T

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        return torch.stack(
            [
                torch.cat([back.outputs(part).clone() for part in x.split(EVALUATION_ROWS)])
                for back, _update in (self._bound(population, row) for row in rows.tolist())
            ]
        )

    def _bound(self, population: Population, row: int) -> tuple[Backprop, Fused]:
        """The views, calls and optimizer of one member, kept with the population between chunks."""
        if row not in population.bound:
            p, g = population.params[row], population.grads[row]
            m, nesterov = [moment[row] for moment in population.moments], self.recipe.nesterov
            if self.optimizer.fused is not None and p.device.type == "cpu":
                update = self.optimizer.fused(p, g, m, nesterov)
            else:
                spare = [torch.empty_like(p), torch.empty_like(p)]

                def update(n: Numbers, t: int) -> None:
                    self.optimizer.update(p, g, m, n, spare, nesterov)

            population.bound[row] = Backprop(self.shape, population.layout, p, g, self.scratch), update
        bound: tuple[Backprop, Fused] = population.bound[row]
        return bound

    def _member(
        self, population: Population, row: int, work: Work, hp: dict[str, float], loss_S: Tensor
    ) -> None:
        back, update = self._bound(population, row)
        g, x, y = population.grads[row], work.x, work.y
        clip = None if hp["clip"] == OFF["clip"] else hp["clip"]
        keys = self._keys(population, row, work, hp["dropout"])
        factors, marks = work.factors[int(population.schedule_P[row])], work.marks
        for s, (batch, factor, loss) in enumerate(zip(work.batches, factors, loss_S.unbind(0), strict=True)):
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
            t = work.first + s + 1
            update(member_numbers(hp, factor, t), t)
            if s + 1 in marks:
                work.keep(population)

    def _keys(self, population: Population, row: int, work: Work, rate: float) -> list[list[tuple[int, int]]]:
        layers = len(self.shape.sizes) - 2
        if not self.shape.dropout:
            return []
        a, b = dropout_keys(population.seed_P[row : row + 1], layers, work.first, work.steps)
        return [
            list(zip(a_L, b_L, strict=True))
            for a_L, b_L in zip(a.squeeze(-1).tolist(), b.squeeze(-1).tolist(), strict=True)
        ]
