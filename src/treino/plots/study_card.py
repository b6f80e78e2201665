"""The card of a study in a notebook's output: its rows and conclusions."""

from collections.abc import Sequence
from html import escape

from treino.plots.notebook_cards import CARD, CELL


def study_card(
    title: str, headings: Sequence[str], lines: Sequence[Sequence[str]], said: Sequence[str], path: str
) -> str:
    """headings, lines: the table of rows. said: sentences under it."""
    one = f"{CELL};white-space:nowrap"
    head = "".join(f"<th style='{one};font-weight:600'>{escape(text)}</th>" for text in headings)
    rows = ("".join(f"<td style='{one}'>{escape(cell)}</td>" for cell in line) for line in lines)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    table = f"<table style='border-collapse:collapse;font-size:13px'><tr>{head}</tr>{body}</table>"
    table = table if lines else ""
    sentences = "".join(f"<div style='max-width:60em'>{escape(sentence)}</div>" for sentence in said)
    return (
        f"<div style='{CARD}'><div><b>{escape(title)}</b></div>"
        f"<div style='overflow-x:auto;margin:4px 0'>{table}</div>{sentences}"
        f"<div style='opacity:.7'>{escape(path)}</div></div>"
    )
