"""Consoles for terminal output; control characters in texts from files are shown as escapes."""

import os
import sys
from collections.abc import Container, Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from treino_doctor.base.escaping import escape

PIPE_COLUMNS = 1000


class EscapingConsole(Console):
    """A rich console that prints every string as one line; ``line`` makes styled lines.

    Strings contain names of columns, classes and files, so they are not parsed as markup, and can't send
    commands to the terminal or imitate other lines. To print several lines, print several strings.
    """

    def render_str(self, text: str, **options: object) -> Text:
        return super().render_str(escape(text), **options)  # type: ignore[arg-type]

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError; rich would end the process."""
        raise BrokenPipeError

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else escape(segment.text, exceptions="\n")
            yield segment if text == segment.text else Segment(text, segment.style)


def console(file: IO[str], *, quiet: bool = False, columns: int = PIPE_COLUMNS) -> EscapingConsole:
    """A console on this stream. columns: the width unless the stream is a terminal, which has its own."""
    width = None if file.isatty() else columns
    return EscapingConsole(
        file=file, highlight=False, markup=False, emoji=False, quiet=quiet, width=width, force_jupyter=False
    )


def line(*parts: str | tuple[str, str]) -> Text:
    """One line of texts, each with or without a style: ``line(("error: ", "bold red"), message)``."""
    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((escape(text), style) for text, style in styled))


def table(
    headings: Iterable[str],
    rows: Iterable[Iterable[str]],
    left: Container[int] | None = None,
    *,
    headed: bool = True,
) -> Table:
    """Rows of texts in columns. left: the numbers of the columns that are left-aligned; default: all."""
    made = Table(box=None, pad_edge=False, show_header=headed)
    for number, heading in enumerate(headings):
        at_left = left is None or number in left
        made.add_column(heading, justify="left" if at_left else "right")
    for row in rows:
        made.add_row(*row)
    return made


def watched(file: IO[str]) -> bool:
    """Whether this stream is a terminal that can redraw. The terminal of a command in a notebook's cell
    (``!treino …``) can't."""
    return file.isatty() and "JPY_PARENT_PID" not in os.environ


def kernel_shell() -> Any:
    """IPython's shell if this process is a notebook's kernel, else None."""
    if "IPython" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None
