"""The plan of a training: batches, learning-rate factors, evaluations and epochs as functions of a step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from treino.data.rows import Shuffle, order
from treino.engine.augmentation import NONE, Augmentation, Changes
from treino.engine.population import Copies, Population
from treino.engine.schedules import scale

# ---- the count of epochs


@dataclass(frozen=True)
class EpochCount:
    """A range of epochs of equal length, from a step on.

    start_step: the updates before this range. start_epoch: the epochs begun before it; the last of these is
    cut short at ``start_step``, unless it ends there. previous: the range before this one, if any.
    """

    steps_per_epoch: int
    start_step: int = 0
    start_epoch: int = 0
    previous: "EpochCount | None" = None

    def restarted(self, step: int, per: int) -> "EpochCount":
        """Return a new range after ``step`` updates, with epochs of ``per`` steps; the next step begins an
        epoch."""
        return EpochCount(per, step, self.epoch_of(step), self)

    @property
    def parts(self) -> "list[EpochCount]":
        """This range and all earlier ones, the newest first."""
        stretches, count = [self], self.previous
        while count is not None:
            stretches.append(count)
            count = count.previous
        return stretches

    def epoch_of(self, step: int) -> int:
        """The epoch (from 1) that contains update number ``step``; 0 for step 0."""
        count = self._at(step)
        return count.start_epoch - (count.start_step - step) // count.steps_per_epoch

    def epochs_of(self, step_P: Tensor) -> Tensor:
        """``[P]`` int64: ``epoch_of`` for many steps at once."""
        own, place_P = step_P.unique(return_inverse=True)
        return torch.tensor([self.epoch_of(step) for step in own.tolist()])[place_P]

    def end_of(self, epoch: int) -> int:
        """The number of updates when this epoch ended or was cut short; 0 for epoch 0."""
        count, cut = self, math.inf
        while count.previous is not None and epoch <= count.start_epoch:
            count, cut = count.previous, min(cut, count.start_step)
        return int(min(cut, count.start_step + (epoch - count.start_epoch) * count.steps_per_epoch))

    def ended(self, step: int) -> int:
        """The number of epochs that ended or were cut short within ``step`` updates."""
        epoch = self.epoch_of(step)
        return epoch if self.end_of(epoch) <= step else epoch - 1

    def passes(self, step: int) -> float:
        """The passes over the rows after ``step`` updates; a whole number at an epoch's end."""
        count = self._at(step)
        done, per = step - count.start_step, count.steps_per_epoch
        return count.start_epoch + (done // per if done % per == 0 else done / per)

    def place(self, step: int) -> tuple[int, int]:
        """For the update after ``step`` updates: (epochs before its epoch, steps before it within the
        epoch)."""
        epochs, steps = divmod(step - self.start_step, self.steps_per_epoch)
        return self.start_epoch + epochs, steps

    def _at(self, step: int) -> "EpochCount":
        """The range that contains update number ``step``."""
        count = self
        while count.previous is not None and step <= count.start_step:
            count = count.previous
        return count


# ---- the steps of a training

EVALUATION_SPACING = 20  # minimum number of steps between two evaluations
MIN_TICK_STEPS = 10  # steps


@dataclass(frozen=True)
class StepPlan:
    """The plan of a training. rows: the number of training rows. batch_size: None: all rows. steps: planned
    updates. every: steps per tick.

    schedules: the different (name, warm-up steps) of all members. evaluates: whether there are validation
    rows.
    count: the count of epochs; before its present range are those of a training that this one continues.
    batches: batches per epoch, if a DataLoader makes them; batch_size is then the largest one. ends: the
    updates of each member, if some end earlier than the others.
    optimizer_from: the updates before the optimizer's state was reset to zero. by_steps: whether the length
    was set in steps. orders: the distinct row orders, (seed, rows), if members differ in them; only for rows
    in memory. augmentation: that of training pictures, whose shape is item_shape.
    """

    rows: int
    batch_size: int | None
    steps: int
    schedules: tuple[tuple[str, int], ...]
    shuffle: Shuffle
    data_seed: int
    every: int
    evaluates: bool
    count: EpochCount
    batches: int | None = None
    optimizer_from: int = 0
    by_steps: bool = False
    orders: tuple[tuple[int, int], ...] = ()
    augmentation: Augmentation = NONE
    item_shape: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    @property
    def steps_per_epoch(self) -> int:
        return self.count.steps_per_epoch

    @property
    def last_batch(self) -> int:
        """The rows of an epoch's last batch."""
        size = self.batch_size or self.rows
        return self.rows % size or size

    def chunk(self, first: int, x: Tensor, y: Tensor, batches: "Batches", *own: Any, **named: Any) -> "Chunk":
        """The steps from ``first`` on with these batches. own, named: further fields of ``Chunk``, from
        orders on."""
        factors = self.factors(first, first + len(batches))
        return Chunk(x, y, batches, first, first - self.optimizer_from, factors, *own, **named)

    def factors(self, first: int, stop: int) -> list[list[float]]:
        """The learning-rate factors of each schedule at steps ``first`` to ``stop``."""
        return [
            [self._factor(name, warmup, step) for step in range(first, stop)]
            for name, warmup in self.schedules
        ]

    def _factor(self, name: str, warmup: int, step: int) -> float:
        """The factor at a step. If the length is set in epochs, progress counts epochs, even if they differ
        in steps."""
        if step < warmup or self.by_steps:
            return scale(name, warmup, step, self.steps)
        more = self.count.start_epoch * self.steps_per_epoch - self.count.start_step
        return scale(name, min(warmup, step + more), step + more, self.steps + more)

    def next_evaluation(self, step: int, last: int) -> int:
        """The next end of an epoch after ``step`` that is at least 20 steps after the last evaluation, or the
        end of the training."""
        if not self.evaluates:
            return self.steps
        epoch = self.count.epoch_of(max(step + 1, last + EVALUATION_SPACING))
        return min(self.count.end_of(epoch), self.steps)


Batches = Sequence[Tensor | None]
"""The row numbers of each step's batch; None: all rows."""
ChangesOfSteps = Sequence[Changes]
"""The changes to the pictures of each step's batch; empty: none."""


class BatchIndices:
    """The row numbers of each step's batch, and the changes to their pictures, as functions of (seed, step).
    Caches the present epoch's order.

    order: the order's seed and its number of rows; default: those of the plan.
    """

    def __init__(self, plan: StepPlan, device: torch.device, order: tuple[int, int] | None = None) -> None:
        self.plan, self.device = plan, device
        self.seed, self.rows = order or (plan.data_seed, plan.rows)
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)
        self._split: Batches = [None]

    def __call__(self, first: int, steps: int) -> tuple[list[Tensor | None], list[Changes]]:
        plan = self.plan
        indices: list[Tensor | None] = []
        changes: list[Changes] = []
        if plan.batch_size is None and not plan.augmentation:
            return [None] * steps, changes
        stop = first + steps
        while first < stop:  # one epoch's part at a time
            epoch, place = plan.count.place(first)
            if epoch != self._epoch:
                self._begin(epoch)
            parts = self._split[place : place + stop - first]
            indices += parts
            if plan.augmentation:
                changes += self._changes(epoch, place, [self.rows if p is None else len(p) for p in parts])
            first += len(parts)
        return indices, changes

    def _begin(self, epoch: int) -> None:
        plan, self._epoch = self.plan, epoch
        if plan.batch_size is not None:
            self._order = order(self.rows, self.seed, epoch, plan.shuffle)
            self._split = self._order.to(self.device).split(plan.batch_size)
        elif not len(self._order):
            self._order = torch.arange(self.rows)

    def _changes(self, epoch: int, place: int, sizes: list[int]) -> list[Changes]:
        """Draw the changes of successive batches of an epoch together. place: the first one's number."""
        plan = self.plan
        begin = place * (plan.batch_size or self.rows)
        row_B = self._order[begin : begin + sum(sizes)]
        drawn = plan.augmentation.changes(self.seed, epoch, row_B, self.rows, plan.item_shape)
        return drawn.to(self.device).split(sizes)


# ---- a chunk

EVALUATION_ROWS = 1024  # per forward pass; fixed, as a matrix product's bits may depend on its rows


class MemberGroup(NamedTuple):
    """Members with the same rows in a chunk: their places among members in training; x, y; the batches, and
    the changes to their pictures."""

    places: Tensor
    x: Tensor
    y: Tensor
    batches: Batches
    changes: ChangesOfSteps


@dataclass(frozen=True, eq=False)
class Chunk:
    """The input of S steps: the rows, each step's batch (None: all rows), and the steps' place in the run.

    x: ``[N, D]``, or ``[N, *item_shape]`` for a user's module. y: ``[N]`` int64 or ``[N, K]``.
    first: updates done before the chunk. optimizer_first: updates done since the optimizer's state was zero;
    fewer than ``first`` if the optimizer was changed. factors: one per step, for each of the plan's
    schedules. orders: the batches for each of the plan's orders, if it has several. changes: of pictures,
    for each of the plan's orders, even if there is only one; empty: pictures aren't changed.
    keyframe_steps: the steps of the chunk, from 1, after which the kernel adds a copy of the only member's
    rows to ``keyframe_copies``. weight_GN: the rows' weights in each bag ``[G, N]``, None: each counts 1.
    rows_G: x and y of each bag, if each has its own.
    """

    x: Tensor
    y: Tensor
    batches: Batches
    first: int
    optimizer_first: int
    factors: list[list[float]]
    orders: Sequence[Batches] = ()
    changes: Sequence[ChangesOfSteps] = ()
    weight_GN: Tensor | None = None
    rows_G: Sequence[tuple[Tensor, Tensor]] = ()
    keyframe_steps: frozenset[int] = frozenset()
    keyframe_copies: list[Copies] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return len(self.batches)

    @property
    def stop(self) -> int:
        """The number of updates done after the chunk."""
        return self.first + len(self.batches)

    def part(self, first: int, stop: int) -> "Chunk":
        """The steps from ``first`` to ``stop``, or to the chunk's end."""
        steps = slice(first - self.first, min(stop, self.stop) - self.first)
        return replace(
            self,
            batches=self.batches[steps],
            first=first,
            optimizer_first=self.optimizer_first + steps.start,
            factors=[factor_S[steps] for factor_S in self.factors],
            changes=[changes[steps] for changes in self.changes],
            keyframe_copies=[],
        )

    def groups(self, population: Population, rows: Tensor) -> list[MemberGroup]:
        """Group the members ``rows`` by row order, and by bag if bags have x and y of their own."""
        orders, changes = self.orders or [self.batches], self.changes or [()] * max(1, len(self.orders))
        own = self.rows_G or [(self.x, self.y)]
        if len(orders) == len(own) == 1:
            return [MemberGroup(torch.arange(len(rows)), *own[0], orders[0], changes[0])]
        indices = [
            index_P[rows].tolist() if len(several) > 1 else [0] * len(rows)
            for index_P, several in ((population.order_P, orders), (population.bag_P, own))
        ]
        places: dict[tuple[int, int], list[int]] = {}
        for place, of in enumerate(zip(*indices, strict=True)):
            places.setdefault(of, []).append(place)
        return [
            MemberGroup(torch.tensor(some), *own[bag], orders[order], changes[order])
            for (order, bag), some in places.items()
        ]

    def copy_member(self, population: Population) -> None:
        """Add a copy of the only member's rows to ``keyframe_copies``."""
        self.keyframe_copies.append(population.copies())
