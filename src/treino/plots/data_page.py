"""The HTML page about a table: its columns with small histograms, and its problems.

Nothing is loaded from anywhere, every text that comes from data is escaped, and it reads in light and dark.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from treino.plots.page import page
from treino.words import _, numeral

WIDTH, HEIGHT = 168, 36  # of a column's picture, in pixels
CLASSES = 30

STYLE = """
ul.warnings { list-style: none; padding: 0; } ul.warnings li { background: var(--warn); border-left: 4px solid var(--alarm);
  margin: .4rem 0; padding: .5rem .75rem; border-radius: 0 4px 4px 0; overflow-wrap: anywhere; }
td.name { font-weight: 600; min-width: 7rem; max-width: 16rem; overflow-wrap: anywhere; } tr.target td { background: color-mix(in srgb, var(--bar) 12%, transparent); }
tr.out td { color: var(--soft); } svg { display: block; } svg rect { fill: var(--bar); } svg text { fill: var(--ink); font: 10px system-ui, sans-serif; }
"""  # noqa: E501


def data_page(facts: Mapping[str, Any]) -> str:
    """The page of what ``treino.data.describe`` found."""
    name = escape(str(facts["name"]))
    parts = [
        f"<h1>{name}</h1>",
        f'<p class="soft">{escape(_said_of(facts))}</p>',
        *(f'<p class="soft">{escape(note)}</p>' for note in facts["notes"]),
        _warnings(facts["warnings"]),
        _classes(facts),
        f"<h2>{escape(_('Columns'))}</h2>",
        _columns(facts),
    ]
    return page(str(facts["name"]), "\n".join(part for part in parts if part), STYLE)


def _said_of(facts: Mapping[str, Any]) -> str:
    said = _("{rows:,} rows, {columns:,} columns").format(rows=facts["rows"], columns=len(facts["columns"]))
    if facts["target"] is None:
        names = ", ".join(facts["likely_targets"])
        return said + "; " + (_("no target yet: {names}?").format(names=names) if names else _("no target"))
    return said + "; " + _("target {name}: {task}").format(name=facts["target"], task=_(facts["task"]))


def _warnings(warnings: Sequence[Mapping[str, Any]]) -> str:
    if not warnings:
        return f"<h2>{escape(_('Nothing to warn of'))}</h2>"
    items = (
        f"<li>{escape(w['message'])} <span class='soft'>{escape(w.get('hint') or '')}</span></li>"
        for w in warnings
    )
    return f"<h2>{escape(_('To look at'))}</h2><ul class='warnings'>{''.join(items)}</ul>"


def _classes(facts: Mapping[str, Any]) -> str:
    """How many rows each class has, as bars."""
    names, counts = facts["classes"][:CLASSES], facts["class_rows"][:CLASSES]
    if not counts:
        return ""
    most, total = max(counts), max(1, sum(facts["class_rows"]))
    rows = "".join(
        f"<tr><td class='name'>{escape(str(n))}</td><td class='number'>{numeral(c, ',')}</td>"
        f"<td class='number'>{numeral(c / total, '.1%')}</td>"
        f"<td><svg width='320' height='12' role='img' aria-label='{c}'>"
        f"<rect width='{320 * c / max(1, most):.1f}' height='12'/></svg></td></tr>"
        for n, c in zip(names, counts, strict=True)
    )
    more = len(facts["classes"]) - len(names)
    tail = f"<p class='soft'>{escape(_('and {n} more').format(n=more))}</p>" if more > 0 else ""
    head = escape(_("Classes of {name}").format(name=facts["target"]))
    return f"<h2>{head}</h2><div class='scroll'><table>{rows}</table></div>{tail}"


def _columns(facts: Mapping[str, Any]) -> str:
    headings = (
        _("column"), _("kind"), _("values"), _("missing"), _("distinct"), _("from"), _("to"), _("outliers"),
        _("with the target"),
    )  # fmt: skip
    head = "".join(
        f"<th{' class=number' if i > 2 else ''}>{escape(heading)}</th>" for i, heading in enumerate(headings)
    )
    rows = "".join(_row(column, facts) for column in facts["columns"])
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _row(column: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    kind = column["kind"] + (_(" (left out)") if column["way"] == "out" else "")
    mark = "target" if column["name"] == facts["target"] else "out" if column["way"] == "out" else ""
    share = column["missing"] / max(1, facts["rows"])
    missing = f"{numeral(column['missing'], ',')} ({numeral(share, '.1%')})" if column["missing"] else ""
    related = column["correlation"]
    cells = [
        f"<td class='name'>{escape(str(column['name']))}</td>",
        f"<td>{escape(kind)}</td>",
        f"<td>{'' if column['kind'] in ('identifier', 'text') else picture(column)}</td>",
        f"<td class='number'>{missing}</td>",
        f"<td class='number'>{numeral(column['unique'], ',')}</td>",
        f"<td class='number'>{_value(column['minimum'])}</td>",
        f"<td class='number'>{_value(column['maximum'])}</td>",
        f"<td class='number'>{column['outliers'] or ''}</td>",
        f"<td class='number'>{'' if related is None else numeral(related, '.2f')}</td>",
    ]
    return f"<tr class='{mark}'>{''.join(cells)}</tr>"


def _value(value: Any) -> str:
    return "" if value is None else escape(value) if isinstance(value, str) else numeral(value, ".6g")


def picture(column: Mapping[str, Any]) -> str:
    """A column's values as a small SVG: a histogram of numbers and dates, bars of the commonest words."""
    shape = column.get("shape")
    if not shape:
        return ""
    counts = [*shape["counts"], *([shape["others"]] if shape.get("others") else [])]
    most = max([*counts, 1])
    step = WIDTH / len(counts)
    names = shape.get("values") or []
    bars = []
    for i, count in enumerate(counts):
        height = max(HEIGHT * count / most, 1.0 if count else 0.0)
        said = f"{_name(shape, names, i)}: {numeral(count, ',')}"
        bars.append(
            f"<rect x='{i * step + 0.5:.1f}' y='{HEIGHT - height:.1f}' width='{max(step - 1, 0.5):.1f}' "
            f"height='{height:.1f}'><title>{escape(said)}</title></rect>"
        )
    label = escape(_("values of {name}").format(name=column["name"]), quote=True)
    return (
        f"<svg width='{WIDTH}' height='{HEIGHT}' viewBox='0 0 {WIDTH} {HEIGHT}' role='img' "
        f'aria-label="{label}">{"".join(bars)}</svg>'
    )


def _name(shape: Mapping[str, Any], names: Sequence[str], i: int) -> str:
    if names:
        return names[i] if i < len(names) else _("others")
    low, high = shape["edges"][i], shape["edges"][i + 1]
    if shape.get("dates"):
        return f"{_day(low)} – {_day(high)}"
    if shape.get("times"):
        return f"{_clock(low)} – {_clock(high)}"
    return f"{numeral(low)} – {numeral(high)}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}"


def _day(seconds: float) -> str:
    return str(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))[:10]
