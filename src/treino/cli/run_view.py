"""A run on the terminal: its settings before training, its progress and its results."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Group, RenderableType

from treino.base.console import line
from treino.base.words import N_, _, numeral, placeholders, setting
from treino.cli.block_view import shown
from treino.data.preparation.preparation import Preparation
from treino.data.splits import split_name
from treino.engine import Tick
from treino.engine.registries import foreign
from treino.folders.documents.reading import read_preparation
from treino.folders.documents.run_spec import ResolvedSettings
from treino.folders.store import RunFolder
from treino.folders.store.new_names import ended_before_it_began
from treino.folders.stored_run import StoredRun
from treino.plots.report.blocks import Paragraph
from treino.plots.report.run import layers_table, run_blocks
from treino.training.findings import lower_rate
from treino.training.loop import JobEnd
from treino.training.train import RunJob, run_of

# ---- views


@dataclass(frozen=True)
class Position:
    """The progress of a training.

    done: the share of all steps, from 0 to 1. label, count: the counted unit and the count, such as ``step``
    and ``12/120``. left_s: seconds to the end; None if unknown. figures: named values, the most important
    first. moment: a longer label and count, for a log; empty: as label and count.
    """

    done: float
    label: str
    count: str
    left_s: float | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    moment: str = ""


class View(Protocol):
    """The texts about a run, a sweep or a study on the terminal, before, during and after its training."""

    def opening(self) -> list[RenderableType]:
        """The lines and tables before the training."""

    def position(self, tick: Tick) -> Position:
        """The progress after a tick."""

    def closing(self) -> str:
        """The label of the progress line for the work after the training."""

    def summary(self, end: JobEnd, width: int) -> RenderableType:
        """The results and the suggested next commands. width: columns of the terminal."""


# ---- runs

FIGURES = 2  # maximum number of validation metrics in the progress line


class RunView:
    """The view of a single run. validation: the last validation metrics, as text by the split's name."""

    def __init__(self, job: RunJob) -> None:
        self.job = job
        self.begin, self.first = time.perf_counter(), job.training.step
        self.validation: dict[str, str] = {}

    def opening(self) -> list[RenderableType]:
        """The text before the training: data, size and length; ``summary`` has the settings."""
        data, training, s = self.job.data, self.job.training, self.job.resolution.settings
        rows = {split: len(part) for split, part in data.splits.items()}
        lines: list[RenderableType] = [
            line((data.name, "bold"), f" · {data.learnt}"),
            _("{train:,} training, {validation:,} validation, {test:,} test rows; {inputs:,} inputs").format(
                inputs=data.inputs, **rows
            ),
            *data.notes,
            *self.job.resolution.reasons,
            (
                _("{n:,} numbers to learn in each of {k:,} networks, in at most {steps:,} steps")
                if s.ensemble > 1
                else _("{n:,} numbers to learn, in at most {steps:,} steps")
            ).format(n=training.parameters, k=s.ensemble, steps=training.steps),
        ]
        faults = [
            line((_("with the fault {name}, on purpose").format(name=fault), "yellow")) for fault in s.fault
        ]
        return [*lines, *faults, ""]

    def position(self, tick: Tick) -> Position:
        """The run's step and loss, and the last validation metrics."""
        training = self.job.training
        for split, metrics in (tick.answer or {}).items():
            figures = [f"{name} {numeral(value, '.3f')}" for name, value in metrics.items()]
            self.validation = {split_name(split): ", ".join(figures[:FIGURES])}
        count = f"{numeral(tick.step, ',')}/{numeral(training.steps, ',')}"
        epochs = training.plan.count.epoch_of(training.steps)
        epoch = tick.epochs[-1].number if tick.epochs else int(tick.epoch)
        moment = _("epoch {epoch:,} of {epochs:,}, step {count}")
        passed, steps = time.perf_counter() - self.begin, tick.step - self.first
        return Position(
            done=tick.step / training.steps,
            label=_("step"),
            count=count,
            left_s=passed / steps * (training.steps - tick.step) if steps > 0 else None,
            figures={_("loss"): numeral(float(tick.loss_S[-1]), ".4f"), **self.validation},
            moment=moment.format(epoch=epoch, epochs=epochs, count=count),
        )

    def closing(self) -> str:
        return _("measuring")

    def summary(self, end: JobEnd, width: int) -> RenderableType:
        """The text after the training: ``run_summary``, with the network and the settings, as decided."""
        training, run = self.job.training, run_of(end.job)
        how = _settings(self.job.resolution.settings, training.steps, training.steps_per_epoch)
        return run_summary(run, ["", *shown([layers_table(run.facts), Paragraph(how)])])


def _settings(s: ResolvedSettings, steps: int, per_epoch: int) -> str:
    names = ("momentum", "weight_decay", "clip", "ema", "warmup", "label_smoothing")
    extras = [f"{name} {getattr(s, name):g}" for name in names if getattr(s, name)]
    optimizer = [s.optimizer, f"lr {s.lr:g}", *extras]
    if s.schedule != "constant":
        optimizer.append(_("{name} schedule").format(name=s.schedule))
    length = _("{n:,} epochs").format(n=s.epochs) if s.epochs else _("{n:,} steps").format(n=s.steps)
    parts = [
        _("loss {name}").format(name=s.loss),
        " ".join(optimizer),
        _("batch {size} ({n:,} steps an epoch)").format(size=s.batch_size, n=per_epoch),
        *([f"augment {s.augment}"] if s.augment not in (None, "none") else []),
        *([_("flips")] if s.flip else []),
        _("at most {length}, patience {n}").format(length=length, n=s.patience) if s.patience else length,
        _("seed {n}").format(n=s.seed),
        *([_("an ensemble of {n} networks").format(n=s.ensemble)] if s.ensemble > 1 else []),
        _("kernel {name} on {device}").format(name=s.engine, device=s.device),
    ]
    return " · ".join(parts)


def run_summary(run: StoredRun, decided: Sequence[RenderableType] = ()) -> RenderableType:
    """The text after a training: metrics with intervals and baselines, what was ``decided``, suggestions."""
    where = ["", _("run  {path}").format(path=run.path)]
    if not run.folder.has("spec.json"):
        return Group(str(ended_before_it_began(run.path)), *where, *run.folder.notices)
    parts = list[RenderableType]()
    for name, blocks in run_blocks(run).items():
        parts += [*([""] if parts else []), *shown(blocks)]
        parts += [_("why: treino doctor {run}").format(run=run.typed)] if name == "findings" else []
    parts += [*decided, *where]
    drawn = [name for name in run.folder.names("pictures") if name.endswith(".png")]
    parts += [_("     {pictures}").format(pictures=", ".join(drawn))] if drawn else []
    notices = run.folder.notices
    if not drawn and not notices and run.folder.manifest.sealed:
        parts.append(_("     no pictures yet: treino plot {run}").format(run=run.typed))
    parts += notices
    parts += [_("next {command}").format(command=command) for command in _next(run)]
    return Group(*parts)


def _next(run: StoredRun) -> list[str]:
    if run.status in ("interrupted", "stopped") or run.awaits_refit:
        return [f"treino resume {run.typed}"]
    if run.status not in ("finished", "diverged"):
        return []
    if run.status == "diverged":
        return [
            _("train with a smaller learning rate: {lr}").format(
                lr=setting("lr", lower_rate(run.resolved.lr))
            )
        ]
    commands = [f"treino predict {run.typed} {new_rows(run.folder)}", f"treino studio {run.typed}"]
    if run.spec.segments:  # the commands below would train from the start, without the segments
        return commands
    given = run.spec.net == "given"  # which no script or command can name
    whole = not foreign(run.first_settings) and run.resolved.precision != "bf16" and not given
    form = "script" if whole else "pt2"  # a script would lack what isn't treino's
    commands.append(f"treino export {run.typed} --format {form}")
    if run.spec.data.kind == "builtin" and "lr" not in run.asked_settings and not given:
        another = _("{command} --lr {lr}   (another learning rate; then: treino show {run} last)").format(
            command=run.command, lr=f"{run.spec.resolved.lr * 3:g}", run=run.typed
        )
        commands.insert(0, another)
    return commands


def new_rows(folder: RunFolder) -> str:
    """The placeholder in a suggested command for new rows, to be predicted by a run or a sweep."""
    preparation = Preparation.from_document(read_preparation(folder))
    return placeholders("FILE.csv" if preparation.picture_shape is None else N_("FOLDER"))
