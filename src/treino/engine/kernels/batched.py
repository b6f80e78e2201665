"""The kernel ``batched``: blocks of members train by torch's batched products, one block per worker."""

from collections.abc import Callable

import torch
from torch import Tensor

from treino.base.machine import cpu_cores
from treino.engine.backprop import Backprop
from treino.engine.kernels.workers import Done, WorkerCount, Workers
from treino.engine.model import Model
from treino.engine.optim import OPTIMIZERS, block_numbers, clip_
from treino.engine.population import Population
from treino.engine.rng import dropout_keys, dropout_threshold
from treino.engine.step_plan import EVALUATION_ROWS, Chunk, MemberGroup

LARGEST_BLOCK = 128
LARGEST_WORKSPACE = 4_000_000  # numbers in each of a block's buffers
ONE_BY_ONE = 50_000  # numbers per member from which on blocks are no faster than one member at a time


class BatchedKernel:
    """The kernel for MLPs on any device and in any float type.

    threads: the largest number of workers; each runs its blocks with one intra-op thread. block: members per
    block, even, 2 to 128; None: about one block per worker, or one member if they are large. Workers and
    block size don't change a bit of the result.
    """

    def __init__(self, model: Model, threads: int | None = None, block: int | None = None) -> None:
        self.model, self.shape = model, model.shape
        self.threads, self.intra_op_threads = threads or cpu_cores(), 1
        self.block, self.numbers = block, model.layout.n
        # a product of one pair of matrices may round otherwise than one of many: a network's members are
        # always alone in their blocks, or never
        self.alone = self.numbers >= ONE_BY_ONE and model.device.type == "cpu"
        self.pace = WorkerCount(self.threads)
        self.workers = Workers(self.threads)
        self.free: dict[int, list[Workspace]] = {}

    def run(self, population: Population, rows: Tensor, chunk: Chunk) -> Tensor:
        loss_SR = torch.empty(chunk.steps, len(rows), dtype=self.model.dtype, device=self.model.device)

        def job(space: Workspace, part: MemberGroup) -> None:
            loss_SR[:, part.places] = space.run(population, rows[part.places], chunk, part)

        workers = self.pace.workers()
        with self.pace.timed(workers, chunk.steps * len(rows)):
            self._blocks(population, chunk.groups(population, rows), len(rows), workers, job)
        return loss_SR

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        def job(space: Workspace, part: MemberGroup) -> Tensor:
            return space.outputs(population, rows[part.places], part.x)

        whole = [MemberGroup(torch.arange(len(rows)), x, x, (), ())]
        return torch.cat(self._blocks(population, whole, len(rows), self.pace.fastest(), job))

    def size(self, members: int, workers: int) -> int:
        """The number of members per block: even, so that no vector loop's tail falls on the last member, or
        1."""
        if self.block is not None or self.alone:
            return self.block or 1
        count = min(64, -(-members // workers), max(2, LARGEST_WORKSPACE // self.numbers))
        return max(2, min(LARGEST_BLOCK, count + count % 2))

    def _blocks(
        self,
        population: Population,
        groups: list[MemberGroup],
        members: int,
        workers: int,
        job: "Callable[[Workspace, MemberGroup], Done]",
    ) -> list[Done]:
        """Do the job on all blocks of these groups; return the results in order."""
        size = self.size(members, workers)
        if size not in self.free and len(self.free) > 1:
            self.free.clear()  # blocks shrink as members end: keep buffers for two sizes only
        spaces = self.free.setdefault(size, [])

        def one(part: MemberGroup) -> Done:
            with torch.no_grad():  # gradient mode is per thread
                try:
                    space = spaces.pop()
                except IndexError:
                    space = Workspace(self.model, population, size)
                try:
                    return job(space, part)
                finally:
                    spaces.append(space)

        parts = [group._replace(places=block) for group in groups for block in group.places.split(size)]
        return [one(part) for part in parts] if workers == 1 else self.workers.map(one, parts)


class Workspace:
    """Aligned buffers for one block: members are copied in, trained for the chunk's steps, and copied
    back."""

    def __init__(self, model: Model, population: Population, block: int) -> None:
        self.model, self.shape, self.block = model, model.shape, block
        self.optimizer = OPTIMIZERS[model.optimizer]
        n, states = population.layout.n, len(self.optimizer.states)
        self.p, self.g, self.average, *rest = (
            torch.zeros(block, n, dtype=model.dtype, device=model.device) for _i in range(5 + states)
        )
        self.m, self.spare = rest[:states], rest[states:]
        self.back = Backprop(self.shape, population.layout, self.p, self.g)

    def run(self, population: Population, rows: Tensor, chunk: Chunk, group: MemberGroup) -> Tensor:
        """Train these members of a group on its batches; return their losses ``[S, R]``."""
        here, there = [self.p, self.g, *self.m], [population.params, population.grads, *population.moments]
        if len(population.average):
            here, there = [*here, self.average], [*there, population.average]
        for mine, theirs in zip(here, there, strict=True):
            self._fill(mine, theirs, rows)
        if self.back.first is not None:
            self.back.first.forget()
        # unused places get the first member's hyper-parameters and zero weights
        filled = torch.cat([rows, rows[:1].expand(self.block - len(rows))])
        hp = {name: value[filled] for name, value in population.hp.items()}
        factor_KS = torch.tensor(chunk.factors, dtype=torch.float64)
        factor_SR = factor_KS[population.schedule_P[filled]].T
        numbers = block_numbers(hp, factor_SR, chunk.optimizer_first, self.model.dtype, self.model.device)
        keys = self._drop(population.seed_P[filled], hp["dropout"], chunk)
        loss = torch.empty(chunk.steps, self.block, dtype=self.model.dtype, device=self.model.device)
        x, y, weight_RN = group.x, group.y, None
        if chunk.weight_GN is not None:
            bag_R = population.bag_P[filled].to(chunk.weight_GN.device)
            weight_RN = chunk.weight_GN.index_select(0, bag_R)
        for s, (batch, n, loss_R) in enumerate(zip(group.batches, numbers, loss.unbind(0), strict=True)):
            if batch is None:
                now = self.back.whole(x, y, weight_RN)
            else:
                now = self.back.batch(batch.shape[0], x, y, weight_RN is not None)
                torch.index_select(x, 0, batch, out=now.x)
                torch.index_select(y, 0, batch, out=now.y)
                if weight_RN is not None:
                    torch.index_select(weight_RN, 1, batch, out=now.weight)
                for call in now.begin:
                    call()
            if keys is not None:
                for drop, (a, b) in zip(now.drops, keys[s], strict=True):
                    drop.threshold, drop.scale = self.threshold, self.scale
                    drop.draw(a, b)
            for call in now.forward:
                call()
            for call in now.backward:
                call()
            loss_R.copy_(now.loss)
            if n.clip is not None:
                clip_(self.g, n.clip)
            self.optimizer.update(self.p, self.g, self.m, n, self.spare, self.model.nesterov)
            if len(population.average):
                self.average.lerp_(self.p, n.ema_share)
            if s + 1 in chunk.keyframe_steps:
                for mine, theirs in zip(here, there, strict=True):
                    theirs.copy_(mine[: len(theirs)])
                chunk.copy_member(population)
        place = rows.to(self.p.device)
        for mine, theirs in zip(here, there, strict=True):
            theirs.index_copy_(0, place, mine[: len(rows)])
        return loss[:, : len(rows)]

    def outputs(self, population: Population, rows: Tensor, x: Tensor) -> Tensor:
        """Outputs ``[R, N, C]`` of these members."""
        self._fill(self.p, population.answering, rows)
        parts = [self.back.outputs(part)[: len(rows)].clone() for part in x.split(EVALUATION_ROWS)]
        return torch.cat(parts, 1)

    def _fill(self, mine: Tensor, theirs: Tensor, rows: Tensor) -> None:
        torch.index_select(theirs, 0, rows.to(theirs.device), out=mine[: len(rows)])
        mine[len(rows) :].zero_()

    def _drop(self, seed_R: Tensor, rate_R: Tensor, chunk: Chunk) -> list[list[tuple[Tensor, Tensor]]] | None:
        if not self.shape.dropout:
            return None
        device = self.model.device
        thresholds = [dropout_threshold(rate) for rate in rate_R.tolist()]
        self.threshold = torch.tensor(thresholds, dtype=torch.int32, device=device).view(-1, 1, 1)
        self.scale = (1 / (1 - rate_R)).to(self.model.dtype).to(device).view(-1, 1, 1)
        a, b = dropout_keys(seed_R, len(self.shape.sizes) - 2, chunk.first, chunk.steps)
        a, b = (key.to(device)[..., None, None] for key in (a, b))  # [S, L, R, 1, 1]
        return [
            list(zip(a_L.unbind(0), b_L.unbind(0), strict=True))
            for a_L, b_L in zip(a.unbind(0), b.unbind(0), strict=True)
        ]
