"""The display of a training (run, sweep or study): settings, a progress line and results, or JSON."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from treino.base.words import _
from treino.cli.run_view import Position, RunView, View
from treino.cli.screen import Screen, exit_status
from treino.folders.store.new_names import command_word
from treino.reports.tracking import Tracking
from treino.training.loop import Job, JobAlert, JobClose, JobEnd, JobEvent, JobProgress, JobRefit, JobStart
from treino.training.train import RunJob

BAR = 16  # width in characters
LOG_SECONDS = 5.0  # minimum seconds between two lines of a log


def view_of(job: Job) -> View:
    """The view for this kind of job."""
    if isinstance(job, RunJob):
        return RunView(job)
    from treino.cli.sweep_view import view_of_many  # imported only for sweeps and studies

    return view_of_many(job)


def follow(events: Iterator[JobEvent], screen: Screen, tracking: Tracking | None = None) -> int:
    """Show a training's progress to its end, then its results; return the exit status: 4 if every network
    diverged, else 0.

    Raises:
        KeyboardInterrupt: after a Ctrl-C, with the command to resume; after a second Ctrl-C, which stops at
            once, only what was saved before is kept.
    """
    start: JobStart | None = None
    end: JobEnd | None = None
    with ProgressLine(screen.err, screen.live, screen.report) as moving:
        try:
            for event in events if tracking is None else tracking.events(events):
                if isinstance(event, JobStart):
                    for text in view_of(event.job).opening() if start is None else ():
                        screen.out.print(text)
                    start = event
                elif isinstance(event, JobEnd):
                    end = event
                moving.show(event)
        except KeyboardInterrupt as stop:
            if start is None or str(stop):
                raise
            message = _("Stopped at once. What was saved before is kept; go on with: treino resume {path}")
            raise KeyboardInterrupt(message.format(path=command_word(start.job.folder.path))) from None
    assert end is not None
    for failure in () if tracking is None else tracking.failures:
        screen.err.print(failure)
    screen.document(end.document)
    if end.interrupted:
        path = command_word(end.job.folder.path)
        raise KeyboardInterrupt(_("Saved. Go on with: treino resume {path}").format(path=path))
    screen.out.print(view_of(end.job).summary(end, screen.out.width))
    return exit_status(end.document)


class ProgressLine:
    """A progress line on a terminal, removed at the end; in a log, lines at the ends of epochs.

    A narrow terminal cuts the figures, not the bar and the time left. Lines of a log are LOG_SECONDS apart or
    more, so that a short training prints none. live: whether the output is a terminal. report: gets each
    position in place of the terminal and the log.
    """

    def __init__(
        self, console: Console, live: bool, report: Callable[[float, float, str], None] | None = None
    ) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=BAR),
            TextColumn("{task.fields[count]}", markup=False),
            TextColumn("{task.fields[left]}", table_column=Column(min_width=7, no_wrap=True)),
            TextColumn(
                "{task.fields[figures]}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
        )
        self._console, self._live, self._logged = console, live, time.monotonic()
        self._bar = Progress(*columns, console=console, transient=True, expand=True)
        self._task = self._bar.add_task(_("training"), total=1.0, count="", left="", figures="")
        self._view: View | None = None
        self._refits = False  # whether the view is of the run's refit
        self._report = report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._bar.stop()

    def show(self, event: JobEvent) -> None:
        """Draw an event on the terminal, or write it to the log."""
        if isinstance(event, JobStart):
            self._view = view_of(event.job)
            if self._live:
                self._bar.start()  # after the opening text is printed
        elif isinstance(event, JobProgress | JobRefit) and self._view is not None:
            if isinstance(event, JobRefit) and not self._refits:
                self._view, self._refits = view_of(event.job), True
            position = self._view.position(event.tick)
            if self._refits:
                position = replace(position, label=_("refit, step"), moment="")
            if self._report is not None:
                self._report(position.done, 1.0, f"{_moment(position)}: {figures_text(position)}")
            elif self._live:
                self._draw(position)
            elif event.tick.epochs and time.monotonic() - self._logged >= LOG_SECONDS:
                self._logged = time.monotonic()
                self._console.print(f"{_moment(position)}: {figures_text(position)}")
        elif isinstance(event, JobAlert):
            self._console.print(event.message)  # above the line that moves
        elif isinstance(event, JobClose) and self._view is not None:
            self._bar.update(self._task, description=self._view.closing())

    def _draw(self, position: Position) -> None:
        left = "-:--:--" if position.left_s is None else str(timedelta(seconds=round(position.left_s)))
        self._bar.update(
            self._task,
            completed=position.done,
            description=position.label,
            count=position.count,
            left=left,
            figures=figures_text(position),
        )


def _moment(position: Position) -> str:
    return position.moment or f"{position.label} {position.count}"


def figures_text(position: Position) -> str:
    """The figures as one line of text."""
    return " · ".join(f"{name} {value}" for name, value in position.figures.items())
