"""Flags that several verbs share, with their help."""

from typing import Annotated

from cyclopts import Parameter

from treino.cli.screen import Screen

ScreenFlag = Annotated[Screen, Parameter(parse=False)]
RunName = Annotated[
    str, Parameter(help="a run's folder, its name in ./runs, or 'last', the newest", show_default=True)
]
Net = Annotated[str | None, Parameter(help="the run's own network again: FILE.py:NAME")]
Trust = Annotated[
    bool, Parameter(help="run the copy of your network's Python file in the run's folder", negative=())
]
DataFile = Annotated[str | None, Parameter(name="--data", help="where the run's data file has moved")]
