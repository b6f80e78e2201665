"""A training's events as a person watches them: what is about to happen, then one line that moves."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from treino.cli.screen import Screen
from treino.cli.summary import opening, summary
from treino.loop.loop import Advanced, Begun, Ended, Event
from treino.pictures.illustration import illustrated
from treino.training.train import RunJob, run_of
from treino.words import _, numeral


def follow(events: Iterator[Event], screen: Screen) -> int:
    """Draw a training to its end, then say how it went; -> the exit status.

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


def _watched(events: Iterator[Event], screen: Screen) -> Ended:
    """Draw the events (the line only where a person watches) and return the last one."""
    ended = begun = None
    with moving_line(screen.err, screen.live) as tell, way_on(lambda: begun):
        for event in events:
            if isinstance(event, Begun):
                begun = event
                assert isinstance(event.job, RunJob)
                for line in opening(event.job):
                    screen.out.print(line)
            elif isinstance(event, Ended):
                ended = event
            tell(event)
    assert ended is not None
    return ended


@contextmanager
def moving_line(console: Console, shown: bool) -> Iterator[Callable[[Event], None]]:
    """A line that moves with the events that it is told, from the first on, and is gone at the end."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[figures]}"), TimeRemainingColumn(),
    )  # fmt: skip
    validation = ""
    bar = Progress(*columns, console=console, disable=not shown, transient=True, refresh_per_second=8)
    task = bar.add_task(_("step"), total=1, figures="")
    with ExitStack() as moving:

        def tell(event: Event) -> None:
            nonlocal validation
            if isinstance(event, Begun):
                assert isinstance(event.job, RunJob)
                bar.update(task, total=event.job.plan.training.steps)
                moving.enter_context(bar)  # not before: what was printed above would run into it
            elif isinstance(event, Advanced):
                tick = event.tick
                for split, metrics in (tick.evaluation or {}).items():
                    shown = list(metrics.items())[:2]
                    listed = ", ".join(f"{name} {numeral(float(v[0]), '.3f')}" for name, v in shown)
                    validation = f" · {split} {listed}"
                figures = _("loss {loss:.4f}").format(loss=tick.loss) + validation
                bar.update(task, completed=tick.step, figures=figures)

        yield tell


@contextmanager
def way_on(begun: Callable[[], Any]) -> Iterator[None]:
    """A Ctrl-C that is not waited for, too, says how to go on: what was saved before is kept.

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
