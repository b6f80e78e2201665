"""``treino rows``: which rows may be mislabelled, which nothing learns, and which made a prediction."""

from typing import Annotated, Any

from cyclopts import Parameter

from treino.base.option_marks import READ
from treino.cli.flags import DataFile, ScreenFlag, Switch, ToFile, Whole, given
from treino.cli.screen import Replace
from treino.folders import Access


def rows(
    source: Annotated[
        str, Parameter(name="RUN|DATA", help="a run, in its split, or data: all its rows"), READ
    ],
    /,
    *,
    of: Annotated[
        Whole, Parameter(help="the training rows that push the prediction of this row most")
    ] = None,
    drop_suspects: Annotated[
        Switch,
        Parameter(
            help="train with the suspected rows and without, and say which is better on validation rows"
        ),
    ] = False,
    networks: Annotated[
        Whole, Parameter(help="networks, each of a random half of the rows; default: 256")
    ] = None,
    to: Annotated[
        ToFile,
        Parameter(help="write all rows with their figures to this file: .csv, .xlsx, or .html, a page"),
    ] = None,
    replace: Replace = False,
    data_file: DataFile = None,
    screen: ScreenFlag,
    **flags: Any,
) -> int:
    """Say of each row what networks that never saw it think of its label.

    Hundreds of small networks each learn a random half of the rows. Rows are counted from 0.

    Examples: treino rows wine | treino rows houses.csv --target price --to rows.html |
    treino rows last --of 17 | treino rows last --drop-suspects
    """
    from treino_xray.view import show_rows

    asked: dict[str, Any] = {"networks": networks, "of": of, "drop_suspects": drop_suspects}
    show_rows(source, Access(data_file=data_file), given(flags), screen, to=to, replace=replace, **asked)
    return 0
