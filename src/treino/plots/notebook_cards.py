"""Cards of runs, sweeps and studies in a notebook's output: main figures, a curve, notes."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from treino.documents.run_result import RunResult
from treino.documents.run_spec import Finding
from treino.documents.sweep import SweepResult
from treino.inspection.curves import Curves
from treino.plots.captions import headline
from treino.plots.report.charts import curve_charts, figures_table
from treino.plots.style import ALARM, split_name
from treino.words import _, numeral

CARD = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;max-width:960px;padding:4px 0"
GRID = "display:flex;flex-wrap:wrap;gap:6px 24px;align-items:flex-start"
CELL = "text-align:right;padding:2px 0 2px 14px;font-variant-numeric:tabular-nums;background:none"
NAME = "text-align:left;font-weight:500;padding:2px 0;background:none"
WRONG = f"color:{ALARM}"
LEADERS = 8
SHOWN = 30  # runs in a list


def run_card(
    path: Path, data: str, status: str, result: RunResult | None, findings: Sequence[Finding], curves: Curves
) -> str:
    """A run: its headline, its figures, its loss, its findings. data: the data's name. result: None before
    the run is over."""
    parts = [_title(path.name, f"{data} · {_(status)}", status == "diverged")]
    if outcome := headline(result):
        parts.append(f"<div>{escape(outcome)}</div>")
    table = figures_table(result)
    beside = [] if table is None else [_table(table.head, [[str(c) for c in row] for row in table.rows])]
    if charts := curve_charts([curves]):
        beside.append(f"<div style='flex:1 1 420px;max-width:480px'>{charts[0].html}</div>")
    parts.append(f"<div style='{GRID}'>{''.join(beside)}</div>")
    parts += [
        f"<div><b style='{WRONG}'>{escape(finding.rule)}</b> {escape(finding.message)} "
        f"{escape(finding.fix)}</div>"
        for finding in findings
    ]
    parts.append(f"<div style='opacity:.7'>{escape(str(path))}</div>")
    return f"<div style='{CARD}'>{''.join(parts)}</div>"


def sweep_card(path: Path, status: str, result: SweepResult | None, written: Sequence[str]) -> str:
    """A sweep: what the best is worth, and the leaders by validation figures. written: their settings."""
    members = _("{n:,} networks").format(n=0 if result is None else result.members)
    parts = [_title(path.name, f"{members} · {_(status)}", status == "diverged")]
    if result is not None:
        parts += _outcome(result, written)
    parts.append(f"<div style='opacity:.7'>{escape(str(path))}</div>")
    return f"<div style='{CARD}'>{''.join(parts)}</div>"


def _outcome(result: SweepResult, written: Sequence[str]) -> list[str]:
    """The judge's sentence, and the leaders; of several seeds or folds, how much each figure varies."""
    parts = []
    if sentence := result.judge and result.judge.sentence:
        parts.append(f"<div>{escape(sentence[:1].upper() + sentence[1:])}</div>")
    if result.figures:
        rows = [
            [f"{split_name(split)} {metric}", *map(_figure, (f.mean, f.std, f.min, f.max))]
            for split, of in result.figures.items()
            for metric, f in of.items()
        ]
        parts.append(_table(("", _("mean"), _("deviation"), _("lowest"), _("highest")), rows))
    elif leaders := result.leaderboard:
        metrics = list(leaders[0].validation)
        rows = [
            [str(leader.member), *(_figure(leader.validation.get(m)) for m in metrics), settings]
            for leader, settings in list(zip(leaders, written, strict=True))[:LEADERS]
        ]
        head = [_("network"), *(_("validation {metric}").format(metric=m) for m in metrics), _("settings")]
        parts.append(_table(head, rows))
    return parts


def study_card(
    path: Path, status: str, head: Sequence[str], rows: Sequence[Sequence[str]], sentences: Sequence[str]
) -> str:
    """A study: the table of its rows, and the sentences under it."""
    parts = [_title(path.name, _(status)), _table(head, rows) if rows else ""]
    parts += [f"<div style='max-width:60em'>{escape(sentence)}</div>" for sentence in sentences]
    parts.append(f"<div style='opacity:.7'>{escape(str(path))}</div>")
    return f"<div style='{CARD}'>{''.join(parts)}</div>"


def runs_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A list of runs: ``run data status steps metric figure when`` of each, the newest first."""
    head = (_("run"), _("data"), _("status"), _("steps"), _("test figure"), _("when (UTC)"))
    body = [
        [
            row["run"],
            row["data"] or "",
            _(row["status"]),
            "" if row["steps"] is None else numeral(row["steps"], ","),
            "" if row["figure"] is None else f"{row['metric']} {numeral(row['figure'])}",
            row["when"][:16].replace("T", " "),
        ]
        for row in rows[:SHOWN]
    ]
    more = len(rows) - SHOWN
    tail = f"<div style='opacity:.7'>{escape(_('and {n} more').format(n=more))}</div>" if more > 0 else ""
    empty = f"<div>{escape(_('No runs yet.'))}</div>"
    return f"<div style='{CARD}'>{_table(head, body) if rows else empty}{tail}</div>"


def _title(name: str, text: str, alarm: bool = False) -> str:
    ink = f" style='{WRONG}'" if alarm else " style='opacity:.75'"
    return f"<div><b>{escape(name)}</b> <span{ink}>{escape(text)}</span></div>"


def _figure(value: float | None) -> str:
    return "" if value is None else numeral(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(
        f"<th scope='col' style='{CELL if i else NAME};opacity:.7'>{escape(name)}</th>"
        for i, name in enumerate(head)
    )
    lines = "".join(
        f"<tr style='background:none'><th scope='row' style='{NAME}'>{escape(row[0])}</th>"
        + "".join(f"<td style='{CELL}'>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        "<div style='overflow-x:auto'><table style='border-collapse:collapse;margin:4px 0'>"
        f"<thead><tr style='background:none'>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
