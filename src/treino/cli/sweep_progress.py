"""Progress of a sweep on the terminal: lines that are updated, then its results."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from treino.cli.progress import way_on
from treino.cli.screen import Screen
from treino.loop.loop import JobClose, JobEnd, JobEvent, JobProgress, JobStart
from treino.tuning.populations import written
from treino.tuning.sweep import SweepJob
from treino.tuning.sweep_state import SweepProgress
from treino.words import N_, _, numeral

LEADERS = 8
SPLITS = {"train": N_("train"), "validation": N_("validation"), "test": N_("test")}


def follow(events: Iterator[JobEvent], screen: Screen) -> int:
    """Show a sweep's progress to its end, then its results; -> the exit status.

    Raises:
        KeyboardInterrupt: after a Ctrl-C, when everything is saved, with the way on.
    """
    ended: JobEnd | None = None
    begun: JobStart | None = None
    with way_on(lambda: begun), moving_figures(screen.err, screen.live) as tell:
        for event in events:
            if isinstance(event, JobStart):
                begun = event
                assert isinstance(event.job, SweepJob)
                for line in (*opening(event.job), *event.job.folder.notices):
                    screen.out.print(line)
            elif isinstance(event, JobEnd):
                ended = event
            tell(event)
    assert ended is not None
    screen.document(ended.document)
    if ended.interrupted:
        raise KeyboardInterrupt(
            _("Saved. Go on with: treino resume {sweep}").format(sweep=ended.job.folder.path.name)
        )
    screen.out.print(summary(ended.document, begun.job.data.notes if begun else ()))
    return 0


@contextmanager
def moving_figures(console: Console, shown: bool) -> Iterator[Callable[[JobEvent], None]]:
    """Figures and a progress bar that are updated by events and removed at the end."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        console=console, auto_refresh=False,
    )  # fmt: skip
    task = bar.add_task(_("training"), total=None)
    live = Live(console=console, transient=True, refresh_per_second=4, auto_refresh=False)
    with ExitStack() as drawn:
        if shown:
            drawn.enter_context(live)

        def tell(event: JobEvent) -> None:
            if isinstance(event, JobStart | JobEnd):
                return
            assert isinstance(event.job, SweepJob)
            p = event.job.progress
            if isinstance(event, JobProgress):
                bar.update(task, completed=p.model_steps, total=max(p.planned_steps, p.model_steps))
            elif isinstance(event, JobClose):
                bar.update(task, description=_("judging"), total=None)
            if shown:
                live.update(Group(moving(p), bar), refresh=True)

        yield tell


def opening(job: SweepJob) -> list[RenderableType]:
    """The text before a sweep: its data, space and strategy."""
    data, asked = job.data, job.sweep.asked
    rows = {split: len(part) for split, part in data.splits.items()}
    return [
        _(
            "{n:,} networks on {data}: {train:,} training, {validation:,} validation, {test:,} test rows"
        ).format(n=asked.members, data=data.name, **rows),
        *data.notes,
        _("equal settings; each differs in its {what}").format(
            what=_(" and ").join(d.name for d in asked.space.dimensions)
        )
        if asked.spread
        else _("{sampler} settings, strategy {strategy}, chosen by the validation rows").format(
            sampler=asked.sampler, strategy=asked.strategy
        ),
        "",
    ]


def moving(p: SweepProgress) -> RenderableType:
    """The figures that are updated during a sweep."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column()
    table.add_row(_("networks"), _("{n:,} begun, {lost:,} diverged").format(n=p.begun, lost=p.diverged))
    table.add_row(_("rung"), f"{min(p.rung + 1, p.rungs)} / {p.rungs}")
    table.add_row(_("pace"), _("{n:,.0f} model-steps a second").format(n=p.model_steps_per_second))
    if p.best is not None and p.config is not None:
        member, figure = p.best
        table.add_row(_("best"), f"{numeral(figure)}  ({member}: {written(p.config)})")
    return table


def summary(d: dict[str, Any], said: Sequence[str] = ()) -> RenderableType:
    """The leaderboard, the judgement, and suggestions. said: notes that were printed before."""
    if "figures" in d:
        return spread_summary(d, said)
    parts: list[RenderableType] = [
        _(
            "{members:,} networks in {seconds:.1f} s ({pace:,.0f} model-steps a second): "
            "{finished:,} finished, {stopped:,} stopped, {diverged:,} diverged"
        ).format(
            members=d["members"], seconds=d["seconds"], pace=d["model_steps_per_second"],
            finished=d["finished"], stopped=d["stopped"], diverged=d["diverged"],
        )
    ]  # fmt: skip
    if d["leaderboard"]:
        parts += ["", _leaders(d)]
    judged = d["judge"] or {}
    if judged.get("sentence"):
        parts += ["", judged["sentence"][:1].upper() + judged["sentence"][1:]]
    if judged:
        same = judged["certificate"]["same_bits"]
        parts.append(
            _("Trained alone, network {n} has the same bits.").format(n=d["best"]["member"])
            if same
            else _("Trained alone, network {n} has OTHER bits: please report this.").format(
                n=d["best"]["member"]
            )
        )
    parts += [
        *(n for n in d["notes"] if n not in said),
        "",
        _("sweep {path}: {status}").format(path=d["path"], status=_(d["status"])),
    ]
    if d["best"]:
        parts.append(_("next  treino predict {path} FILE.csv   treino export {path}").format(path=d["path"]))
    return Group(*parts)


def spread_summary(d: dict[str, Any], said: Sequence[str] = ()) -> RenderableType:
    """The variation of each figure over seeds or folds, and the steps to a goal."""
    head = _(
        "{members:,} networks in {seconds:.1f} s ({pace:,.0f} model-steps a second), {diverged} diverged"
    )
    facts = {name: d[name] for name in ("members", "seconds", "diverged")}
    parts: list[RenderableType] = [head.format(pace=d["model_steps_per_second"], **facts), ""]
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for split in d["figures"]:
        table.add_column(_("{split}: mean ± deviation").format(split=_(SPLITS[split])), justify="right")
        table.add_column(_("range"), justify="right")
    for name in dict.fromkeys(n for of in d["figures"].values() for n in of):
        cells = []
        for of in d["figures"].values():
            f = of.get(name) or {"mean": None}
            if f["mean"] is None:
                cells += ["–", ""]
                continue
            cells += [
                numeral(f["mean"]) + ("" if f["std"] is None else f" ± {numeral(f['std'], '.2g')}"),
                f"{numeral(f['min'])} – {numeral(f['max'])}",
            ]
        table.add_row(name, *cells)
    parts += [table] if d["figures"] else []
    if (reached := d.get("reached")) is not None:
        parts += ["", steps_sentence(reached, d["members"])]
    parts += [
        *(n for n in d["notes"] if n not in said),
        "",
        _("sweep {path}: {status}").format(path=d["path"], status=_(d["status"])),
    ]
    if d["figures"]:
        parts.append(
            _("next  treino predict {path} FILE.csv --top {n}").format(path=d["path"], n=d["members"])
        )
    return Group(*parts)


def steps_sentence(reached: dict[str, Any], members: int) -> str:
    facts = {"metric": reached["metric"], "value": reached["value"], "n": members, "never": reached["never"]}
    if reached["never"] == members:
        return _("None of {n} reached a validation {metric} of {value:g}.").format(**facts)
    sentence = _(
        "A validation {metric} of {value:g} was reached in {low:,} to {high:,} steps, median {median:,.0f} "
        "(looked at after every step, from the 50th on every 2 %)"
    ).format(low=reached["min"], high=reached["max"], median=reached["median"], **facts)
    return sentence + (_("; {never} of {n} never did.").format(**facts) if reached["never"] else ".")


def member_summary(d: dict[str, Any]) -> RenderableType:
    """One network of a sweep: its own settings, and its figures at each rung."""
    table = Table(box=None, pad_edge=False)
    rows = [{k: v for k, v in row.items() if k.startswith("validation_")} for row in d["rungs"]]
    for heading in (_("rung"), _("epochs"), *(k.removeprefix("validation_") for k in rows[-1]), _("status")):
        table.add_column(heading, justify="right")
    for row, figures in zip(d["rungs"], rows, strict=True):
        cells = ("" if f is None else numeral(f) for f in figures.values())
        table.add_row(str(row["rung"]), numeral(row["epochs"], ",.0f"), *cells, _(row["status"]))
    title = _("network {n} of {sweep}: {params}").format(
        n=d["member"], sweep=d["sweep"], params=written(d["params"])
    )
    again = _("next  treino train --like {sweep}:{n}").format(sweep=d["sweep"], n=d["member"])
    return Group(title, table, "", again)


def _leaders(d: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    metrics = list(d["leaderboard"][0]["validation"])
    for heading in (_("network"), *metrics, _("parameters"), _("epochs"), _("settings")):
        table.add_column(heading, justify="left" if heading == _("settings") else "right", no_wrap=True)
    for entry in d["leaderboard"][:LEADERS]:
        figures = (entry["validation"].get(m) for m in metrics)
        table.add_row(
            str(entry["member"]),
            *("" if f is None else numeral(f) for f in figures),
            numeral(entry["parameters"], ","),
            numeral(entry["epochs"], ",.0f"),
            written(entry["params"]),
        )
    return table
