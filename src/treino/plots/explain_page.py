"""An explanation as a self-contained HTML page: MathML formulas, SVG pictures, light and dark mode."""

from collections.abc import Sequence
from html import escape

from treino.base.formula import Expr
from treino.base.words import _
from treino.inspection.microscope.explanation import Chart, Check, Explanation, Step, StepTable
from treino.plots.explain_formula import DIGITS, MATHML, mathml, text
from treino.plots.explain_svg import chart, graph
from treino.plots.explain_text import cell
from treino.plots.page import page

STYLE = """
body { max-width: 54rem; }
h2 { border-top: 1px solid var(--faint); padding-top: 1.2rem; margin-top: 2rem; }
section.step { margin: 1.1rem 0 1.4rem; } section.step > h3 { font-size: 1rem; font-weight: 600; margin: 0 0 .2rem; }
.formula { overflow-x: auto; padding: .35rem 0 .35rem 1rem; border-left: 3px solid var(--faint); }
.formula math { font-size: 1.08rem; } .formula mtd { text-align: left; padding: .28rem .2rem; vertical-align: baseline; }
.formula math { font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "Libertinus Math", serif; }
.formula mi.v { font-family: "STIX Two Text", "Times New Roman", "Liberation Serif", serif; font-style: italic; }
.formula mtd:first-child { text-align: right; } .formula mtr.numbers { color: var(--soft); } .formula .stack mtd { padding: .24rem .15rem; }
.formula .value { color: var(--bar); font-weight: 700; } .formula mtext.dots { font-size: .8em; padding: 0 .3em; }
.wrong .formula { border-left-color: var(--alarm); } .wrong > h3::before { content: attr(data-wrong); color: var(--alarm); margin-right: .5em; }
pre { overflow-x: auto; background: color-mix(in srgb, var(--faint) 45%, transparent); padding: .7rem .9rem; border-radius: 4px; font-size: 13px; margin: .4rem 0; }
section.step table { width: auto; margin-top: .5rem; font-size: 14px; } figure { margin: .6rem 0; } figcaption { font-weight: 600; }
.checks td.ok { color: #0a7d55; font-weight: 700; } .checks td.failed { color: var(--alarm); font-weight: 700; }
p.verdict { font-weight: 600; padding: .5rem .8rem; border-left: 4px solid #0a7d55; } p.verdict.failed { border-color: var(--alarm); background: var(--warn); }
ol.sources { padding-left: 1.2rem; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
.checks td.ok { color: #5fd3a5; } p.verdict { border-color: #5fd3a5; } }
"""  # noqa: E501


def explain_page(explanation: Explanation, digits: int = DIGITS) -> str:
    """Return the whole page."""
    parts = [
        f"<h1>{escape(explanation.title)}</h1><p class='soft'>{escape(explanation.about)}</p>",
        *(
            f"<h2>{escape(part.title)}</h2>" + "".join(_step(step, digits) for step in part.steps)
            for part in explanation.parts
        ),
        f"<h2>{escape(_('Checked'))}</h2>",
        _checks(explanation.checks, digits),
        _verdict(explanation),
        _sources(explanation.sources),
    ]
    return page(explanation.title, "\n".join(parts), STYLE)


def _step(step: Step, digits: int) -> str:
    wrong = f' data-wrong="{escape(_("not so:"))}"' if step.wrong else ""
    inside = [f"<h3{wrong}>{escape(step.title)}</h3>"]
    if step.text:
        inside.append(f"<p class='soft'>{escape(step.text)}</p>")
    if step.code:
        inside.append(f"<pre>{escape(step.code.rstrip())}</pre>")
    if step.formula is not None:
        inside.append(_formula(step.formula.left, step.formula.right, step.formula.value, digits))
    if step.table is not None:
        inside.append(_table(step.table, digits))
    if step.picture is not None:
        drawn = chart(step.picture) if isinstance(step.picture, Chart) else graph(step.picture)
        inside.append(f"<figure><figcaption>{escape(step.picture.title)}</figcaption>{drawn}</figure>")
    kind = "step wrong" if step.wrong else "step"
    return f"<section class='{kind}'>{''.join(inside)}</section>"


def _formula(left: Expr, right: Expr, value: float, digits: int) -> str:
    symbols, numbers = mathml(right), mathml(right, numbers=True, digits=digits)
    result = MATHML.number(value, digits).text
    rows = [("", mathml(left), symbols)]
    if numbers != symbols:
        rows.append(("numbers", "", numbers))
    if result != numbers:
        rows.append(("value", "", result))
    lines = "".join(
        f"<mtr class='{kind}'><mtd>{first}</mtd><mtd><mo>=</mo></mtd><mtd>{second}</mtd></mtr>"
        for kind, first, second in rows
    )
    spoken = escape(f"{text(left)} = {text(right)}", quote=True)
    return (
        f'<div class="formula" tabindex="0"><math display="inline" displaystyle="true" alttext="{spoken}">'
        f"<mtable displaystyle='true'>{lines}</mtable></math></div>"
    )


def _head(headings: Sequence[str], left: Sequence[bool]) -> str:
    cells = (
        f"<th{_right(not at)}>{escape(heading)}</th>" for heading, at in zip(headings, left, strict=True)
    )
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _right(number: bool) -> str:
    return " class='number'" if number else ""


def _table(table: StepTable, digits: int) -> str:
    words = [any(isinstance(row[place], str) for row in table.rows) for place in range(len(table.headings))]
    lines = []
    for row in table.rows:
        cells = (
            f"<td{_right(not w)}>{escape(cell(c, digits))}</td>" for c, w in zip(row, words, strict=True)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    if table.more:
        more = escape(_("… {n:,} more …").format(n=table.more))
        lines.append(f"<tr><td class='soft' colspan='{len(words)}'>{more}</td></tr>")
    head = _head(table.headings, words)
    return f"<div class='scroll'><table>{head}<tbody>{''.join(lines)}</tbody></table></div>"


def _checks(checks: tuple[Check, ...], digits: int) -> str:
    headings = "", _("what, and by whom"), _("here"), _("there"), _("difference")
    head = _head(headings, [True, True, False, False, False])
    lines = "".join(
        f"<tr><td class='{'ok' if c.holds else 'failed'}'>{'✓' if c.holds else '✗'}</td>"
        f"<td>{escape(c.name)}</td><td class='number'>{escape(cell(c.ours, max(digits, 9)))}</td>"
        f"<td class='number'>{escape(cell(c.reference, max(digits, 9)))}</td>"
        f"<td class='number'>{escape(cell(c.difference, 2))}</td></tr>"
        for c in checks
    )
    return f"<div class='scroll'><table class='checks'>{head}<tbody>{lines}</tbody></table></div>"


def _verdict(explanation: Explanation) -> str:
    from treino.plots.explain_text import verdict

    kind = "verdict" if explanation.holds else "verdict failed"
    return f"<p class='{kind}'>{escape(verdict(explanation).plain)}</p>"


def _sources(sources: tuple[str, ...]) -> str:
    items = "".join(f"<li>{escape(source)}</li>" for source in sources)
    return f"<h2>{escape(_('Sources'))}</h2><ol class='sources'>{items}</ol>" if sources else ""
