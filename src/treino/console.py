"""Consoles for terminal output; control characters in texts from files are shown as escapes."""

import os
from collections.abc import Iterable
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from treino.escaping import escape

PIPE_COLUMNS = 1000


class EscapingConsole(Console):
    """rich's console, on which every string is one line; a styled one is made by ``line``.

    Names of columns, classes and files are in them, so nothing in them is taken for markup, for a command to
    the terminal, or for a line of ours. What has several lines is printed as several strings.
    """

    def render_str(self, text: str, **options: object) -> Text:
        return super().render_str(escape(text), **options)  # type: ignore[arg-type]

    def on_broken_pipe(self) -> None:
        """Handle a closed pipe as an error of ours; rich itself would end the process."""
        raise BrokenPipeError

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else escape(segment.text, exceptions="\n")
            yield segment if text == segment.text else Segment(text, segment.style)


def console(file: IO[str], *, quiet: bool = False, columns: int = PIPE_COLUMNS) -> EscapingConsole:
    """A console on this stream. columns: of a line in a pipe; a terminal has its own."""
    width = None if file.isatty() else columns
    return EscapingConsole(
        file=file, highlight=False, markup=False, emoji=False, quiet=quiet, width=width, force_jupyter=False
    )


def line(*parts: str | tuple[str, str]) -> Text:
    """One line of texts, each alone or with its style: ``line(("error: ", "bold red"), message)``."""
    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((escape(text), style) for text, style in styled))


def watched(file: IO[str]) -> bool:
    """Whether this stream is a terminal or a notebook. A command of a notebook's cell (``!treino …``) has a
    terminal too, but there every drawing stays."""
    return file.isatty() and "JPY_PARENT_PID" not in os.environ
