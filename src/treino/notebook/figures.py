"""The output of a notebook cell during a training or a sweep: one figure that is updated."""

import time
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from treino.loop.loop import JobClose, JobEnd, JobProgress, JobStart
from treino.training.train import RunJob, run_of
from treino.tuning.sweep import SweepJob
from treino.words import _, numeral

if TYPE_CHECKING:
    from treino.inspection.curves import Curves

EVERY = 0.5  # seconds between two drawings, at least
SHARE = 150  # a drawing that took a second is followed by so many without one
LATEST = 10.0  # seconds after which one that hardly costs a thing is due, however little was computed


class Output:
    """One output of a cell whose HTML is replaced, so seldom that it costs less than 1 % of the time.

    Time is that of this thread's processor too: where other programs want it, a training has little of it.
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
    """The live figure of a training, updated by its events."""

    FEW = 3  # up to so many epochs every step's loss is drawn

    def __init__(self) -> None:
        self.output = Output("")
        self.job: RunJob | None = None
        self.over = False
        self.steps, self.step, self.since = 1, 0, time.perf_counter()
        self.first = 0
        self.figures: dict[str, str] = {}
        self.loss_E, self.deviation_E = array("d"), array("d")
        self.measured: dict[str, dict[str, tuple[array[int], array[float]]]] = {}  # epochs, values
        self.loss_S: list[np.ndarray] = []

    def tell(self, event: Any) -> None:
        if isinstance(event, JobStart):
            assert isinstance(event.job, RunJob)
            self.job, self.since = event.job, time.perf_counter()
            self.steps, self.first = self.job.plan.training.steps, self.job.plan.training.step
            self.output.show(self._drawn)
        elif isinstance(event, JobProgress):
            self._note(event)
            if self.output.due:
                net = event.tick.net if self._whole else None
                self.output.show(lambda: self._drawn(net))
        elif isinstance(event, JobEnd):
            self.over = True
            self._close(event)

    def ended_by(self, said: str) -> None:
        """The last drawing, where no event said that it is over."""
        if self.job is not None and not self.over:
            self.output.show(lambda: self._drawn(None, (said,), alarm=True))

    @property
    def _whole(self) -> bool:
        from treino.inspection.boundary_preview import seen_whole

        return self.job is not None and seen_whole(self.job.data)

    def _note(self, event: JobProgress) -> None:
        tick = event.tick
        self.step = tick.step
        if len(self.loss_E) <= self.FEW:
            self.loss_S.append(tick.loss_SP[:, 0].cpu().numpy())
        if tick.epochs:  # at once: of a tiny network there may be thousands
            self.loss_E.extend(torch.cat([epoch.loss_P for epoch in tick.epochs]).tolist())
            self.deviation_E.extend(torch.cat([epoch.loss_std_P for epoch in tick.epochs]).tolist())
        for epoch in (each for each in tick.epochs if each.evaluation):
            for split, metrics in (epoch.evaluation or {}).items():
                for metric, value_P in metrics.items():
                    self._measure(split, metric, epoch.number, float(value_P[0]))
            if epoch.validation_std is not None:
                self._measure("validation", "loss_std", epoch.number, epoch.validation_std)
        self.figures = {
            _("step"): f"{numeral(tick.step, ',')} / {numeral(self.steps, ',')}",
            _("epoch"): numeral(tick.epoch, ",.1f" if tick.epoch < 10 else ",.0f"),
            _("loss"): numeral(float(tick.loss)),
        }
        for split, of_split in self.measured.items():
            for metric in ("accuracy", "rmse"):
                if metric in of_split:
                    self.figures[f"{_(split)} {metric}"] = numeral(of_split[metric][1][-1])

    def _measure(self, split: str, metric: str, epoch: int, value: float) -> None:
        of = self.measured.setdefault(split, {}).setdefault(metric, (array("q"), array("d")))
        of[0].append(epoch)
        of[1].append(value)

    def _curves(self, kept_epoch: int | None) -> "Curves | None":
        """The curves so far; None while epochs are too few for one."""
        from treino.inspection.curves import Curves

        assert self.job is not None
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
        name = self.job.folder.path.name
        return Curves(
            name, np.array(self.loss_E), np.array(self.deviation_E), evaluated, shown, kept_epoch=kept_epoch
        )

    def _drawn(
        self,
        net: Any = None,
        said: tuple[str, ...] = (),
        alarm: bool = False,
        kept_epoch: int | None = None,
    ) -> str:
        from treino.inspection.boundary_preview import glimpse
        from treino.plots.live import LiveTraining, live_figure

        assert self.job is not None
        data, plan = self.job.data, self.job.plan
        shown = self._curves(kept_epoch)
        few = np.concatenate(self.loss_S) if self.loss_S and shown is None else None
        seen = None if net is None else glimpse(net, data, plan.training.loss)
        passed, taken = time.perf_counter() - self.since, self.step - self.first
        left = passed / taken * (self.steps - self.step) if taken > 0 and not said else None
        return live_figure(
            LiveTraining(
                name=self.job.folder.path.name,
                done=self.step / self.steps,
                figures=self.figures,
                left=left,
                curves=shown,
                loss_S=few,
                glimpse=seen,
                classes=data.classes,
                said=said,
                alarm=alarm,
            )
        )

    def _close(self, event: JobEnd) -> None:
        from treino.plots.captions import headline

        run, document = run_of(event.job), event.document
        name = run.name
        if event.interrupted:
            said: tuple[str, ...] = (
                _("Interrupted after {step:,} steps; saved in {path}.").format(step=self.step, path=run.path),
                _("To go on: run = treino.open({name!r}).resume()").format(name=str(run.path)),
            )
        else:
            steps = document["steps"]
            said = (
                _("{status} after {steps:,} steps, {seconds:.2f} s. {headline}").format(
                    status=_(document["status"]), steps=steps, seconds=document["seconds"],
                    headline=headline(document),
                ),
                _("Kept in {path}; more: treino report {name}").format(path=run.path, name=name),
            )  # fmt: skip
            if document.get("findings"):
                rules = ", ".join(f["rule"] for f in document["findings"])
                said = (*said, _("The doctor found: {rules}.").format(rules=rules))
            self.step = self.steps
        alarm = event.interrupted or document["status"] == "diverged"
        net = run.module if self._whole and document["status"] != "interrupted" else None
        self.output.show(lambda: self._drawn(net, said, alarm, document.get("kept_epoch")))


class SweepFigure:
    """The live figure of a sweep: a bar and figures that change."""

    def __init__(self) -> None:
        self.output = Output("")
        self.name = ""
        self.over = False
        self.figures: dict[str, str] = {}
        self.done = 0.0

    def tell(self, event: Any) -> None:
        job = event.job
        assert isinstance(job, SweepJob)
        if isinstance(event, JobStart):
            self.name = job.folder.path.name
            self.figures = {_("networks"): numeral(job.sweep.asked.members, ",")}
            self.output.show(lambda: self._drawn(0.0))
        elif isinstance(event, JobProgress):
            p = job.progress
            self.done = p.model_steps / max(p.planned_steps, p.model_steps, 1)
            if self.output.due:
                self._note(p)
                self.output.show(lambda: self._drawn(self.done, p.left_s))
        elif isinstance(event, JobClose):
            self._note(job.progress)
            self.output.show(lambda: self._drawn(1.0, None, (_("judging the best"),)))
        elif isinstance(event, JobEnd):
            self.over = True
            self._close(event)

    def ended_by(self, said: str) -> None:
        """The last drawing, where no event said that it is over."""
        if self.name and not self.over:
            self.output.show(lambda: self._drawn(self.done, None, (said,)))

    def _note(self, p: Any) -> None:
        from treino.tuning.populations import written

        self.figures = {
            _("networks"): _("{n:,} begun, {lost:,} diverged").format(n=p.begun, lost=p.diverged),
            _("rung"): f"{min(p.rung + 1, p.rungs)} / {p.rungs}",
            _("pace"): _("{n:,.0f} model-steps a second").format(n=p.model_steps_per_second),
        }
        if p.best is not None and p.config is not None:
            self.figures[_("best")] = f"{numeral(p.best[1])}  ({p.best[0]}: {written(p.config)})"

    def _drawn(self, done: float, left: float | None = None, said: tuple[str, ...] = ()) -> str:
        from treino.plots.live import live_sweep

        return live_sweep(self.name, done, self.figures, left, said)

    def _close(self, event: JobEnd) -> None:
        path = event.job.folder.path
        if event.interrupted:
            said: tuple[str, ...] = (_("Interrupted; go on with: treino resume {path}").format(path=path),)
        else:
            judged = (event.document.get("judge") or {}).get("sentence")
            said = (*((judged,) if judged else ()), _("Kept in {path}.").format(path=path))
            self.done = 1.0
        self.output.show(lambda: self._drawn(self.done, None, said))
