"""The docs' pages of measured figures: text from ``benchmarks/text/``, figures from ``benchmarks/results/``.

In a text ``{name[key]}`` is a figure of a result and a line ``{{name}}`` all its tables. Below these a line
says whether the code that they measure has changed since.
"""

import re
from pathlib import Path
from typing import Any

from benchmarks.measured_code import changed
from benchmarks.result import RESULTS, Result, read
from benchmarks.roof_picture import picture

TEXT = Path(__file__).parent / "text"
DOCS = Path(__file__).parent.parent / "docs"
FEW_PARTS = 4  # of the code, that are named


def render(*, compare: bool = True) -> dict[Path, str]:
    """-> {page: its text}, as the committed results give it. compare: whether to say if code has changed."""
    found = {path.stem: read(path.stem) for path in sorted(RESULTS.glob("*.json"))}
    figures = {name: result.figures for name, (result, _machine) in found.items()}
    pages = {}
    for path in sorted(TEXT.glob("*.md")):
        parts = re.split(r"^\{\{(\w+)\}\}$", path.read_text(), flags=re.MULTILINE)
        for i, part in enumerate(parts):
            parts[i] = part.format_map(figures) if i % 2 == 0 else _section(*found[part])
            if i % 2 and compare:
                parts[i] += "\n\n" + _since(part, found[part][1])
        pages[DOCS / path.name] = "".join(parts)
    pages[DOCS / "roof.svg"] = picture(figures["roof"])
    return pages


def without_comparison(text: str) -> str:
    """The page without the lines that say where code has changed."""
    return re.sub(r"\n\n\*Code [^\n]*\*(?=\n)", "", text)


def _since(name: str, measured: dict[str, Any]) -> str:
    if "code" not in measured:
        return "*Code of that day not recorded.*"
    recorded = measured["code"]
    parts = [part.removeprefix("treino/") for part in changed(name, recorded)]
    if len(parts) > FEW_PARTS:
        here = sum(part.removeprefix("treino/") in parts for part in recorded)
        return f"*Code changed since then in {here} of {len(recorded)} parts.*"
    return f"*Code changed since then in {', '.join(parts)}.*" if parts else "*Code unchanged since then.*"


def _section(result: Result, machine: dict[str, Any]) -> str:
    """A result's tables, how they were measured and what is left out."""
    lines: list[str] = []
    for table in result.tables:
        lines += [f"**{table.title}**", "", *table.lines(), ""]
    lines += [result.method, ""]
    if result.left_out:
        lines += ["Left out:", "", *(f"- {line}" for line in result.left_out), ""]
    if result.sources:
        lines += ["Sources: " + "; ".join(result.sources) + ".", ""]
    processor = f", {machine['processor_seconds']} of a processor" if "processor_seconds" in machine else ""
    if machine["load"] > machine["cores"]:
        processor += "; other programs had a part of the machine"
    lines.append(
        f"*Measured on {machine['date']}: {machine['cpu']}, {machine['cores']} cores, "
        f"load {machine['load']} before it began; "
        f"torch {machine['torch']}, Python {machine['python']}; {machine['seconds']} s in all{processor}.*"
    )
    return "\n".join(lines)
