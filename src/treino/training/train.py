"""The training of one run: from reading the data to the sealed folder, as a stream of events.

``train_events`` and ``resuming`` prepare a ``RunJob`` and yield the events of the loop that drives it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.data import BUILTINS
from treino.data.dataset import Data, in_memory
from treino.data.documents import DataSource
from treino.data.preparation.preparation import Preparation
from treino.data.rows import is_stream
from treino.engine import Tick, TrainingLoop
from treino.engine.defaults import with_net
from treino.engine.hyperparameters import single_values
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.net_state import whole_state
from treino.engine.step_plan import EVALUATION_SPACING
from treino.engine.tick import Epoch
from treino.engine.training_loop import Look
from treino.engine.training_setup import warm_start
from treino.folders.access import Access
from treino.folders.data_source import (
    ALL_ROWS,
    all_rows,
    data_of,
    keep_copy,
    load_data,
    prepared_beside,
    reference,
)
from treino.folders.documents.reading import read_checkpoint, read_run_spec
from treino.folders.documents.run_spec import RunSpec
from treino.folders.network_source import NETWORK_COPY
from treino.folders.own_code import write_own_code
from treino.folders.run_records import losses_of, member_rows
from treino.folders.store import Change, Command, RunFolder
from treino.folders.stored_folder import as_typed, machine, unfinished, versions
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import Timeline, newest
from treino.folders.user_network import NetworkFiles, file_of, network_maker, network_of
from treino.folders.weights import ANSWERS, answers_of
from treino.settings.network_call import NetworkCall
from treino.settings.spec import Settings
from treino.training.choices import limit_message
from treino.training.commands import PLAYBACK, LiveView, PlayControl
from treino.training.completion import Times, finish, run_facts, shape_entries
from treino.training.likeness import check_weights
from treino.training.loop import Job, JobEvent, events, last_event, status_at_end
from treino.training.resolution import Resolution, refit_settings, resolve, train_config
from treino.training.stored_training import (
    PAST_LIMIT,
    START,
    cut_keyframes,
    keep_keyframes,
    kept_state,
    name_of,
    obey_again,
    rebuilt,
    resumption_facts,
    user_data,
    user_data_reference,
    write_keyframes,
)

WEIGHTS_OF_ENSEMBLE = Refusal(
    "[[weights]] begins one network, and [[ensemble]] trains several, which would begin alike.",
    "Leave one of them out.",
)
DATA_KEPT = Refusal("{run} has its rows already: they are kept with it, or in a file.", "Leave the data out.")
REFIT_NOTHING = Refusal(
    "[[refit]] trains on all rows, and of {name} none was held back to add.", "Leave it out."
)
SET_STEP_PAST_END = Refusal(
    "{name} can't be set from step {step} on: the training ends after {steps}.", "Use a step before that."
)

CHUNK_SECONDS = 0.1
CHECKPOINT_SECONDS = 2.0
Check = Callable[[Data, Resolution], None]


@dataclass(frozen=True, eq=False)
class Start:
    """Initial weights, in the form of ``Run.state``, the name of their run or network, and the preparation of
    the rows that they were learnt from."""

    run: str
    weights: Mapping[str, torch.Tensor]
    preparation: Preparation | None = None

    def put(self, resolution: Resolution, data: Data) -> None:
        """Load the weights into each member of a training on these rows.

        Raises:
            TreinoError: other inputs or outputs; tensors of other shapes.
        """
        if self.preparation is not None:
            check_weights(self.run, self.preparation, data.preparation)
        warm_start(resolution.training.model, resolution.training.state, self.weights)


@dataclass
class Clock:
    """The training time so far, stored with checkpoints so that a resumed run continues the count."""

    seconds: float = 0.0
    evaluation: float = 0.0
    epoch_so_far: float = 0.0
    waited: float = 0.0  # for rows not yet in memory, in earlier processes
    at: float = field(default_factory=time.perf_counter)

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = time.perf_counter()
        passed, self.at = now - self.at, now
        return passed

    @property
    def spent(self) -> float:
        """Seconds of training so far, while it runs."""
        return self.seconds + self.epoch_so_far + time.perf_counter() - self.at


def train_events(
    source: Any,
    settings: Settings,
    *,
    net: nn.Module | None = None,
    networks: NetworkFiles = MappingProxyType({}),
    parent: str | Path = "runs",
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    lean: bool = False,
    start: Start | None = None,
    data: Data | None = None,
    spent: float = 0.0,
    check: Check | None = None,
    like: str | None = None,
) -> Iterator[JobEvent]:
    """Train one network and store the run. All possible checks come before anything is written.

    source: a built-in's name, a file, a frame, a pair of arrays, a Dataset or DataLoader, or the result
        of ``load``.
    net: a module of the user's own, unless ``settings.net`` names its file.
    networks: the file that ``settings.net`` names, if its code may run; see
    ``treino.folders.network_source``.
    parent: the folder in which the run's folder is made, unless ``settings.out`` names it.
    lean: store no copy of rows that exist in memory only (such a run can't be resumed).
    start: weights to start from instead of random ones.
    data: the result of ``load_data`` for the source with these settings, if it exists already.
    spent: seconds of trials that count as training.
    check: raises an error, before anything is written, if this training is impossible. like: the run or sweep
    whose settings these are.

    Raises:
        TreinoError: bad input (status 2) or a system error (status 1).
    """
    train_config(settings)  # refused before the data is read
    if start is not None and settings.ensemble > 1:
        raise WEIGHTS_OF_ENSEMBLE()
    cache = prepared_beside(parent, settings.out)
    if data is None:
        data = load_data(source, settings, cache=cache)
    named = network_of if settings.ensemble == 1 else network_maker
    own = net if net is not None else named(settings, networks)
    file = file_of(settings, networks)
    if file is not None:  # the run's folder holds a copy of the network's file
        copy = NetworkCall(f"{NETWORK_COPY}:{file.name}", file.arguments)
        settings = settings.model_copy(update={"net": str(copy)})
    if (
        settings.recipe is None and data.source not in BUILTINS
    ):  # explicit, so that the run's command keeps its meaning if the default changes
        settings = settings.decided("default", "", recipe="plain")
    if own is None:  # explicit too
        settings = with_net(settings, data)
    resolution = resolve(settings, data, own)
    if start is not None:
        start.put(resolution, data)
    if check is not None:
        check(data, resolution)
    if settings.refit:
        everything = all_rows(source, settings, data.arguments, data.features, cache)
        if len(everything.train) <= len(data.train):
            raise REFIT_NOTHING(name=data.name)
        of_refit = refit_settings(settings.explicit, resolution.settings, everything, epochs=1, warmup=0)
        refit = resolve(of_refit, everything, own)
        if start is not None:
            start.put(refit, everything)
    folder = RunFolder.create(
        parent=parent, stem=data.name, name=settings.name, out=Path(settings.out) if settings.out else None
    )
    with folder:
        explicit = settings.recorded
        where = reference(data, folder.path) | user_data_reference(data)
        folder.write_json("preparation.json", data.preparation.to_json())
        if where["kind"] in ("memory", "given") and not lean:
            keep_copy(folder, in_memory(data))
            if settings.refit and where["kind"] == "memory":
                keep_copy(folder, everything, ALL_ROWS)
        if file is not None:
            folder.write_bytes(NETWORK_COPY, file.source)
        write_own_code(folder, explicit.values())
        if start is not None or own is not None:  # initial weights of the user's network can't be drawn again
            module, every = resolution.training.net(0, "last"), resolution.training.answer("last")
            first = start or Start(NETWORK_COPY, whole_state(every))  # without metrics all members predict
            known = {} if own is None else {ANSWERS: answers_of(module, data.item_shape)}
            folder.write_tensors(START, first.weights, {"from": first.run} | known)
        training, files = resolution.training, where.get("files", {})
        kind = "given" if net is not None else settings.net_kind
        typed = explicit | {split: f["source"] for split, f in files.items()}
        weights = None if start is None else start.run
        spec = RunSpec(
            asked=explicit,
            sources={name: settings.source(name) for name in explicit if settings.source(name) != "typed"},
            resolved=resolution.settings,
            facts=run_facts(data, resolution),
            data=DataSource.model_validate(where),
            **shape_entries(data, training),
            net=kind,
            command=as_typed(where["source"], typed, weights),
            weights=weights,
            like=like,
            versions=versions(resolution.settings.model_dump()),
            machine=machine(),
        )
        folder.write_json("spec.json", spec.to_json())
        keep_keyframes(folder, resolution)
        clock = Clock(seconds=spent)
        yield from events(partial(RunJob, folder, data, resolution, clock, checkpoint_seconds, new=True))


def resuming(
    path: str | Path,
    access: Access | None = None,
    *,
    data: Any = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    check: Check | None = None,
) -> Iterator[JobEvent]:
    """Resume an interrupted or killed run from its last checkpoint, bit for bit.

    access: the access to its rows and the user's network. data: the Dataset or DataLoader, if the run was
    trained on one. With a DataLoader, an IterableDataset or items that no seed reproduces, the run goes on
    from the end of the last epoch, or with other items. check: as in ``train_events``.

    Raises:
        TreinoError: the run is finished, is being written by another process, is damaged, or its data
            is gone or changed.
    """
    access = access or Access()
    folder = unfinished(path)
    spec = read_run_spec(folder)
    from_python = spec.data.kind == "given"
    if data is not None and not from_python:
        raise DATA_KEPT(run=folder.path.name)
    data = user_data(folder, spec.data, data) if from_python else data_of(folder, access.data_file)
    timeline = Timeline(folder, spec)
    resolution, segment = rebuilt(timeline, data, access), newest(spec)
    if check is not None:
        check(data, resolution)
    with folder:

        def take_up() -> RunJob:
            folder.unseal()
            engine, before = resolution.training, len(losses_of(folder, spec))
            clock = _put_back(folder, spec, engine)
            obey_again(timeline, engine)
            facts = resumption_facts(data, before - engine.step)
            folder.database.add_event(segment.number, engine.step, "resumed", facts)
            keep_keyframes(folder, resolution, segment.number)
            return RunJob(folder, data, resolution, clock, checkpoint_seconds, segment.number)

        yield from events(take_up)


def _put_back(folder: RunFolder, spec: RunSpec, engine: TrainingLoop) -> "Clock":
    """Load the last checkpoint of the newest segment, or the segment's first state, and remove later records.

    Return the time so far.
    """
    segment, checkpoint = newest(spec), read_checkpoint(folder)
    clock = Clock()
    if checkpoint is not None and checkpoint[1]["segment"] == segment.number:
        tensors, meta = checkpoint
        engine.load(tensors, meta["engine"])
        clock = Clock(*meta["clock"])
    elif segment.origin is not None:
        name = name_of(segment.number, segment.start)
        engine.load(*kept_state(folder, name, engine, losses_of(folder, spec)))
    count = engine.plan.count
    passes = count.epoch_of(engine.step) if engine.done else count.ended(engine.step)
    folder.database.cut(segment.number, engine.step, passes)
    cut_keyframes(folder, segment.number, engine.step)
    return clock


@dataclass(eq=False)
class RunJob:
    """The training of one network, as the event loop drives it. segment: the segment that is trained.

    new: the folder was made for this job and is removed if the first step fails. failure: the error of the
    network or the data that ended the training.
    """

    folder: RunFolder
    data: Data
    resolution: Resolution
    clock: Clock = field(default_factory=Clock)
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    segment: int = 0
    new: bool = False
    run: StoredRun | None = None  # after the end
    interruptible_close: bool = False
    timed: bool = False  # whether the clock is running
    failure: TreinoError | None = None
    play_control: PlayControl = field(default_factory=PlayControl)
    stop_wish: str | None = None  # a status, set by the code that drives the job in this process
    look: Look | None = None  # set by that code, too; see ``TrainingLoop.advance``

    def __post_init__(self) -> None:
        self.view = LiveView(self.folder.path)

    @property
    def training(self) -> TrainingLoop:
        return self.resolution.training

    @property
    def threads(self) -> int:
        engine = self.training
        return torch_threads_of(engine.engine, engine.threads)

    @property
    def resumable(self) -> bool:
        engine = self.training
        return engine.done or not is_stream(self.data.train) or engine.step % engine.steps_per_epoch == 0

    def stop_reason(self) -> str | None:
        """Return ``stopped`` if a command asked to stop; apply all other new commands."""
        engine = self.training
        if engine.done:
            return None
        if self._stopped():
            self.folder.take_commands(False)
            if self._stopped(True):  # also obeys commands that came meanwhile
                return self.stop_wish or "stopped"
            self.folder.take_commands(True)
        if self.timed and self.limit is not None and self._measured and self.clock.spent >= self.limit:
            message = limit_message(engine, self.limit, self.clock.spent)
            self.folder.database.add_event(self.segment, engine.step, PAST_LIMIT, {"message": message})
            engine.stop(range(len(engine.status_P)))
        if self.paused:
            self.timed = False  # waiting doesn't count as training
            self.view.update(engine, self.segment, self.play_control)
        return None

    @property
    def limit(self) -> float | None:
        """The seconds that the training may take. Its first evaluation is waited for in any case."""
        return self.resolution.settings.time_limit

    @property
    def _epoch_end(self) -> int:
        """The next end of an epoch, as far away as evaluations are from each other."""
        count = self.training.plan.count
        return count.end_of(count.epoch_of(self.training.step + EVALUATION_SPACING))

    @property
    def _measured(self) -> bool:
        return self.training.state.evaluated_step > 0 or self.training.setup.validation is None

    def _stopped(self, stop: bool = False) -> bool:
        """Apply the new commands. Return whether to stop. stop: whether an earlier command asked to stop."""
        engine, db = self.training, self.folder.database
        commands = db.poll_commands()
        for command in commands:
            try:
                if command.name == "stop":
                    stop = True
                elif command.name in PLAYBACK:
                    self.play_control.command(command.name, command.value, engine.step, engine.plan.count)
                    stop = stop and command.name in ("pause", "speed")  # other commands cancel the stop
                else:
                    self._set(command)
            except TreinoError as error:  # a wrong command of another process must not end the training
                db.add_event(self.segment, engine.step, "refused", {"message": str(error)})
                db.mark_command(
                    command.id, "refused", segment=self.segment
                )  # last: a reader who sees it looks for the reason
                continue
            db.mark_command(command.id, "applied", segment=self.segment)
        if commands:
            db.flush()
            self.view.changed()
        return stop or self.stop_wish is not None

    def _set(self, command: Command) -> None:
        """Change a hyper-parameter, and record the change."""
        engine, steps = self.training, self.training.plan.steps
        if command.step is not None and command.step >= steps:
            raise SET_STEP_PAST_END(name=command.name, step=command.step, steps=steps)
        engine.set(command.name, command.value, command.step)
        settings = single_values(command.name, command.value, engine.model.optimizer, engine.steerable)
        step = max(command.step or 0, engine.step)
        self.folder.database.add_change(Change(self.segment, step, settings, command.sender))

    @property
    def paused(self) -> bool:
        """Whether a command has paused the training."""
        engine = self.training
        return not engine.done and self.play_control.limit(engine.step) == engine.step

    def advance(self) -> Tick | None:
        """Train for a tenth of a second, and add losses and metrics to the run's database.

        Raises:
            TreinoError: the network or its data fails before anything was saved.
        """
        engine = self.training
        if engine.done:
            return None
        if not self.timed:
            self.clock.lap()
            self.timed = True
        per_epoch = engine.steps_per_epoch
        border = (engine.step // per_epoch + 1) * per_epoch if is_stream(self.data.train) else None
        seconds, first = self.view.due_in(CHUNK_SECONDS), None
        if self.limit is not None:
            seconds = min(seconds, max(0.0, self.limit - self.clock.spent)) if self._measured else seconds
            first = None if self._measured else engine.plan.next_evaluation(0, 0)
        ends = None if self.look is None or engine.plan.evaluates else self._epoch_end
        limits = [s for s in (border, self.play_control.limit(engine.step), first, ends) if s is not None]
        before = engine.step
        try:
            tick = engine.advance(seconds, min(limits, default=None), self.look)
        except TreinoError as error:
            self._fail(error)
            return None
        self.play_control.done(engine.step - before)
        loss_S = self._record(tick)
        self.view.add(before, loss_S)
        self.view.update(engine, self.segment, self.play_control)
        return tick

    def _fail(self, error: TreinoError) -> None:
        """Load the last saved state, where the run then ends. Raise the error if nothing was saved."""
        engine, folder = self.training, self.folder
        if error.status == 1 or read_checkpoint(folder) is None:
            if self.new and engine.step == 0 and error.status == 2:
                folder.discard()
            raise error
        self.clock = _put_back(folder, read_run_spec(folder), engine)
        engine.keyframes.take()  # drops keyframes of removed steps
        if engine.step == 0:
            raise error
        sentence = _("Training failed: {why} Restored step {step}.")
        message = sentence.format(step=engine.step, why=error.message)
        folder.database.add_event(self.segment, engine.step, "failed", {"message": message})
        hint = _("What was trained before is kept: treino show {run}").format(run=folder.path.name)
        error.hint = f"{error.hint} {hint}".strip()
        self.failure = error

    def _record(self, tick: Tick) -> np.ndarray:
        """Record the tick. Return the losses of its steps."""
        db, clock, segment = self.folder.database, self.clock, self.segment
        loss_S = tick.loss_S.cpu().numpy().astype(np.float32)
        db.add_losses(segment, tick.step - len(loss_S), loss_S)
        for epoch in tick.epochs:
            seconds = clock.epoch_so_far + (epoch.ended - clock.at)
            clock.at, clock.epoch_so_far = epoch.ended + epoch.evaluation_seconds, 0.0
            clock.seconds += seconds + epoch.evaluation_seconds
            clock.evaluation += epoch.evaluation_seconds
            db.add_epoch(segment, epoch.number, "train", "seconds", seconds)
            for split, metric, value in epoch_values(epoch, self.resolution.settings):
                db.add_epoch(segment, epoch.number, split, metric, value)
        return loss_S

    def checkpoint(self) -> None:
        """Write keyframes, then the engine's state with the time so far."""
        engine, clock = self.training, self.clock
        clock.epoch_so_far += clock.lap() if self.timed else 0.0
        write_keyframes(self.folder, engine, self.segment)
        tensors, meta = engine.save()
        self.folder.database.flush()
        times = [clock.seconds, clock.evaluation, clock.epoch_so_far, clock.waited + engine.waited]
        self.folder.checkpoint(tensors, {"engine": meta, "segment": self.segment, "clock": times})
        clock.lap()

    def close(self, reason: str | None) -> dict[str, Any]:
        """Measure the kept weights, write the document and seal the folder.

        Raises:
            TreinoError: the failure that ended the training, after the folder is sealed; a system error.
        """
        engine, clock = self.training, self.clock
        status = "stopped" if self.failure else status_at_end(engine.status_P, reason)
        clock.epoch_so_far += clock.lap() if self.timed else 0.0
        times = Times(clock.seconds + clock.epoch_so_far, clock.evaluation, clock.waited + engine.waited)
        try:
            self.run = finish(self.folder, self.data, self.resolution, status, times, self.segment)
        finally:
            self.view.close()  # the last state is shown during the measurement, which may be slow
        if self.failure is not None:
            raise self.failure
        return self.run.document


def epoch_values(epoch: Epoch, settings: Settings) -> Iterator[tuple[str, str, float]]:
    """(split, metric, value) of all that is measured at an epoch's end, as the run's database keeps it."""
    for split, metrics in (epoch.answer or {}).items():
        for metric, value in metrics.items():
            yield split, metric, value
    yield from member_rows(epoch.evaluation or {}, settings)
    if epoch.validation_std is not None:
        yield "validation", "loss_std", epoch.validation_std


def drain(stream: Iterator[JobEvent], watch: Callable[[JobEvent], None] | None = None) -> StoredRun:
    """Run the events of a training to their end and return its run.

    Raises:
        KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    return run_of(last_event(stream, watch).job)


def run_of(job: Job) -> StoredRun:
    """The run of a training that has ended."""
    assert isinstance(job, RunJob)
    assert job.run is not None
    return job.run
