"""Progress of a training on the terminal: its settings, then one line that is updated."""

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from treino.cli.screen import Screen
from treino.cli.summary import opening, summary
from treino.loop.loop import JobEnd, JobEvent, JobProgress, JobStart
from treino.pictures.illustration import illustrated
from treino.plots.style import split_name
from treino.training.train import RunJob, run_of
from treino.words import _, numeral

BAR = 16  # letters
LOG_SECONDS = 5.0  # between two lines of a log, at least


def follow(events: Iterator[JobEvent], screen: Screen) -> int:
    """Show a training's progress to its end, then its results; -> the exit status.

    Raises:
        KeyboardInterrupt: after a Ctrl-C, when everything is saved, with the way on.
    """
    ended = _watched(illustrated(events), screen)
    run = run_of(ended.job)
    screen.document(ended.document)
    if ended.interrupted:
        raise KeyboardInterrupt(_("Saved. Go on with: treino resume {run}").format(run=run.typed))
    screen.out.print(summary(run))
    return 0


def _watched(events: Iterator[JobEvent], screen: Screen) -> JobEnd:
    """Draw the events (the line only where a person watches) and return the last one."""
    ended = begun = None
    with moving_line(screen.err, screen.live) as tell, way_on(lambda: begun):
        for event in events:
            if isinstance(event, JobStart):
                begun = event
                assert isinstance(event.job, RunJob)
                for line in opening(event.job):
                    screen.out.print(line)
            elif isinstance(event, JobEnd):
                ended = event
            tell(event)
    assert ended is not None
    return ended


@contextmanager
def moving_line(console: Console, shown: bool) -> Iterator[Callable[[JobEvent], None]]:
    """A progress line that is updated by events and removed at the end; in a log, a line per epoch.

    Where there is little room the figures are cut, not the bar and the time that is left. In a log a line
    comes at most every few seconds, so that a short training says nothing before its end.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=BAR), TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(table_column=Column(min_width=7, no_wrap=True)),
        TextColumn("{task.fields[figures]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )  # fmt: skip
    steps, epochs, validation, said = 1, 0, "", time.monotonic()
    bar = Progress(*columns, console=console, disable=not shown, transient=True, expand=True)
    task = bar.add_task(_("step"), total=1, figures="", count="")
    with ExitStack() as moving:

        def tell(event: JobEvent) -> None:
            nonlocal steps, epochs, validation, said
            if isinstance(event, JobStart):
                assert isinstance(event.job, RunJob)
                steps = event.job.plan.training.steps
                epochs = -(-steps // event.job.plan.training.steps_per_epoch)
                bar.update(task, total=steps)
                moving.enter_context(bar)  # not before: what was printed above would run into it
            elif isinstance(event, JobProgress):
                tick = event.tick
                for split, metrics in (tick.evaluation or {}).items():
                    listed = list(metrics.items())[:2]
                    figures = ", ".join(f"{name} {numeral(float(v[0]), '.3f')}" for name, v in listed)
                    validation = f" · {split_name(split)} {figures}"
                figures = _("loss {loss:.4f}").format(loss=tick.loss) + validation
                count = f"{numeral(tick.step, ',')}/{numeral(steps, ',')}"
                bar.update(task, completed=tick.step, figures=figures, count=count)
                if not shown and tick.epochs and time.monotonic() - said >= LOG_SECONDS:
                    said = time.monotonic()
                    line = _("epoch {epoch:,} of {epochs:,}, step {count}: {figures}")
                    epoch = tick.epochs[-1].number
                    console.print(line.format(epoch=epoch, epochs=epochs, count=count, figures=figures))

        yield tell


@contextmanager
def way_on(begun: Callable[[], Any]) -> Iterator[None]:
    """Say how to resume after a second Ctrl-C too, which isn't waited for.

    begun: the event that named the folder, or None before it.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        event = begun()
        if event is None or str(stop):
            raise
        said = _("Stopped at once. What was saved before is kept; go on with: treino resume {path}")
        raise KeyboardInterrupt(said.format(path=shlex.quote(str(event.job.folder.path)))) from None
