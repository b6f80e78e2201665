"""The training loop: an iterable of ticks that can be steered, saved and loaded. It writes no files."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.engine.bags import Bags
from treino.engine.batch_sources import batch_source
from treino.engine.defaults import usual_net, with_defaults
from treino.engine.devices import torch_context
from treino.engine.early_stopping import RewindPoint, divergence_thresholds, freeze_diverged, mark_hopeless
from treino.engine.ensemble import Answer, Validation, answer_module, answering_members, kept_population
from treino.engine.hyperparameters import changed_values, whole
from treino.engine.inputs import inputs_of
from treino.engine.members import member_module, trained_module
from treino.engine.model import Limits
from treino.engine.optim import OPTIMIZERS, unread
from treino.engine.population import Population
from treino.engine.saved_state import KeyframeBuffer, SavedState, load_state, save_state
from treino.engine.step_plan import Chunk
from treino.engine.templates import NetSource
from treino.engine.tick import Epoch, PopulationView, Tick
from treino.engine.train_config import config_of_keywords
from treino.engine.training_setup import TrainingSetup, set_up
from treino.engine.training_state import (
    DIVERGED,
    FINISHED,
    RUNNING,
    STATUS,
    STOPPED,
    HyperparameterChange,
    TrainingState,
)
from treino.settings.keywords import takes_settings
from treino.settings.spec import OF_ENGINE

TRAINING_OVER = Refusal("This training is over.", "Train a new one.")
WHICH_UNKNOWN = Refusal("{which!r} weights are not kept.", "Use 'kept' or 'last'.")
SET_STEP_PASSED = Refusal(
    "{name} can't be set from step {step} on: {now} are done.", "Use step {now} or later."
)

CHUNK_STEPS = 4096  # limits the memory allocated in advance for a chunk
Look = Callable[[Tensor, Sequence[Epoch]], bool]
REWIND_SECONDS = 0.1  # training to repeat after Ctrl-C, to restore the state before the chunk, at most;
REWIND_SHARE = 0.05  # more if copying the state that often would take more than this share of the time


class TrainingLoop:
    """A training of P networks side by side, made by ``train``. Iterate over it for ticks, or call
    ``advance`` to train for a limited time.

    setup: the fixed parts, including the config. state: the changing parts, as plain data. keyframes: the
    keyframes taken so far. step, epoch: progress so far. steps, steps_per_epoch: the plan. engine, threads:
    the kernel's name and threads.
    layers: (name, kind, in, out, parameters) of every layer. parameters: number per member, without padding.
    loss: its name. reasons: why it was chosen, which values of a metric of the user's are better, and what
    keeps treino's own network from a faster kernel, as sentences or "". loss_function: the loss itself.
    outputs: C. threshold_P: the mean loss of an epoch above which a member counts as diverged.
    """

    def __init__(self, setup: TrainingSetup, state: TrainingState) -> None:
        self.setup, self.state = setup, state
        self.keyframes = KeyframeBuffer()
        self.config, self.model, self.plan = setup.config, setup.model, setup.plan
        self.engine, self.threads = setup.engine, setup.kernel.threads
        self.layers, self.outputs = setup.layers, setup.outputs
        self.reasons = setup.loss_reason, setup.metric_reason, setup.kernel_reason
        self.parameters = sum(p.numel() for p in setup.model.template.parameters())
        plan = setup.plan
        self.steps, self.steps_per_epoch, self.every = plan.steps, plan.steps_per_epoch, plan.every
        self.loss_function = setup.model.loss
        self._source = batch_source(setup.train, setup.plan, setup.model)
        self._rewind = RewindPoint(self._retrain)
        self.threshold_P = divergence_thresholds(setup.model.loss, setup.train, state.population.bag_P)
        self._seconds_per_step = 0.0

    # ---- the loop

    def __iter__(self) -> Iterator[Tick]:
        while not self.done:
            yield self.advance(None)

    def advance(
        self, limit_s: float | None = 0.1, until: int | None = None, look: Look | None = None
    ) -> Tick:
        """Train for about ``limit_s`` seconds (None: no limit), at most to the tick's end or step ``until``.

        Takes at least one step. How a training is divided into calls changes no bit of its result. look:
        called with the losses ``[S, P]`` of some steps, at each evaluation or more often, and the epochs that
        ended within them; if it returns True, the tick ends there.
        """
        if self.done:
            raise TRAINING_OVER()
        state, start = self.state, time.perf_counter()
        end = min(state.step - state.step % self.every + self.every, self.steps)
        if until is not None:
            end = min(end, max(until, state.step + 1))
        losses: list[Tensor] = []
        epochs: list[Epoch] = []
        while state.step < end and not self.done:
            begin = time.perf_counter()
            left = None if limit_s is None else limit_s - (begin - start)
            if losses and left is not None and left <= 0:
                break
            self._apply_changes()
            self._end_members()  # those of 0 epochs
            chunk = self._next_chunk(min(end, state.step + self._steps_in(left)))
            loss_SP, counted_SP = self._train_chunk(chunk)
            trained = time.perf_counter()
            self.keyframes.add(state, chunk, evaluated=False)
            means = state.epoch_loss.add(counted_SP, self.steps_per_epoch, self.done)
            report = self._evaluate(chunk)
            ended = self._ended_epochs(chunk, means, report, (begin, trained))
            epochs += ended
            self._end_members()
            self.keyframes.add(state, chunk, evaluated=True)
            self._seconds_per_step = (trained - begin) / len(loss_SP)
            losses.append(loss_SP)
            if look is not None and look(loss_SP, ended):
                break
        together = self.config.shared.ensemble > 1
        return Tick(
            state.step, self.epoch, torch.cat(losses), epochs, self.status_P, self.population, together
        )

    def _apply_changes(self) -> None:
        """Apply pending changes of hyper-parameters whose step has come."""
        state = self.state
        due = [change for change in state.pending if change.step <= state.step]
        for change in due:
            state.population.hp[change.name].copy_(torch.tensor(change.value, dtype=torch.float64))
            state.pending.remove(change)
        if due:
            self.restart_patience(state.step)
            self._rewind.forget()
            self.keyframes.hp = {}

    def _steps_in(self, seconds: float | None) -> int:
        if seconds is None:
            return CHUNK_STEPS
        if not self._seconds_per_step:
            return 1
        return max(1, min(CHUNK_STEPS, int(seconds / self._seconds_per_step)))

    def _next_chunk(self, stop: int) -> Chunk:
        """The next steps, at most up to ``stop``; fewer if an evaluation, a keyframe or a change of
        hyper-parameters is due earlier, or if fewer rows have been read."""
        state = self.state
        changes = [change.step for change in state.pending if change.step > state.step]
        changes += [end for end in self.plan.ends if end > state.step]
        if (border := self.keyframes.border(state)) is not None:
            changes.append(border)
        chunk = self._source.take(state.step, min([stop, self._next_evaluation(state.step), *changes]))
        due = self.keyframes.due(state, chunk.first, chunk.stop)
        return replace(chunk, keyframe_steps=due) if due else chunk

    def _next_evaluation(self, step: int) -> int:
        return self.plan.next_evaluation(step, self.state.evaluated_step)

    def _train_chunk(self, chunk: Chunk) -> tuple[Tensor, Tensor]:
        """Run the chunk's steps, and reset members that diverge to their last good update.

        Returns the losses ``[S, P]``, NaN for members that don't train, and a copy without the losses of
        undone updates, for the epoch means.
        """
        state, first, members = self.state, chunk.first, self.state.running
        population = state.population
        seconds = max(REWIND_SECONDS, self._rewind.seconds / REWIND_SHARE)
        oldest = min(self._source.rewind_steps, self._steps_in(seconds))
        self._rewind.remember(population, members, first, oldest)
        try:
            with torch_context(self.setup.kernel.intra_op_threads):
                loss_SR = self.setup.kernel.run(population, members, chunk)
                # one sum is fifty times cheaper than isfinite of every number
                finite = math.isfinite(float(loss_SR.sum() + population.params.sum()))
                loss_SR = loss_SR.cpu()
                if not finite:
                    freeze_diverged(state, self._rewind, loss_SR, members, first)
        except BaseException:  # after Ctrl-C or without memory: restore the state before the chunk
            population.put(members, self._rewind.members(slice(None), first))
            raise
        stop = chunk.stop
        if not len(state.running):  # all ended within the chunk: the result must not depend on its length
            stop = int(state.stop_step_P[members].max()) + 1
        state.step = stop
        loss_SP = torch.full((stop - first, len(population)), torch.nan, dtype=loss_SR.dtype)
        loss_SP[:, members] = loss_SR[: stop - first]
        lost = members[state.status_P[members] == DIVERGED]
        counted_SP = loss_SP.clone() if len(lost) else loss_SP
        counted_SP[state.stop_step_P[lost] - first, lost] = torch.nan
        return loss_SP.float(), counted_SP

    def _retrain(self, population: Population, first: int, stop: int) -> None:
        """Train a copy of some members again from step ``first`` to ``stop``."""
        with torch_context(self.setup.kernel.intra_op_threads):
            self.setup.kernel.run(population, torch.arange(len(population)), self._source.take(first, stop))

    def _evaluate(self, chunk: Chunk) -> dict[str, Any]:
        """If an evaluation is due after the chunk, measure the running members, keep the best weights, and
        stop members whose patience has run out. Return its fields of ``Epoch``; {} if none is due."""
        state, validation, stopping = self.state, self.setup.validation, self.setup.early_stopping
        due = self.done or state.step == self._next_evaluation(chunk.first)
        if validation is None or not due or not len(state.running):
            return {}
        begin = time.perf_counter()
        known: dict[int, Answer] = {}
        together = self.config.shared.ensemble > 1
        figures, deviation = validation.measure(state.population, state.running, known if together else None)
        state.evaluated_step = state.step
        stopping.update(state.best, state.population, figures[stopping.metric], state.step)
        if state.step < self.steps:  # at the end of the training no member is stopped early
            over_P = stopping.out_of_patience(state.best, self.plan, state.step, state.changed_step)
            state.end((over_P & (state.status_P == RUNNING)).nonzero().flatten(), STOPPED, state.step)
        answer = answers = None
        if together:
            with torch_context(self.setup.kernel.intra_op_threads):
                joint = self._joint(validation, known)
                each = validation.figures(joint, len(self.ensembles), {})
                answers = {"validation": {name: value_E.float() for name, value_E in each.items()}}
                if len(self.ensembles) == 1:
                    answer = {name: float(value_E[0]) for name, value_E in each.items()}
                    deviation = validation.deviation(joint[0])
        elif len(state.population) == 1:
            answer = {name: float(value_P[0]) for name, value_P in figures.items()}
        return {
            "evaluation": {"validation": figures},
            "answer": None if answer is None else {"validation": answer},
            "answers": answers,
            "validation_std": deviation,
            "evaluation_seconds": time.perf_counter() - begin,
        }

    def _joint(self, validation: Validation, known: dict[int, Answer]) -> dict[int, Answer]:
        """The answers of the ensembles, by place, that trained until now. known: of the members measured."""
        answering = {
            place: self.answering_of(rows)
            for place, rows in enumerate(self.ensembles)
            if not known.keys().isdisjoint(rows)
        }
        more = [member for members in answering.values() for member in members if member not in known]
        for part in torch.tensor(more, dtype=torch.int64).split(validation.at_once) if more else ():
            known |= validation.answers(self.state.population, part)
        return {
            place: validation.joint([known[member] for member in members], self.limits_of(members[0]))
            for place, members in answering.items()
        }

    def _ended_epochs(
        self,
        chunk: Chunk,
        means: tuple[Tensor, Tensor],
        report: dict[str, Any],
        span: tuple[float, float],
    ) -> list[Epoch]:
        """The epochs that ended within a chunk. means: means and standard deviations ``[E, P]`` of their
        losses. report: from ``_evaluate``. span: ``time.perf_counter()`` at the chunk's start and end."""
        first, stop, count = chunk.first, self.state.step, self.plan.count
        begin, end = span
        epochs: list[Epoch] = []
        for mean_P, std_P in zip(means[0].unbind(0), means[1].unbind(0), strict=True):
            number = count.epoch_of(first + 1) + len(epochs)
            border = min(stop, count.end_of(number))
            when = begin + (end - begin) * (border - first) / (stop - first)
            measured = report if border == stop else {}
            epochs.append(Epoch(number, border, mean_P, std_P, when, **measured))
        return epochs

    def _end_members(self) -> None:
        """End all members after their last planned step; mark ended ones with a hopeless loss as diverged."""
        state = self.state
        if self.plan.ends:
            over_P = torch.tensor(self.plan.ends) <= state.step
            state.end((over_P & (state.status_P == RUNNING)).nonzero().flatten(), FINISHED, state.step)
        if state.step >= self.steps:
            state.end(state.running, FINISHED, state.step)
        mark_hopeless(state, self.threshold_P)

    # ---- properties for users

    @property
    def step(self) -> int:
        return self.state.step

    @property
    def loss(self) -> str:
        return self.loss_function.name

    @property
    def epoch(self) -> float:
        """Passes over the training rows so far; a whole number at an epoch's end."""
        return self.plan.count.passes(self.state.step)

    @property
    def done(self) -> bool:
        return self.state.step >= self.steps or not len(self.state.running)

    @property
    def status_P(self) -> tuple[str, ...]:
        return tuple(STATUS[s] for s in self.state.status_P.tolist())

    @property
    def population(self) -> PopulationView:
        return PopulationView(self.setup, self.state)

    @property
    def last_step_P(self) -> Tensor:
        """``[P]`` int64: each member's updates; for a diverged one, the updates up to its last finite
        weights."""
        return self.state.last_step_P

    @property
    def kept_step_P(self) -> Tensor:
        """``[P]`` int64: the step of the kept weights, which ``net`` returns."""
        return self.state.kept_step_P

    @property
    def kept_epoch_P(self) -> Tensor:
        """``[P]`` int64: the epoch of the kept weights; 0 if no epoch was completed."""
        step_P, count = self.kept_step_P, self.plan.count
        whole_P = (step_P == self.steps) | self.state.best.chosen_P
        ended_P = torch.tensor([count.ended(step) for step in step_P.tolist()])
        return torch.where(whole_P, count.epochs_of(step_P), ended_P)

    @property
    def best_P(self) -> Tensor:
        """``[P]`` float64: each member's best validation value of ``metric``; infinite before any."""
        return self.state.best.metric_P.clone()

    @property
    def answering(self) -> list[int]:
        """The members that predict: the members chosen for the ensemble so far, the best first, or the only
        one."""
        s = self.config.shared
        return answering_members(self.model, self.state, s) if s.ensemble > 1 else [0]

    @property
    def answering_steps(self) -> list[int]:
        """The steps whose weights of the answering members are kept."""
        return self.kept_step_P[self.answering].tolist()

    @property
    def ensembles(self) -> list[range]:
        """The members of each ensemble; several ensembles may train side by side. A single network is one."""
        size = self.config.shared.ensemble
        return [range(first, first + size) for first in range(0, len(self.state.population), size)]

    def answering_of(self, members: Sequence[int]) -> list[int]:
        """Return which of an ensemble's members predict, the best first."""
        if len(members) == 1:
            return [*members]
        return answering_members(self.model, self.state, self.config.shared, members)

    def limits_of(self, member: int) -> Limits | None:
        """The range to which the predictions of a member's ensemble are clipped."""
        return self.setup.limits(int(self.state.population.bag_P[member]))

    @property
    def waited(self) -> float:
        """Seconds spent waiting for rows from disk or from a Dataset."""
        return self._source.waited

    def kept_population(self, members: Sequence[int]) -> Population:
        """Copies of these members with their kept weights, which ``net`` returns."""
        return kept_population(self.state, members)

    def answers(self, population: Population, x: Tensor) -> Tensor:
        """``[R, N, C]``: outputs of a result of ``kept_population`` on prepared rows ``[N, D]``."""
        kernel, rows = self.setup.kernel, torch.arange(len(population))
        with torch_context(kernel.intra_op_threads):
            return kernel.outputs(population, rows, x.to(self.model.device, self.model.dtype)).cpu()

    def answer(self, which: str = "kept", members: Sequence[int] | None = None) -> nn.Module:
        """The single network or the ensemble as a plain module. which: as in ``net``. members: those of one
        of several ensembles; None: all members."""
        limits = None if members is None else self.limits_of(members[0])
        best = self._uses_best(which)
        return answer_module(
            self.model, self.config, self.state, best_weights=best, members=members, limits=limits
        )

    def net(self, member: int = 0, which: str = "kept") -> nn.Module:
        """A copy of a member as a plain module in evaluation mode on the CPU. which: ``kept`` or ``last``
        weights."""
        best = self.state.best if self._uses_best(which) else None
        return member_module(self.model, self.state.population, member, best)

    @staticmethod
    def _uses_best(which: str) -> bool:
        if which not in ("kept", "last"):
            raise WHICH_UNKNOWN(which=which)
        return which == "kept"

    def trained_net(self, member: int = 0) -> tuple[nn.Module, Tensor | None]:
        """Return ``net(member, "last")`` with the weights that the optimizer updates: no running averages,
        and gates not multiplied in. Returns also the gates' factors ``[D]``, None without gates."""
        return trained_module(self.model, self.state.population, member)

    # ---- steering

    @cached_property
    def steerable(self) -> tuple[str, ...]:
        """The hyper-parameters that have an effect in this training, for ``set``; the numbers that an
        optimizer of the user's own alone has are among them."""
        net, own = self.model.net, OPTIMIZERS[self.model.optimizer].own
        reads = None if own is None else own.defaults(self.model.template)[0]
        idle = unread(self.model.optimizer, reads)
        if net is None or not net.drops:
            idle.append("dropout")
        if not self.model.averages:
            idle.append("ema")
        return tuple(name for name in self.state.population.hp if name not in idle)

    def set(self, name: str, value: Any, step: int | None = None) -> None:
        """Change a hyper-parameter after ``step`` updates; update number ``step`` + 1 is the first to use it.

        name: lr, weight_decay, momentum, betas (or beta1, beta2), eps, clip, dropout or ema, or a number that
        an optimizer of your own has among its defaults. value: one number, or one per member; for betas a
        pair of these. step: default: the present one.

        Raises:
            TreinoError: an unknown name, a value out of range, or a step that has passed.
        """
        at = self.step if step is None else whole("step", step, 0, text="step")
        if at < self.step:
            raise SET_STEP_PASSED(name=name, step=at, now=self.step)
        model, members = self.model, len(self.state.population)
        values = changed_values(name, value, members, model.optimizer, self.steerable)
        of_P = {each: tuple(value_P.tolist()) for each, value_P in values.items()}
        if (own := OPTIMIZERS[model.optimizer].own) is not None:
            for row in set(zip(*of_P.values(), strict=True)):
                own.try_change(model.template, dict(zip(of_P, row, strict=True)))
        self.state.pending += [HyperparameterChange(at, each, value_P) for each, value_P in of_P.items()]

    def restart_patience(self, step: int) -> None:
        """Count patience from this step on, because a setting changed there."""
        self.state.changed_step = max(self.state.changed_step, step)

    def stop(self, members: Sequence[int]) -> None:
        """Stop training these members.

        Members that have already ended stay unchanged.
        """
        rows = torch.tensor(list(members), dtype=torch.int64)
        self.state.end(rows[self.state.status_P[rows] == RUNNING], STOPPED, self.step)

    def save(self) -> SavedState:
        """The complete state, to continue bit for bit: tensors (copies on the CPU) and JSON values."""
        return save_state(self.setup, self.state)

    def load(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        """Load the result of ``save`` into a training made with the same arguments.

        Raises:
            TreinoError: the state was saved by a different training.
        """
        load_state(self.setup, self.state, tensors, meta)
        self._rewind.forget()

    def put(self, members: list[int], tensors: Mapping[str, Tensor]) -> None:
        """Overwrite these members with the saved state of a training of only these members."""
        self.state.put(members, tensors)
        self._rewind.forget()


@takes_settings(OF_ENGINE, device="cpu")
def train(
    data: Any,
    net: NetSource | None = None,
    *,
    seeds: int | Sequence[int] | None = None,
    every: int | None = None,
    dtype: torch.dtype = torch.float32,
    bags: Bags | None = None,
    **settings: Any,
) -> TrainingLoop:
    """Train one network, or one per seed side by side; the training runs while you iterate over the result.

    data: what ``treino.load`` returns; or a pair of tensors, arrays or nested lists (x ``[N, ...]``, y
    ``[N]`` class numbers or ``[N, K]`` values), or two such pairs, for training and validation; or your own
    Dataset or DataLoader (its batches are then the steps).
    net: ``mlp(...)``, ``cnn(...)``, an ``nn.Module``, or a class or function that makes one; default
    ``mlp(64, 32)``, for images ``mlp(128, 128)``.

    settings: see docs/settings.md under "Loss and optimizer", "Training loop" and "Machine", with ``init``,
    ``ensemble`` and ``clip_target``. Here the default device is the CPU and the default patience 0.
    seeds: one per member, for initialisation and dropout. lr, momentum, betas, eps, weight_decay, clip, ema,
    schedule, warmup and the dropout of ``mlp`` and ``cnn`` may then be lists with one value per member.
    every: steps per tick; default an epoch, at least 10. dtype: torch.float32 or torch.float64. bags: weights
    of the rows, different for each member or the same for all; they multiply the data's own weights.

    Raises:
        TreinoError: an argument is unknown or out of range, or contradicts another or the data.
    """
    config, inputs = config_of_keywords(settings, seeds, every, dtype), inputs_of(data, dtype)
    net = usual_net(inputs) if net is None else net
    return TrainingLoop(*set_up(inputs, net, with_defaults(config, net, inputs), bags=bags))
