"""A study's rows as a person reads them: headings and cells, for the terminal and the notebook."""

from collections.abc import Mapping
from typing import Any

from treino.engine.metrics import BETTER
from treino.plots.style import number
from treino.words import _
from treino.workflows.study.answers import MILLISECONDS_BELOW, last, mode_name, seconds_text


def table_of(d: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The headings, and a list of cells for each row of the document."""
    names = [n for n in ("batch_size", *d["varied"]) if n != "batch_size" or "batch_size" in d["varied"]]
    names = list(dict.fromkeys(names)) or ["batch_size"]
    several = len(d["modes"]) > 1
    headings = [*names, *([_("mode")] if several else []), _("s/epoch"), _("interval"), _("updates")]
    for metric, figure in d["until"].items():
        sign = "<" if BETTER[metric] < 0 else "≥"
        headings += [
            _("epochs to {metric} {sign} {figure:g}").format(metric=metric, sign=sign, figure=figure)
        ]
    headings += [_("loss first → last"), d["metric"], _("status")]
    lines = []
    for row in d["rows"]:
        low_high = row["seconds_interval"]
        line = [_cell(row["settings"].get(name, row.get(name))) for name in names]
        line += [mode_name(row["mode"])] if several else []
        line += [seconds_text(row["seconds_per_epoch"])]
        line += ["–" if low_high is None else _span(*low_high)]
        line += [f"{row['updates_per_epoch']:,}"]
        for metric in d["until"]:
            epoch = row[f"epochs_to_{metric}"]
            line += [_("never") if epoch is None else str(epoch)]
        losses = [row["loss"][0], row["loss"][-1]] if row["loss"] else [None]
        line += [" → ".join("–" if v is None else f"{v:.4f}" for v in losses)]
        end, bounds = last(row, d["metric"]), row.get("accuracy_interval")
        span = f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""
        line += ["–" if end is None else f"{end:.3f}{span}", _(row["status"])]
        lines.append(line)
    return headings, lines


def _span(low: float, high: float) -> str:
    """Both in the unit of the larger: 2.31 – 4.5 s."""
    unit = 1.0 if high >= MILLISECONDS_BELOW else 1000.0
    return f"{low * unit:.3g} – {seconds_text(high)}"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value)) or "none"
    return "–" if value is None else number(value) if isinstance(value, float) else str(value)
