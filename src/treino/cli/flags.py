"""Flags that several verbs have in common, with their help."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import CoercionError, Parameter, Token

from treino.cli.screen import Screen


def _whole(kind: object, tokens: Sequence[Token]) -> int:
    """A whole number as it is written: cyclopts itself rounds 1.5, and 2.5 to 2."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise CoercionError(target_type=int, token=tokens[0]) from None


WHOLE = Parameter(converter=_whole)
ScreenFlag = Annotated[Screen, Parameter(parse=False)]
RunName = Annotated[
    str, Parameter(help="a run's folder, its name in ./runs, or 'last', the newest", show_default=True)
]
Net = Annotated[
    str | None, Parameter(help="your own network's file again, in place of the run's copy: FILE.py:NAME")
]
Trust = Annotated[
    bool,
    Parameter(
        help="run the copy of your network's Python file that was sealed with the run, and nothing else",
        negative=(),
    ),
]
DataFile = Annotated[str | None, Parameter(name="--data", help="where the run's data file has moved")]
