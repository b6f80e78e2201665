"""The doctor's findings as HTML for a notebook: fault, cell and line, and correction."""

from collections.abc import Sequence
from html import escape

from treino_doctor.finding import Finding
from treino_doctor.words import _

INK = {"wrong": "#c0392b", "risk": "#b7791f", "waste": "#2471a3"}
CARD = "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;max-width:860px"
BOX = "border-left:4px solid {ink};background:rgba(128,128,128,.10);padding:6px 12px;margin:6px 0;border-radius:0 6px 6px 0"  # noqa: E501
LINE = "font-family:ui-monospace,monospace;font-size:13px;margin:3px 0;white-space:pre-wrap"


def findings_html(head: str, findings: Sequence[tuple[Finding, str, str]], notes: Sequence[str] = ()) -> str:
    """Return the findings as HTML.

    findings: (finding, its place in words such as ``cell 3, line 7``, that line's text). notes: sentences
    below.
    """
    parts = [f"<div><b>{escape(head)}</b></div>", *(_one(*each) for each in findings)]
    parts += [f"<div style='opacity:.7'>{escape(text)}</div>" for text in notes]
    return f"<div style='{CARD}'>{''.join(parts)}</div>"


def _one(finding: Finding, place: str, line: str) -> str:
    sure = _("certain") if finding.certain else _("likely")
    ink = INK[finding.severity]
    source = f"<div style='{LINE}'>{escape(line)}</div>" if line else ""
    return (
        f"<div style='{BOX.format(ink=ink)}'><b>{escape(finding.rule)}</b> "
        f"<span style='opacity:.75'>({escape(sure)})</span> <span style='float:right'>{escape(place)}</span>"
        f"{source}<div>{escape(finding.message)}</div><div style='opacity:.75'>{escape(finding.why)}</div>"
        f"<div>{escape(_('To do: {fix}').format(fix=finding.fix))}</div></div>"
    )
