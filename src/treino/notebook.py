"""treino in notebooks: a display updated in place during training.

``treino.fit`` and ``treino.sweep`` are defined here: as in ``api``, but ``watch`` may be True. In a notebook
(Jupyter, Colab, anything with an IPython kernel) they then update one output in place, in a terminal they
show the command line's progress line. ``%load_ext treino`` adds the magics of `treino_doctor.ipython`.
"""

import inspect
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from treino import api
from treino.base.console import kernel_shell
from treino.base.signatures import declare, keyword
from treino.base.words import _
from treino.cli.run_view import Position, RunView, View
from treino.cli.sweep_view import view_of_many
from treino.engine import Tick
from treino.folders.run_records import training_losses
from treino.folders.store.new_names import command_word
from treino.inspection.boundary import boundary_preview, previewable, sight
from treino.inspection.curves import Curves
from treino.inspection.input_planes import InputAxes
from treino.plots.notebook_cards import LiveTraining, sweep_html, training_html
from treino.plots.report.blocks import blocks_of, sentences
from treino.plots.report.run import run_blocks
from treino.plots.report.sweep import sweep_blocks
from treino.training.loop import JobClose, JobEnd, JobProgress, JobRefit, JobStart
from treino.training.stored_results import StoredSweep
from treino.training.train import RunJob, run_of

# ---- notebooks

Watch = Callable[[Any], None]


def watchable(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with a ``watch`` that may also be True: a display in a notebook or a terminal."""

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

    figure = Figure() if many else RunFigure()
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


class Output:
    """A cell's output whose HTML is replaced, so rarely that drawing takes less than 1 % of the time."""

    def __init__(self, html: str) -> None:
        from IPython.display import HTML, display

        self._html = HTML
        self._handle = display(HTML(html), display_id=True)
        self._next = time.perf_counter() + EVERY

    @property
    def due(self) -> bool:
        return time.perf_counter() >= self._next

    def show(self, draw: Callable[[], str]) -> None:
        began = time.perf_counter()
        self._handle.update(self._html(draw()))
        ended = time.perf_counter()
        self._next = ended + max(EVERY, SHARE * (ended - began))


class Figure:
    """One output that shows how far a training is; events update it. Each kind of training draws its own."""

    def __init__(self) -> None:
        self.output, self.over = Output(""), False
        self.view: View | None = None
        self.position = Position(0.0, "", "")

    def tell(self, event: Any) -> None:
        """Note an event, and draw if a drawing is due, or the training begins or ends."""
        if isinstance(event, JobStart):
            self.view, self.name = self.view_of(event.job), event.job.folder.path.name
            self.begin(event.job)
            self.show()
        elif isinstance(event, JobProgress):
            assert self.view is not None
            self.position = self.view.position(event.tick)
            self.note(event.tick)
            if self.output.due:
                self.show(tick=event.tick)
        elif isinstance(event, JobClose):
            assert self.view is not None
            self.position = replace(self.position, done=1.0, left_s=None)
            self.show(self.view.closing())
        elif isinstance(event, JobRefit):
            if self.output.due:
                self.show(_("training on all rows"))
        elif isinstance(event, JobEnd):
            self.over = True
            self.close(event)

    def ended_by(self, sentence: str) -> None:
        """Draw for the last time, if no JobEnd arrived. sentence: the reason."""
        if self.view is not None and not self.over:
            self.position = replace(self.position, left_s=None)
            self.show(sentence, alarm=True)

    def view_of(self, job: Any) -> View:
        return view_of_many(job)

    def begin(self, job: Any) -> None:
        """A training begins, or goes on after an alert sent it back to an earlier step."""

    def note(self, tick: Tick) -> None:
        """Keep the values of a tick that later drawings need."""

    def show(self, *sentences: str, tick: Tick | None = None, alarm: bool = False) -> None:
        """Draw. sentences: what happened. tick: the present state of a training that goes on."""
        now = self.position
        figures = {now.label: now.count, **now.figures} if now.label else {}
        self.output.show(lambda: self.drawn(figures, sentences, tick, alarm))

    def drawn(
        self, figures: dict[str, str], sentences: tuple[str, ...], tick: Tick | None, alarm: bool
    ) -> str:
        """The HTML: a progress bar and a table of figures."""
        return sweep_html(self.name, self.position.done, figures, self.position.left_s, sentences)

    def close(self, event: JobEnd) -> None:
        """Draw the result of a sweep."""
        path = event.job.folder.path
        if event.interrupted:
            self.show(_("Interrupted; go on with: treino resume {path}").format(path=command_word(path)))
            return
        result = StoredSweep(event.job.folder).result
        parts = {} if result is None else sweep_blocks(result, 0)
        self.show(*sentences(blocks_of(parts)), _("Kept in {path}.").format(path=path))


class RunFigure(Figure):
    """The live display of a single training, with its curves, and the boundary of two inputs."""

    FEW = 3  # up to this many epochs the loss of every step is drawn

    def __init__(self) -> None:
        super().__init__()
        self.axes: InputAxes | None = None  # axes of the decision boundary's picture
        self.net: Any = None  # the network that was kept, after the end
        self.kept_epoch: int | None = None
        self.loss_S: list[np.ndarray] = []
        self.measured: dict[tuple[str, str], dict[int, float]] = {}  # by split and metric, by epoch

    def view_of(self, job: Any) -> View:
        return RunView(job)

    def begin(self, job: RunJob) -> None:
        self.job, step = job, job.training.step
        ended = job.training.plan.count.ended(step)
        self.loss_S = [np.concatenate([*self.loss_S, np.empty(0, np.float32)])[:step]]
        self.measured = {
            name: {epoch: value for epoch, value in of.items() if epoch <= ended}
            for name, of in self.measured.items()
        }

    def note(self, tick: Tick) -> None:
        self.loss_S.append(tick.loss_S.cpu().numpy())
        for epoch in tick.epochs:
            each = [(split, name, v) for split, of in (epoch.answer or {}).items() for name, v in of.items()]
            if epoch.validation_std is not None:
                each.append(("validation", "loss_std", epoch.validation_std))
            for split, metric, value in each:
                self.measured.setdefault((split, metric), {})[epoch.number] = value

    def drawn(
        self, figures: dict[str, str], sentences: tuple[str, ...], tick: Tick | None, alarm: bool
    ) -> str:
        data, count = self.job.data, self.job.training.plan.count
        self.loss_S = [np.concatenate(self.loss_S)]
        mean_E, deviation_E = training_losses(self.loss_S[0], count, over=tick is None)
        few, evaluated = len(mean_E) <= self.FEW, dict[str, dict[str, np.ndarray]]()
        for (split, metric), of in self.measured.items():
            value_E = evaluated.setdefault(split, {}).setdefault(metric, np.full(len(mean_E), np.nan))
            for epoch, value in of.items():
                value_E[epoch - 1 : epoch] = value  # none for an epoch that was cut short
        metric = next((m for m in ("accuracy", "rmse") if any(m in of for of in evaluated.values())), "")
        shown = Curves(self.name, mean_E, deviation_E, evaluated, metric, self.kept_epoch)
        net = self.net if tick is None or not previewable(data) else tick.net
        if net is not None and self.axes is None:
            self.axes = sight(net, data, axes=data.features)
        seen = None if net is None or self.axes is None else boundary_preview(net, data, self.axes)
        return training_html(
            LiveTraining(
                name=self.name,
                done=self.position.done,
                figures=figures,
                left=self.position.left_s,
                curves=None if few else shown,
                loss_S=self.loss_S[0] if few else None,
                boundary=seen,
                messages=sentences,
                alarm=alarm,
            )
        )

    def close(self, event: JobEnd) -> None:
        run = run_of(event.job)
        result, name, steps = run.result, run.name, sum(map(len, self.loss_S))
        lines = [
            _("Interrupted after {step:,} steps; saved in {path}.").format(step=steps, path=run.path),
            _("To go on: run = treino.open({name!r}).resume()").format(name=str(run.path)),
        ]
        if not event.interrupted and result is not None:
            lines = [
                *sentences(blocks_of(run_blocks(run), without=("findings", "changes"))),
                _("Kept in {path}; more: treino report {name}").format(path=run.path, name=name),
            ]
            if result.findings:
                rules = ", ".join(finding.rule for finding in result.findings)
                lines.append(_("The doctor found: {rules}.").format(rules=rules))
            self.kept_epoch = None if result.members else result.kept_epoch
        if previewable(self.job.data) and run.status != "interrupted":
            self.net = run.module
        self.show(*lines, alarm=event.interrupted or run.status == "diverged")
