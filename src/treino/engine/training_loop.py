"""Training: an iterable of ticks that can be steered, saved and loaded. It writes nothing to disk."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from treino.engine.batch_sources import KernelRows, StepRows, batch_source, outputs_on
from treino.engine.divergence import Replay, diverged
from treino.engine.early_stopping import Best
from treino.engine.kernels import Kernel
from treino.engine.keyframes import KeyframeBuffer
from treino.engine.losses import Loss
from treino.engine.metrics import batch_deviation, measure
from treino.engine.net_state import load_buffers
from treino.engine.population import Population
from treino.engine.saved_state import load, save
from treino.engine.shared_config import Chunk, SharedConfig
from treino.engine.step_plan import EpochLoss, StepPlan
from treino.engine.tick import Epoch, Evaluation, PopulationView, Tick
from treino.engine.torch_context import torch_context
from treino.engine.user_module import LayerRow, module_copy
from treino.engine.value_checks import hyperparameter, whole
from treino.errors import TreinoError
from treino.words import N_, _

STATUS = (N_("running"), N_("finished"), N_("stopped"), N_("diverged"))
RUNNING, FINISHED, STOPPED, DIVERGED = range(4)
CHUNK_STEPS = 4096  # bounds what a chunk lays out beforehand
EVALUATED_AT_ONCE = 4_000_000  # outputs
DIVERGED_FACTOR = 10
CONSTANT_LEAST = 1e-12  # a loss below: the target has one value, and ten times nothing is no yardstick


@dataclass(frozen=True)
class Command:
    """A hyper-parameter from a step on: value is one number for each member."""

    step: int
    name: str
    value: tuple[float, ...]


class Training:
    """Made by ``train``. Iterate for ticks, or call ``advance`` for at most so much time.

    step, epoch: done so far. steps, steps_per_epoch: planned. engine, threads: the kernel's identity.
    layers: (name, kind, in, out, parameters) of every layer. parameters: of one member, without padding.
    loss, loss_reason: the loss's name and why; loss_function: it as a function. outputs: C.
    """

    def __init__(
        self,
        shared: SharedConfig,
        kernel: Kernel,
        engine: str,
        population: Population,
        plan: StepPlan,
        train: KernelRows,
        validation: KernelRows | None,
        *,
        scale: float,
        layers: list[LayerRow],
        loss_reason: str,
        outputs: int,
    ) -> None:
        self.shared, self.plan, self.engine, self.threads = shared, plan, engine, kernel.threads
        self.layers, self.loss_reason, self.outputs = layers, loss_reason, outputs
        self.parameters = sum(p.numel() for p in shared.template.parameters())
        self.steps, self.steps_per_epoch, self.every = plan.steps, plan.steps_per_epoch, plan.every
        self.loss_function: Loss = shared.loss
        self._kernel, self._population, self._train, self._validation = kernel, population, train, validation
        self._scale, self._feed = scale, batch_source(train, plan, shared)
        constant = shared.loss.best_constant(train.y)
        self._too_bad = DIVERGED_FACTOR * constant if constant > CONSTANT_LEAST else math.inf
        P = len(population)
        self.step = 0
        self._evaluated = 0  # the step of the last evaluation
        self._status_P = torch.zeros(P, dtype=torch.int64)
        self._stop_step_P = torch.zeros(P, dtype=torch.int64)
        self._best = Best(plan, population)
        self._epoch_loss = EpochLoss(P)
        self._pending: list[Command] = []
        self._active = torch.arange(P)
        self._replay = Replay(self._play)
        self.album = KeyframeBuffer()
        self._seconds_per_step = 0.0

    # ---- what it looks like from outside

    @property
    def loss(self) -> str:
        return self.loss_function.name

    @property
    def epoch(self) -> float:
        """Passes done: a whole number at an epoch's end."""
        return self.plan.passes(self.step)

    @property
    def done(self) -> bool:
        return self.step >= self.steps or not len(self._active)

    @property
    def status_P(self) -> tuple[str, ...]:
        return tuple(STATUS[s] for s in self._status_P.tolist())

    @property
    def population(self) -> PopulationView:
        return PopulationView(self, self.step)

    @property
    def last_step_P(self) -> Tensor:
        """``[P]`` int64: each member's updates; of a diverged one, those that are kept."""
        return torch.where(self._status_P == RUNNING, self.step, self._stop_step_P)

    @property
    def kept_step_P(self) -> Tensor:
        """``[P]`` int64: the step whose weights ``net`` gives."""
        return torch.where(self._best.kept(), self._best.step_P, self.last_step_P)

    @property
    def kept_epoch_P(self) -> Tensor:
        """``[P]`` int64: the number of the epoch whose weights are kept; 0: none was finished."""
        step_P, per = self.kept_step_P, self.steps_per_epoch
        whole = (step_P == self.steps) | self._best.kept()
        return torch.where(whole, -(-step_P // per), step_P // per)

    @property
    def best_P(self) -> Tensor:
        """``[P]`` float64: each member's best validation figure so far by ``metric``; infinite before one."""
        return self._best.metric_P.clone()

    def kept(self, members: Sequence[int]) -> Population:
        """Copies of these members with the weights that ``net`` gives."""
        chosen = self._population.rows(list(members))
        place = self._best.kept()[list(members)]
        if bool(place.any()):
            rows = torch.tensor(list(members))[place]
            chosen.params[place] = self._best.params[rows]
            chosen.buffers[place] = self._best.buffers[rows]
        return chosen

    def answers(self, population: Population, x: Tensor) -> Tensor:
        """``[R, N, C]``: what these members, from ``kept``, answer on prepared rows ``[N, D]``."""
        rows = torch.arange(len(population))
        with torch_context(self._kernel.intra_op):
            return self._kernel.outputs(population, rows, x.to(self.shared.device, self.shared.dtype)).cpu()

    def net(self, member: int = 0, which: str = "kept") -> nn.Module:
        """A plain module, a copy in evaluation mode on the CPU; which: ``kept`` or ``last`` weights."""
        if whole("member", member, 0) >= len(self._population):
            raise TreinoError(
                "member_range",
                _("There is no member {member}; there are {n}.").format(
                    member=member, n=len(self._population)
                ),
                _("Members count from 0."),
            )
        if which not in ("kept", "last"):
            raise TreinoError(
                "which_unknown",
                _("{which!r} weights are not kept.").format(which=which),
                _("Use 'kept' or 'last'."),
            )
        params, buffers = self._population.params, self._population.buffers
        if which == "kept" and bool(self._best.kept()[member]):
            params, buffers = self._best.params, self._best.buffers
        return self._module(member, params[member], buffers[member])

    def _module(self, member: int, params: Tensor, buffers: Tensor) -> nn.Module:
        module = module_copy(self.shared.template)
        named = self.shared.layout.named(params)
        with torch.no_grad():
            for name, p in module.named_parameters():
                if name in named:
                    p.copy_(named[name])
            load_buffers(module, self.shared.buffer_layout, buffers)
        if self.shared.net is not None:
            rate, first = float(self._population.hp["dropout"][member]), self.shared.net.dropout
            if isinstance(first, tuple) and not rate and not first[member % len(first)]:
                # trained alone it has no such layers, and its weights are named by their places
                module = nn.Sequential(*(m for m in module.children() if not isinstance(m, nn.Dropout)))
            for layer in module.modules():
                if isinstance(layer, nn.Dropout):
                    layer.p = rate
        return module.cpu().eval()

    @property
    def waited(self) -> float:
        """Seconds that it stood still for rows that were not in memory yet."""
        return self._feed.waited

    # ---- steering

    def set(self, name: str, value: float | Sequence[float], step: int | None = None) -> None:
        """Change a hyper-parameter from a step on: the first update that feels it is number ``step`` + 1.

        name: lr, weight_decay, momentum, beta1, beta2, eps, clip or dropout. value: one number, or one per
        member. step: default now.

        Raises:
            TreinoError: an unknown name, a value out of range, a step that has passed.
        """
        at = self.step if step is None else whole("step", step, 0)
        if at < self.step:
            raise TreinoError(
                "set_step_passed",
                _("{name} can't be set from step {step} on: {now} are done.").format(
                    name=name, step=at, now=self.step
                ),
                _("Use step {now} or later.").format(now=self.step),
            )
        value_P = hyperparameter(name, value, len(self._population), self.shared)
        self._pending.append(Command(at, name, tuple(value_P.tolist())))

    def stop(self, members: Sequence[int]) -> None:
        """These members train no further; the others go on side by side without their places.

        A member that has ended already stays as it is.
        """
        rows = torch.tensor(list(members), dtype=torch.int64)
        self._stop(rows[self._status_P[rows] == RUNNING], STOPPED, self.step)

    def _obey(self) -> None:
        due = [c for c in self._pending if c.step <= self.step]
        for command in due:
            self._population.hp[command.name].copy_(torch.tensor(command.value, dtype=torch.float64))
            self._pending.remove(command)
        if due:
            self._replay.forget()
            self.album.obeyed()

    # ---- going on

    def __iter__(self) -> Iterator[Tick]:
        while not self.done:
            yield self._tick(self.step - self.step % self.every + self.every, None)

    def advance(self, limit_s: float | None = 0.1, until: int | None = None) -> Tick:
        """Train for about ``limit_s`` seconds (None: no limit), to the tick's end or to step ``until``.

        At least one step is taken. How a training is cut into chunks never changes a bit of it.
        """
        if self.done:
            raise TreinoError("training_over", _("This training is over."), _("Train a new one."))
        end = self.step - self.step % self.every + self.every
        if until is not None:
            end = min(end, max(until, self.step + 1))
        return self._tick(end, limit_s)

    def _tick(self, end: int, limit_s: float | None) -> Tick:
        end, begin = min(end, self.steps), time.perf_counter()
        losses: list[Tensor] = []
        epochs: list[Epoch] = []
        while self.step < end and len(self._active):
            left = None if limit_s is None else limit_s - (time.perf_counter() - begin)
            if losses and left is not None and left <= 0:
                break
            stop = min(end, self.step + self._steps_in(left))
            loss_SP, more = self._chunk(stop)
            losses.append(loss_SP)
            epochs += more
        status_P = self.status_P
        epoch = self.plan.passes(self.step)
        return Tick(self.step, epoch, torch.cat(losses), epochs, status_P, PopulationView(self, self.step))

    def _steps_in(self, seconds: float | None) -> int:
        if seconds is None:
            return CHUNK_STEPS
        if not self._seconds_per_step:
            return 1
        return max(1, min(CHUNK_STEPS, int(seconds / self._seconds_per_step)))

    def _chunk(self, stop: int) -> tuple[Tensor, list[Epoch]]:
        """Steps up to ``stop`` at most, ending where something is due; -> losses ``[S, P]``, epochs ended."""
        self._obey()
        due = self.plan.next_evaluation(self.step, self._evaluated)
        stop = min([stop, due, *(c.step for c in self._pending if c.step > self.step)])
        first, rows, begin = self.step, self._active, time.perf_counter()
        part = self._feed.take(first, stop)
        stop = part.stop
        self._replay.remember(self._population, rows, first, self._feed.replay)
        try:
            with torch_context(self._kernel.intra_op):
                chunk = self._work(first, part, self.album.keyframe_steps(first, stop))
                loss_SR = self._kernel.run(self._population, rows, chunk)
                # a sum is fifty times cheaper than looking at every number
                fine = math.isfinite(float(loss_SR.sum() + self._population.params.sum()))
                loss_SR = loss_SR.cpu()
                if not fine:
                    self._bury(loss_SR, rows, first)
        except BaseException:  # Ctrl-C, no memory: be again what the chunk began with
            self._population.put(rows, self._replay.members(slice(None), first))
            raise
        if not len(self._active):  # how long the chunk would have gone on must not show
            stop = int(self._stop_step_P[rows].max()) + 1
        loss_SP = torch.full((stop - first, len(self._population)), torch.nan, dtype=loss_SR.dtype)
        loss_SP[:, rows] = loss_SR[: stop - first]
        self.step = stop
        ended = time.perf_counter()
        self._seconds_per_step = (ended - begin) / (stop - first)
        lost = rows[self._status_P[rows] == DIVERGED]
        kept_SP = loss_SP.clone() if len(lost) else loss_SP
        kept_SP[self._stop_step_P[lost] - first, lost] = torch.nan  # an epoch with such a step has no mean
        with self.album.of_chunk(self, chunk, int(self._stop_step_P[0]) if len(lost) else stop):
            epochs = self._borders(kept_SP, first, begin, ended, stop == due)
        return loss_SP.float(), epochs

    def _work(self, first: int, part: StepRows, keyframe_steps: frozenset[int] = frozenset()) -> Chunk:
        return Chunk(part.x, part.y, part.batches, first, self.plan.factors(first, part.stop), keyframe_steps)

    def _play(self, population: Population, first: int, stop: int) -> None:
        with torch_context(self._kernel.intra_op):
            chunk = self._work(first, self._feed.take(first, stop))
            self._kernel.run(population, torch.arange(len(population)), chunk)

    def _bury(self, loss_SR: Tensor, rows: Tensor, first: int) -> None:
        """Put each diverged member back to its last update that left all its parameters finite."""
        place = rows.to(self.shared.device)
        for member, latest in diverged(loss_SR, self._population.params[place]):
            step, again = self._replay.last_good(member, first, first + latest)
            self._population.put(rows[member : member + 1], again)
            loss_SR[step - first + 1 :, member] = torch.nan
            self._stop(rows[member : member + 1], DIVERGED, step)

    def _stop(self, rows: Tensor, status: int, step: int) -> None:
        self._status_P[rows] = status
        self._stop_step_P[rows] = step
        self._active = (self._status_P == RUNNING).nonzero().flatten()

    # ---- ends of epochs

    def _borders(self, loss_SP: Tensor, first: int, begin: float, ended: float, due: bool) -> list[Epoch]:
        """Sum the losses up, make an Epoch of each that ended, evaluate at the last where it is due."""
        per, stop = self.steps_per_epoch, self.step
        over = stop == self.steps or not len(self._active)
        mean_EP, std_EP = self._epoch_loss.add(loss_SP, per, over)
        evaluation, deviation, seconds = None, None, 0.0
        if (due or over) and self._validation is not None and len(self._active):
            evaluation, deviation = self._evaluate()
            seconds = time.perf_counter() - ended
        epochs: list[Epoch] = []
        for mean_P, std_P in zip(mean_EP.unbind(0), std_EP.unbind(0), strict=True):
            border = min(stop, (first // per + 1 + len(epochs)) * per)
            when = begin + (ended - begin) * (border - first) / (stop - first)
            at_border = (evaluation, deviation, when, seconds) if border == stop else (None, None, when, 0.0)
            epochs.append(Epoch(self.plan.epoch_of(border), border, mean_P, std_P, *at_border))
        if self.step >= self.steps:
            self._stop(self._active, FINISHED, self.step)
        stopped_P = self._status_P != RUNNING
        if bool(stopped_P.any()):  # a constant output would have done ten times better
            self._status_P[stopped_P & (self._epoch_loss.last > self._too_bad)] = DIVERGED
        return epochs

    def _evaluate(self) -> tuple[Evaluation, float | None]:
        """Measure the active members on validation rows, keep the best, stop those out of patience; -> the
        figures, and of one member alone the deviation of its loss."""
        assert self._validation is not None
        P, rows = len(self._population), self._active
        size = max(1, EVALUATED_AT_ONCE // (len(self._validation.x) * self.outputs))
        found: dict[str, Tensor] = {}
        deviation = None
        with torch_context(self._kernel.intra_op):
            for part in rows.split(size):
                output_RNC, y_N = outputs_on(
                    self._kernel, self._population, part, self._validation, self.shared
                )
                for name, value_R in measure(output_RNC, y_N, self.loss_function, self._scale).items():
                    found.setdefault(name, torch.full((P,), torch.nan, dtype=torch.float64))[part] = value_R
            if P == 1:
                deviation = batch_deviation(output_RNC[0], y_N, self.loss_function, self.plan.batch_size)
        self._evaluated = self.step
        self._best.update(self._population, found[self.plan.metric], self.step)
        if self.step < self.steps:  # at the very end nothing is cut short
            tired_P = self._best.tired(self.step) & (self._status_P == RUNNING)
            self._stop(tired_P.nonzero().flatten(), STOPPED, self.step)
        return {"validation": found}, deviation

    # ---- saving

    def _state(self) -> dict[str, Tensor]:
        best = {f"best.{name}": t for name, t in self._best.tensors().items()}
        epoch = {"epoch.sums": self._epoch_loss.sums, "epoch.last": self._epoch_loss.last}
        return (
            self._population.tensors()
            | best
            | epoch
            | {"status": self._status_P, "stop_step": self._stop_step_P}
        )

    def save(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that going on bit for bit needs: copies on the CPU, and what JSON can hold."""
        return save(self)

    def load(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        """Go on from what ``save`` gave, in a training made with the same arguments.

        Raises:
            TreinoError: it was saved by another training.
        """
        self._pending = [
            Command(step, name, tuple(values)) for step, name, values in load(self, tensors, meta)
        ]
        self._active = (self._status_P == RUNNING).nonzero().flatten()
        self._replay.forget()
