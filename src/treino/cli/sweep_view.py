"""A sweep or a study on the terminal: its settings, progress and results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType

from treino.base.console import table
from treino.base.words import N_, _, numeral
from treino.cli.block_view import shown
from treino.cli.run_view import Position, View, new_rows, run_summary
from treino.data import BUILTINS
from treino.data.splits import split_name
from treino.engine import Tick
from treino.folders.documents.sweep import StudyResult
from treino.folders.store.new_names import command_word, ended_before_it_began
from treino.folders.stored_run import StoredRun
from treino.plots.report.blocks import Paragraph, blocks_of
from treino.plots.report.sweep import study_blocks, sweep_blocks
from treino.training.choices import plain_reason
from treino.training.loop import Job, JobEnd
from treino.training.stored_results import Stored, StoredStudy, StoredSweep
from treino.training.sweeps.populations import config_text
from treino.training.sweeps.study import StudyJob
from treino.training.sweeps.study_document import row_name
from treino.training.sweeps.sweep import SweepJob
from treino_doctor.base.escaping import escape

LEADERS = 8  # rows of the leaderboard
WIDE = 120  # minimum number of columns of a terminal for a table with intervals
ENDS = {
    "finished": N_("study finished"),
    "interrupted": N_("study interrupted"),
}  # own sentences, as "study" is masculine in Portuguese


def view_of_many(job: Job) -> View:
    """The view of a sweep or a study."""
    if isinstance(job, SweepJob):
        return SweepView(job)
    assert isinstance(job, StudyJob)
    return StudyView(job)


class SweepView:
    """The view of a sweep, or of several seeds or folds, while it is trained."""

    def __init__(self, job: SweepJob) -> None:
        self.job = job
        self.printed: Sequence[str] = job.data.notes

    def opening(self) -> list[RenderableType]:
        """The text before a sweep: data, space and strategy."""
        data, options = self.job.data, self.job.sweep.options
        self.printed = [*data.notes, *(self.job.sweep.notes if options.spread else ())]
        rows = {split: len(part) for split, part in data.splits.items()}
        size = _(
            "{n:,} networks on {data}: {train:,} training, {validation:,} validation, {test:,} test rows"
        )
        how = _("{sampler} settings, strategy {strategy}, chosen by the validation rows")
        more = [] if data.source in BUILTINS else [plain_reason(_("each stands for itself"))]
        if options.spread:
            how, more = _("equal settings; each differs in its {what}"), [*self.job.sweep.notes]
        what = _(" and ").join(d.name for d in self.job.sweep.space.dimensions)
        return [
            size.format(n=options.members, data=data.name, **rows),
            *data.notes,
            how.format(what=what, sampler=options.sampler, strategy=options.strategy),
            *more,
            "",
            *self.job.folder.notices,
        ]

    def position(self, tick: Tick) -> Position:
        """The sweep's rung, its best network so far, the number of networks begun and the pace."""
        job, sweep, bracket = self.job, self.job.sweep, self.job.bracket
        assert bracket is not None
        best, steps = "–", job.model_steps
        if job.best is not None:
            member, figure = job.best
            best = f"{numeral(figure)}  ({member}: {config_text(sweep.configs[member])})"
        return Position(
            done=steps / max(job.planned_steps, steps, 1),
            label=_("rung"),
            count=f"{min(bracket.rung + 1, len(bracket.rungs))} / {len(bracket.rungs)}",
            left_s=job.left_s,
            figures={
                _("best"): best,
                _("networks"): _("{n:,} begun, {lost:,} diverged").format(
                    n=bracket.first + len(bracket.configs), lost=job.lost_before + bracket.diverged
                ),
                _("pace"): _("{n:,.0f} model-steps a second").format(
                    n=steps / sweep.seconds if sweep.seconds else 0.0
                ),
            },
        )

    def closing(self) -> str:
        return _("measuring") if self.job.sweep.options.spread else _("judging")

    def summary(self, end: JobEnd, width: int) -> RenderableType:
        """The leaderboard and the judgement; for seeds or folds, the variation of each metric."""
        return sweep_summary(StoredSweep(self.job.folder), self.printed)


class StudyView:
    """The view of a study while it is trained."""

    def __init__(self, job: StudyJob) -> None:
        self.job = job

    def opening(self) -> list[RenderableType]:
        """The text before a study: data and settings."""
        facts = self.job.facts
        how = _("in turns") if self.job.bracket.distribution is None else _("on a cluster")
        text = _(
            "{data}, {train:,} training rows; networks, {how}: {n}; epochs of each: {epochs}; measured on "
            "{rows:,} {split} rows"
        )
        n, train = len(facts.rows) * len(facts.seed_list), facts.split["train"]
        measured = {"rows": facts.measured_rows, "split": split_name(facts.measured_on)}
        sizes = text.format(how=how, n=n, epochs=facts.epochs, data=facts.data, train=train, **measured)
        return [sizes, *self.job.data.notes, "", *self.job.folder.notices]

    def position(self, tick: Tick) -> Position:
        """The study's present row, with its epoch and its loss."""
        job, now = self.job, self.job.bracket.now
        assert now is not None
        row, losses = now.members[0] // len(job.facts.seed_list), now.record.loss
        loss = float(tick.loss) if job.bracket.distribution is None or not losses else losses[-1]
        return Position(
            done=job.done,
            label=escape(row_name(job.facts.rows[row], job.facts)),
            count=_("epoch {n} of {all}").format(n=len(now.record.loss), all=job.facts.epochs),
            left_s=job.left_s,
            figures={_("loss"): "–" if loss is None else numeral(loss, ".4f")},
        )

    def closing(self) -> str:
        return _("measuring")

    def summary(self, end: JobEnd, width: int) -> RenderableType:
        """The rows as a table, the conclusions, and the notes."""
        return study_summary(StudyResult.model_validate(end.document), width)


def sweep_summary(sweep: StoredSweep, earlier: Sequence[str] = ()) -> RenderableType:
    """The leaderboard, the judgement and suggestions; for seeds or folds, the variation of each metric
    instead of leaderboard and judgement. earlier: notes that were already printed."""
    result = sweep.result
    if result is None:
        return without_result(sweep)
    blocks = blocks_of(sweep_blocks(result, LEADERS))
    parts = [
        *shown(block for block in blocks if not (isinstance(block, Paragraph) and block.text in earlier)),
        "",
        _("sweep {path}: {status}").format(path=sweep.path, status=_(sweep.status)),
    ]
    rows = new_rows(sweep.folder)
    if result.best:
        command = _("next  treino predict {path} {rows}   treino export {path}")
        parts.append(command.format(path=sweep.path, rows=rows))
    if result.figures:
        together = _("next  treino predict {path} {rows} --top {n}")
        parts.append(together.format(path=sweep.path, rows=rows, n=result.members))
    return Group(*parts)


def status_line(path: str | Path, status: str) -> str:
    """The path and the status of a study."""
    return _("{path}: {status}").format(path=path, status=_(ENDS.get(status, status)))


def without_result(stored: StoredSweep | StoredStudy) -> RenderableType:
    """The status of a sweep or a study that has no result yet, and how an interrupted one goes on."""
    sentence = _("sweep {path}: {status}").format(path=stored.path, status=_(stored.status))
    line = sentence if isinstance(stored, StoredSweep) else status_line(stored.path, stored.status)
    if stored.status != "interrupted":
        return line
    if not stored.folder.has(stored.folder.manifest.first):
        return str(ended_before_it_began(stored.path))
    command = f"treino resume {command_word(stored.path)}"
    return Group(line, _("next {command}").format(command=command))


def study_summary(result: StudyResult, width: int) -> RenderableType:
    """The rows as a table, the conclusions, and the notes. width: columns of the terminal."""
    parts = shown(blocks_of(study_blocks(result, narrow=width < WIDE)))
    over = result.status not in ("running", "interrupted")
    on = _("next  treino plot {path}") if over else _("next  treino resume {path}")
    parts += ["", status_line(result.path, result.status), on.format(path=result.path)]
    return Group(*parts)


def member_summary(d: dict[str, Any]) -> RenderableType:
    """One network of a sweep: its own settings, and its metrics at each rung. d: the network's document."""
    measured = [{k: v for k, v in row.items() if k.startswith("validation_")} for row in d["rungs"]]
    metrics = (name.removeprefix("validation_") for name in measured[-1])
    rows = []
    for row, figures in zip(d["rungs"], measured, strict=True):
        cells = ("" if f is None else numeral(f) for f in figures.values())
        rows.append((str(row["rung"]), numeral(row["epochs"], ",.0f"), *cells, _(row["status"])))
    title = _("network {n} of {sweep}: {params}").format(
        n=d["member"], sweep=d["sweep"], params=config_text(d["params"])
    )
    again = _("next  treino train --like {sweep}:{n}").format(sweep=d["sweep"], n=d["member"])
    return Group(title, table((_("rung"), _("epochs"), *metrics, _("status")), rows, left=()), "", again)


# ---- what ``treino show`` prints


def summary(stored: Stored, width: int) -> RenderableType:
    """The summary of a run, sweep, study or network. width: columns of the terminal."""
    if isinstance(stored, StoredRun):
        if stored.folder.kind == "run":
            return run_summary(stored)
        shown = member_summary(stored.document)
    elif isinstance(stored, StoredSweep):
        shown = sweep_summary(stored)
    elif (result := stored.result) is None:
        shown = without_result(stored)
    else:
        shown = study_summary(result, width)
    return Group(shown, *stored.folder.notices)
