"""What is printed on a terminal: a string is one line, and what would steer it is shown as an escape.

Without them a text could control a terminal, reverse its lines, or look like another text.
"""

import os
import re
from collections.abc import Iterable
from json import JSONEncoder
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

# ---- escapes, such as ``\\x1b``, for control characters and invisible ones in texts from files

_CONTROLS = r"\x00-\x1f\x7f-\x9f"  # C0, delete, C1
_BIDIRECTIONAL = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SEPARATORS = r"\u2028\u2029"
_INVISIBLE = (
    r"\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_SURROGATES = r"\ud800-\udfff"  # in file names that are not UTF-8
_JOINED = r"\u0590-\u1fff\u2190-\U0001ffff"  # scripts and emoji whose characters a joiner joins
_ESCAPED = re.compile(
    "(?P<flag>\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)"  # of England, Scotland, Wales
    f"|(?<=[{_JOINED}])(?P<joiner>[\u200c\u200d])(?=[{_JOINED}])"
    f"|[{_CONTROLS}{_BIDIRECTIONAL}{_SEPARATORS}{_INVISIBLE}{_SURROGATES}\u200c\u200d]"
)

_quoted = JSONEncoder().encode


def escape(text: str, exceptions: str = "") -> str:
    """The text as one line, with control and invisible characters as Python escapes, ``\\n`` or ``\\u202e``.

    Letters of all languages and emoji stay unchanged. exceptions: further unchanged characters, such as the
    line breaks of a text of several lines.
    """
    return _ESCAPED.sub(
        lambda m: m[0] if m.lastgroup or m[0] in exceptions else m[0].encode("unicode_escape").decode(), text
    )


def escape_json(document: str) -> str:
    """Equivalent JSON with such characters escaped, as in ``\\u202e``."""
    return _ESCAPED.sub(lambda m: m[0] if m.lastgroup else _quoted(m[0])[1:-1], document)


# ---- consoles for terminal output

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
    """A console on this stream. columns: the width if the stream is not a terminal, which has its own."""
    width = None if file.isatty() else columns
    return EscapingConsole(
        file=file, highlight=False, markup=False, emoji=False, quiet=quiet, width=width, force_jupyter=False
    )


def line(*parts: str | tuple[str, str]) -> Text:
    """One line of texts, each with or without a style: ``line(("error: ", "bold red"), message)``."""
    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((escape(text), style) for text, style in styled))


def watched(file: IO[str]) -> bool:
    """Whether this stream is a terminal that can redraw. The terminal of a command in a notebook's cell
    (``!treino …``) can't."""
    return file.isatty() and "JPY_PARENT_PID" not in os.environ
