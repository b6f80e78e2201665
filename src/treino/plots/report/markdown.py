"""A report as Markdown, for a pull request: the same texts and tables, without the pictures."""

import re
from collections.abc import Sequence

from treino.console import escape
from treino.plots.report.blocks import Block, Code, ListBlock, Note, Paragraph, Section, TableBlock, TableCell

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&@])")


def markdown(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """GitHub's Markdown; every text is escaped, so that data makes no markup and mentions nobody."""
    parts = [f"# {_plain(title)}", _plain(subtitle)]
    for section in sections:
        parts += _section(section, 2)
    return "\n\n".join(parts) + "\n"


def _section(section: Section, level: int) -> list[str]:
    blocks = [text for block in section.blocks if (text := _block(block))]
    below = [part for each in section.parts for part in _section(each, level + 1)]
    return [f"{'#' * min(level, 6)} {_plain(section.title)}", *blocks, *below] if blocks or below else []


def _plain(text: str) -> str:
    """Letters that Markdown would read as its own get a backslash; a mention and a link are broken open."""
    line = _SPECIAL.sub(r"\\\1", escape(text.strip())).replace("://", ":\u200b//")
    return line.replace("\\@", "@\u200b")


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        text = _plain(block.text)
        return f"**{text}**" if block.tone in ("alarm", "good", "strong") and text else text
    if isinstance(block, Note):
        lines = [f"**{_plain(block.title)}**", *map(_plain, block.lines)]
        return "\n".join(f"> {line}  " for line in lines).rstrip()
    if isinstance(block, ListBlock):
        return "\n".join(f"- {_plain(item)}" for item in block.items)
    if isinstance(block, Code):
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", block.text)), default=0))
        code = escape(block.text, exceptions="\n\t")
        return f"{fence}{block.language}\n{code}\n{fence}"
    if isinstance(block, TableBlock):
        return _table(block)
    return ""


def _table(table: TableBlock) -> str:
    align = ["---", *("---:" if table.numbers else "---" for _name in table.head[1:])]
    rows = [[_plain(c.text if isinstance(c, TableCell) else c) for c in row] for row in table.rows]
    lines = [[_plain(name) for name in table.head], align, *rows]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{_plain(table.caption)}\n\n{text}" if table.caption else text
