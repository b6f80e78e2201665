"""treino in notebooks: a display updated in place during training.

``treino.fit`` and ``treino.sweep`` are defined here: as in ``api``, but ``watch`` may be True. In a notebook
(Jupyter, Colab, anything with an IPython kernel) they then update one output in place, in a terminal they
show the command line's progress line. ``%load_ext treino`` adds the magics of `treino_doctor.ipython`.
"""

import inspect
import sys
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np
import torch

from treino import api
from treino.base.console import kernel_shell
from treino.base.signatures import declare, keyword
from treino.base.words import _, numeral
from treino.cli.run_view import Position, RunView
from treino.cli.sweep_view import SweepView
from treino.folders.store.new_names import command_word
from treino.inspection.boundary import boundary_preview, previewable, sight
from treino.inspection.curves import Curves
from treino.inspection.input_planes import InputAxes
from treino.plots.captions import headline, time_of
from treino.plots.notebook_cards import LiveTraining, sweep_html, training_html
from treino.training.loop import JobClose, JobEnd, JobProgress, JobStart
from treino.training.stored_results import StoredSweep
from treino.training.sweeps.sweep import SweepJob
from treino.training.train import RunJob, run_of

# ---- notebooks

Watch = Callable[[Any], None]


def watchable(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose ``watch`` may also be True: a display in a notebook or a terminal."""

    @wraps(plain)
    def function(*args: Any, watch: bool | Watch = False, **settings: Any) -> Any:
        if not isinstance(watch, bool):
            return plain(*args, watch=watch, **settings)
        if not watch:
            return plain(*args, **settings)
        many = plain is api.sweep or any(settings.get(name) is not None for name in ("seeds", "folds"))
        with watching(many) as tell:
            return plain(*args, watch=tell, **settings)

    watch = keyword("watch", False, bool | Watch)
    declare(function, (inspect.signature(plain).parameters | {"watch": watch}).values())
    return function


fit, sweep = watchable(api.fit), watchable(api.sweep)


@contextmanager
def watching(many: bool) -> Iterator[Watch]:
    """Within the block: a display of events, in a notebook or a terminal. many: whether it is for a sweep."""
    if kernel_shell() is None:
        from treino.base.console import console, watched
        from treino.cli.progress import ProgressLine

        with ProgressLine(console(sys.stderr), watched(sys.stderr)) as line:
            yield line.show
        return

    figure = SweepFigure() if many else RunFigure()
    try:
        yield figure.tell
    except KeyboardInterrupt as stop:
        figure.ended_by(text := str(stop) or _("Stopped at once."))
        stop._render_traceback_ = lambda: [text]  # type: ignore[attr-defined]  # a line in IPython
        raise
    except Exception as error:
        figure.ended_by(f"{type(error).__name__}: {error}")
        raise


# ---- live output

EVERY = 0.5  # minimum seconds between drawings
SHARE = 150  # minimum pause after a drawing / time of that drawing
LATEST = 10.0  # seconds after which a drawing is due, however little CPU time the training got


class Output:
    """A cell's output whose HTML is replaced, so rarely that drawing takes less than 1 % of the time.

    This holds for wall time and for the thread's CPU time, of which a training on a busy machine gets little.
    """

    def __init__(self, html: str) -> None:
        from IPython.display import HTML, display

        self._html = HTML
        self._handle = display(HTML(html), display_id=True)
        self._next = time.perf_counter() + EVERY
        self._next_own, self._latest = 0.0, self._next

    @property
    def due(self) -> bool:
        now = time.perf_counter()
        return now >= self._next and (now >= self._latest or time.thread_time() >= self._next_own)

    def show(self, draw: Callable[[], str]) -> None:
        began, began_own = time.perf_counter(), time.thread_time()
        self._handle.update(self._html(draw()))
        ended, ended_own = time.perf_counter(), time.thread_time()
        self._next = ended + max(EVERY, SHARE * (ended - began))
        self._next_own = ended_own + SHARE * (ended_own - began_own)
        self._latest = max(ended + LATEST, self._next)


class RunFigure:
    """The live display of a training, updated by its events."""

    FEW = 3  # up to this many epochs the loss of every step is drawn

    def __init__(self) -> None:
        self.output = Output("")
        self.view: RunView | None = None
        self.axes: InputAxes | None = None  # axes of the decision boundary's picture
        self.over = False
        self.step = 0
        self.position = Position(0.0, "", "")
        self.figures: dict[str, str] = {}
        self.loss_E, self.deviation_E = array("d"), array("d")
        self.measured: dict[str, dict[str, tuple[array[int], array[float]]]] = {}  # epochs, values
        self.loss_S: list[np.ndarray] = []

    def tell(self, event: Any) -> None:
        if isinstance(event, JobStart):
            assert isinstance(event.job, RunJob)
            self.view = RunView(event.job)
            self._go_on_from(event.job)
            self.output.show(self._drawn)
        elif isinstance(event, JobProgress):
            self._note(event)
            if self.output.due:
                net = event.tick.net if self._whole else None
                self.output.show(lambda: self._drawn(net))
        elif isinstance(event, JobEnd):
            self.over = True
            self._close(event)

    def ended_by(self, sentence: str) -> None:
        """Draw for the last time, if no JobEnd arrived. sentence: why."""
        if self.view is not None and not self.over:
            self.output.show(lambda: self._drawn(None, (sentence,), alarm=True))

    def _go_on_from(self, job: RunJob) -> None:
        """Forget what came after the step that an alert sent the training back to."""
        step = job.training.step
        ended = job.training.plan.count.ended(step)
        del self.loss_E[ended:], self.deviation_E[ended:]
        for epoch_K, value_K in (pair for of in self.measured.values() for pair in of.values()):
            kept = bisect_right(epoch_K, ended)
            del epoch_K[kept:], value_K[kept:]
        if self.loss_S:
            self.loss_S = [np.concatenate(self.loss_S)[:step]]

    @property
    def _whole(self) -> bool:
        return self.view is not None and previewable(self.view.job.data)

    def _note(self, event: JobProgress) -> None:
        assert self.view is not None
        tick = event.tick
        self.step, self.position = tick.step, self.view.position(tick)
        if len(self.loss_E) <= self.FEW:
            self.loss_S.append(tick.loss_S.cpu().numpy())
        if tick.epochs:  # all in one call: a tiny network may have thousands
            self.loss_E.extend(torch.stack([epoch.loss_P for epoch in tick.epochs]).nanmean(1).tolist())
            self.deviation_E.extend(
                torch.stack([epoch.loss_std_P for epoch in tick.epochs]).nanmean(1).tolist()
            )
        for epoch in (each for each in tick.epochs if each.answer):
            for split, metrics in (epoch.answer or {}).items():
                for metric, value in metrics.items():
                    self._measure(split, metric, epoch.number, value)
            if epoch.validation_std is not None:
                self._measure("validation", "loss_std", epoch.number, epoch.validation_std)
        self.figures = {
            self.position.label: self.position.count,
            _("epoch"): numeral(tick.epoch, ",.1f" if tick.epoch < 10 else ",.0f"),
            _("loss"): numeral(float(tick.loss_S[-1])),
        }
        for split, of_split in self.measured.items():
            for metric in ("accuracy", "rmse"):
                if metric in of_split and len(of_split[metric][1]):
                    self.figures[f"{_(split)} {metric}"] = numeral(of_split[metric][1][-1])

    def _measure(self, split: str, metric: str, epoch: int, value: float) -> None:
        of = self.measured.setdefault(split, {}).setdefault(metric, (array("q"), array("d")))
        of[0].append(epoch)
        of[1].append(value)

    def _curves(self, kept_epoch: int | None) -> Curves | None:
        """The curves so far; None if there are too few epochs."""
        assert self.view is not None
        epochs = len(self.loss_E)
        if epochs <= self.FEW:
            return None
        evaluated: dict[str, dict[str, np.ndarray]] = {}
        for split, metrics in self.measured.items():
            for metric, (epoch, value) in metrics.items():
                value_E = np.full(epochs, np.nan)
                value_E[np.array(epoch) - 1] = np.array(value)
                evaluated.setdefault(split, {})[metric] = value_E
        shown = next((m for m in ("accuracy", "rmse") if any(m in of for of in evaluated.values())), "")
        name = self.view.job.folder.path.name
        return Curves(
            name, np.array(self.loss_E), np.array(self.deviation_E), evaluated, shown, kept_epoch=kept_epoch
        )

    def _drawn(
        self,
        net: Any = None,
        messages: tuple[str, ...] = (),
        alarm: bool = False,
        kept_epoch: int | None = None,
    ) -> str:
        assert self.view is not None
        data = self.view.job.data
        shown = self._curves(kept_epoch)
        few = np.concatenate(self.loss_S) if self.loss_S and shown is None else None
        if net is not None and self.axes is None:
            self.axes = sight(net, data, axes=data.features)
        seen = None if net is None or self.axes is None else boundary_preview(net, data, self.axes)
        return training_html(
            LiveTraining(
                name=self.view.job.folder.path.name,
                done=self.position.done,
                figures=self.figures,
                left=None if messages else self.position.left_s,
                curves=shown,
                loss_S=few,
                boundary=seen,
                messages=messages,
                alarm=alarm,
            )
        )

    def _close(self, event: JobEnd) -> None:
        run = run_of(event.job)
        result = run.result
        name = run.name
        if event.interrupted:
            sentences: tuple[str, ...] = (
                _("Interrupted after {step:,} steps; saved in {path}.").format(step=self.step, path=run.path),
                _("To go on: run = treino.open({name!r}).resume()").format(name=str(run.path)),
            )
        elif result is not None:
            text = _("{status} after {steps:,} steps, {time}. {headline}")
            facts = {"status": _(run.status), "steps": result.steps, "time": time_of(result)}
            sentences = (
                text.format(headline=headline(result), **facts),
                _("Kept in {path}; more: treino report {name}").format(path=run.path, name=name),
            )
            if result.findings:
                rules = ", ".join(finding.rule for finding in result.findings)
                sentences = (*sentences, _("The doctor found: {rules}.").format(rules=rules))
            self.position = replace(
                self.position, done=1.0
            )  # early stopping and divergence end before the planned steps
        alarm = event.interrupted or run.status == "diverged"
        net = run.module if self._whole and run.status != "interrupted" else None
        kept = None if result is None or result.members else result.kept_epoch
        self.output.show(lambda: self._drawn(net, sentences, alarm, kept))


class SweepFigure:
    """The live display of a sweep: a progress bar and metrics."""

    def __init__(self) -> None:
        self.output = Output("")
        self.view: SweepView | None = None
        self.over = False
        self.position = Position(0.0, "", "")

    def tell(self, event: Any) -> None:
        if isinstance(event, JobStart):
            assert isinstance(event.job, SweepJob)
            self.view = SweepView(event.job)
            members = numeral(event.job.sweep.options.members, ",")
            self.position = Position(0.0, _("networks"), members)
            self._show()
        elif isinstance(event, JobProgress):
            assert self.view is not None
            self.position = self.view.position(event.tick)
            if self.output.due:
                self._show()
        elif isinstance(event, JobClose):
            self.position = replace(self.position, done=1.0, left_s=None)
            self._show(_("judging the best"))
        elif isinstance(event, JobEnd):
            self.over = True
            self._close(event)

    def ended_by(self, sentence: str) -> None:
        """Draw for the last time, if no JobEnd arrived. sentence: why."""
        if self.view is not None and not self.over:
            self.position = replace(self.position, left_s=None)
            self._show(sentence)

    def _show(self, *sentences: str) -> None:
        assert self.view is not None
        name, now = self.view.job.folder.path.name, self.position
        figures = {now.label: now.count, **now.figures}
        self.output.show(lambda: sweep_html(name, now.done, figures, now.left_s, sentences))

    def _close(self, event: JobEnd) -> None:
        path = event.job.folder.path
        if event.interrupted:
            self._show(_("Interrupted; go on with: treino resume {path}").format(path=command_word(path)))
            return
        result = StoredSweep(event.job.folder).result
        judged = result and result.judge and result.judge.sentence
        self._show(*((judged,) if judged else ()), _("Kept in {path}.").format(path=path))
