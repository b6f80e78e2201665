"""A sweep on the terminal: what it tries, how far it is, and its results."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from treino.cli.view import Position
from treino.engine import Tick
from treino.loop.loop import JobEnd
from treino.tuning.populations import config_text
from treino.tuning.sweep import SweepJob
from treino.words import N_, _, numeral

LEADERS = 8
SPLITS = {"train": N_("train"), "validation": N_("validation"), "test": N_("test")}


class SweepView:
    """A sweep, several seeds or folds as their display shows them."""

    def __init__(self, job: SweepJob) -> None:
        self.job = job

    def opening(self) -> list[RenderableType]:
        """The text before a sweep: its data, space and strategy."""
        data, options = self.job.data, self.job.sweep.options
        rows = {split: len(part) for split, part in data.splits.items()}
        return [
            _(
                "{n:,} networks on {data}: {train:,} training, {validation:,} validation, {test:,} test rows"
            ).format(n=options.members, data=data.name, **rows),
            *data.notes,
            _("equal settings; each differs in its {what}").format(
                what=_(" and ").join(d.name for d in options.space.dimensions)
            )
            if options.spread
            else _("{sampler} settings, strategy {strategy}, chosen by the validation rows").format(
                sampler=options.sampler, strategy=options.strategy
            ),
            "",
            *self.job.folder.notices,
        ]

    def position(self, tick: Tick) -> Position:
        """Its rung, its best network so far, how many are trained and how fast."""
        p = self.job.progress
        best = "–"
        if p.best is not None and p.config is not None:
            best = f"{numeral(p.best[1])}  ({p.best[0]}: {config_text(p.config)})"
        return Position(
            done=p.model_steps / max(p.planned_steps, p.model_steps, 1),
            label=_("rung"),
            count=f"{min(p.rung + 1, p.rungs)} / {p.rungs}",
            left_s=p.left_s,
            figures={
                _("best"): best,
                _("networks"): _("{n:,} begun, {lost:,} diverged").format(n=p.begun, lost=p.diverged),
                _("pace"): _("{n:,.0f} model-steps a second").format(n=p.model_steps_per_second),
            },
        )

    def closing(self) -> str:
        return _("measuring") if self.job.sweep.options.spread else _("judging")

    def summary(self, end: JobEnd, width: int) -> RenderableType:
        """The leaderboard and the judgement, or the variation of each figure."""
        return sweep_summary(end.document, self.job.data.notes)


def sweep_summary(d: dict[str, Any], said: Sequence[str] = ()) -> RenderableType:
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
        n=d["member"], sweep=d["sweep"], params=config_text(d["params"])
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
            config_text(entry["params"]),
        )
    return table
