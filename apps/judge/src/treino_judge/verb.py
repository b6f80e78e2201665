"""``treino judge``: how much of the best of a search is luck, whoever made the search."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from treino.base.errors import Refusal
from treino.base.option_marks import READ
from treino.base.words import N_
from treino.cli.flags import ScreenFlag, Switch, Words, with_flags

DIRECTION_TWICE = Refusal("--maximize and --minimize exclude each other.", "Give one of them.")


@dataclass(frozen=True)
class Columns:
    """Which columns of the trials are what, where the file doesn't tell."""

    score: Annotated[Words, Parameter(help="the score that the search went by: a column, or a metric")] = None
    maximize: Annotated[Switch, Parameter(help="a higher score is better")] = False
    minimize: Annotated[Switch, Parameter(help="a lower score is better")] = False
    seed_column: Annotated[
        Words, Parameter(help="column of seeds; rows with equal settings are one trial")
    ] = None
    fold_column: Annotated[Words, Parameter(help="column of folds, likewise")] = None
    row_column: Annotated[
        Words, Parameter(help="column of validation rows, likewise, of which each has a score")
    ] = None
    settings: Annotated[Words, Parameter(help="columns that are settings, comma-separated: lr,depth")] = None


@with_flags
def judge(
    trials: Annotated[
        str,
        Parameter(
            name=N_("TRIALS"),
            help="a study of Optuna (SQLite file), a folder of Ray Tune, a store of MLflow (folder or SQLite"
            " file), or a table of trials (CSV, JSON) of W&B, MLflow, scikit-learn or your own",
        ),
        READ,
    ],
    /,
    *,
    study: Annotated[Words, Parameter(help="the study or experiment, where the file holds several")] = None,
    columns: Columns,
    screen: ScreenFlag,
) -> int:
    """Say how much of the best of a search is luck, which settings matter, and what would make it sure.

    Example: treino judge study.db | treino judge runs.csv --score loss --seed-column seed --settings lr,depth
    """
    from treino_judge.table import Request
    from treino_judge.view import show_judgement

    if columns.maximize and columns.minimize:
        raise DIRECTION_TWICE()
    settings = None
    if columns.settings is not None:
        settings = tuple(name for name in map(str.strip, columns.settings.split(",")) if name)
    better = 1 if columns.maximize else -1 if columns.minimize else None
    apart = columns.seed_column, columns.fold_column, columns.row_column
    show_judgement(trials, study, Request(columns.score, better, *apart, settings), screen)
    return 0
