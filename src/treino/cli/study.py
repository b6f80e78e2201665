"""``treino study``: compare and time training settings, with a correct loop and with the course's faults."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from treino.cli.flags import WHOLE, ScreenFlag
from treino.cli.progress import way_on
from treino.cli.screen import Screen
from treino.escaping import escape
from treino.words import N_, _

WIDE = 120  # columns of a terminal that has room for intervals
STATUS = {
    "finished": N_("study finished"),
    "interrupted": N_("study interrupted"),
}  # of a masculine word in Portuguese

CellFlag = Annotated[
    list[str] | None,
    Parameter(
        help="one more row with settings of its own, several times: batch_size=5,lr=1e-6,weight_decay=5e-6",
        negative=(),
    ),
]


def study(
    source: Annotated[str, Parameter(name="DATA", help="a built-in or a file, as for 'treino train'")],
    /,
    *,
    batch_sizes: Annotated[
        str | None, Parameter(help="batch sizes to compare; default: 100,20,5 where nothing else is compared")
    ] = None,
    until: Annotated[
        str | None,
        Parameter(
            help="count the epochs to loss=1.6 (of training rows), accuracy=0.9 (of validation rows) or "
            "both, a comma between; a bare number is a loss"
        ),
    ] = None,
    cell: CellFlag = None,
    compare: Annotated[
        str | None,
        Parameter(
            help="settings to set to all of their values: normalise, batch_norm, shuffle, impute, optimizer"
        ),
    ] = None,
    seeds: Annotated[int | None, WHOLE, Parameter(help="networks of each row; default: 1")] = None,
    screen: ScreenFlag,
    **asked: Any,
) -> int:
    """Compare settings on DATA: seconds per epoch, epochs to a figure, loss and accuracy of every epoch.

    The networks take turns, an epoch each, so that a busy minute hits all of them. With --as-taught (or
    --fault) every row is trained once more with the faults of the beginners' loop. --optimizer and --shuffle
    may be several, with commas between; what isn't compared is said by the flags of 'treino train'. Ctrl-C
    saves; 'treino resume' goes on.

    Example: treino study mnist --batch-sizes 100,20,5 --lr 1e-4 --until loss=1.6,accuracy=0.9 --as-taught
    """
    from treino.records.network_source import UserFiles
    from treino.studies.study import studying

    settings = {k: v for k, v in asked.items() if v is not None}
    where = {k: settings.pop(k, None) for k in ("name", "out")}
    events = studying(
        source,
        settings=settings,
        networks=UserFiles(),
        batch_sizes=batch_sizes,
        until=until,
        cells=cell or [],
        compare=compare,
        seeds=seeds,
        **where,
    )
    return follow(events, screen)


def follow(events: Iterator[Any], screen: Screen) -> int:
    """Show a study's progress to its end, then its results; -> the exit status.

    Raises:
        KeyboardInterrupt: after a Ctrl-C, when everything is saved, with the way on.
    """
    from treino.loop.loop import JobEnd, JobProgress, JobStart
    from treino.studies.conclusions import row_name
    from treino.studies.study import StudyJob

    bar = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[left]}"), console=screen.err, disable=not screen.live, transient=True,
        refresh_per_second=4,
    )  # fmt: skip
    begun: JobStart | None = None
    ended: JobEnd | None = None
    task = bar.add_task(_("training"), total=1.0, left="")
    with ExitStack() as moving, way_on(lambda: begun):
        for event in events:
            if isinstance(event, JobStart):
                begun = event
                assert isinstance(event.job, StudyJob)
                screen.out.print(opening(event.job))
                for notice in event.job.folder.notices:
                    screen.out.print(notice)
                moving.enter_context(bar)
            elif isinstance(event, JobProgress):
                job = event.job
                assert isinstance(job, StudyJob)
                assert job.now is not None
                named = row_name(job.facts["rows"][job.now.cell], job.facts)
                epoch = _("epoch {n} of {all}").format(n=job.now.record.epochs, all=job.facts["epochs"])
                description = escape(f"{named} · {epoch}")
                bar.update(task, completed=job.done, description=description, left=left_text(job.left_s))
            elif isinstance(event, JobEnd):
                ended = event
    assert ended is not None
    screen.document(ended.document)
    if ended.interrupted:
        raise KeyboardInterrupt(
            _("Saved. Go on with: treino resume {path}").format(path=ended.job.folder.path)
        )
    screen.out.print(summary(ended.document, screen.out.width < WIDE))
    return 0


def opening(job: Any) -> RenderableType:
    """The text before a study: its data and settings."""
    from treino.plots.style import split_name

    facts = job.facts
    networks = len(facts["rows"]) * len(facts["seed_list"])
    lines = [
        _(
            "{data}, {train:,} training rows; networks, in turns: {n}; epochs of each: {epochs}; measured on"
            " {rows:,} {split} rows"
        ).format(
            n=networks, epochs=facts["epochs"], data=facts["data"], train=facts["split"]["train"],
            rows=facts["measured_rows"], split=split_name(facts["measured_on"]),
        ),
        *job.data.notes,
    ]  # fmt: skip
    return Group(*lines, "")


def summary(d: dict[str, Any], narrow: bool = False) -> RenderableType:
    """The rows as a table, what they say, and what must be known to read them. narrow: without intervals."""
    from treino.studies.row_table import table_of

    said = _("{path}: {status}").format(path=d["path"], status=_(STATUS.get(d["status"], d["status"])))
    if not d["rows"]:
        return said
    headings, lines = table_of(d, narrow)
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in (_("mode"), _("status")) else "right")
    for line in lines:
        table.add_row(*line)
    parts: list[RenderableType] = [table, ""]
    parts += [f"- {sentence}" for sentence in d["answers"]]
    parts += [_("note: {note}").format(note=note) for note in d["notes"]]
    over = d["status"] not in ("running", "interrupted")
    on = _("next  treino plot {path}") if over else _("next  treino resume {path}")
    parts += ["", said, on.format(path=d["path"])]
    return Group(*parts)


def left_text(seconds: float | None) -> str:
    """How long it will still take, in the unit that fits."""
    if seconds is None:
        return ""
    if seconds < 90:
        return _("{n:.0f} s left").format(n=seconds)
    return _("{n:.0f} min left").format(n=seconds / 60)
