"""``treino judge``: how much of the best of a search is luck, whoever made the search."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table

from treino.cli.flags import ScreenFlag, with_flags
from treino.errors import TreinoError
from treino.words import _, numeral

if TYPE_CHECKING:
    from treino.trials.conclusions import Conclusions

SHOWN = 12  # settings in the table


@dataclass(frozen=True)
class Columns:
    """Which columns of the trials are what, where the file doesn't tell."""

    score: Annotated[
        str | None, Parameter(help="the score that the search went by: a column, or a metric")
    ] = None
    maximize: Annotated[bool, Parameter(help="a higher score is better", negative=())] = False
    minimize: Annotated[bool, Parameter(help="a lower score is better", negative=())] = False
    seed_column: Annotated[
        str | None, Parameter(help="column of seeds; rows with equal settings are one trial")
    ] = None
    fold_column: Annotated[str | None, Parameter(help="column of folds, likewise")] = None
    row_column: Annotated[
        str | None, Parameter(help="column of validation rows, likewise, of which each has a score")
    ] = None
    settings: Annotated[
        str | None, Parameter(help="columns that are settings, comma-separated: lr,depth")
    ] = None


@with_flags
def judge(
    trials: Annotated[
        str,
        Parameter(
            name="TRIALS",
            help="a study of Optuna (SQLite file), a folder of Ray Tune, a store of MLflow (folder or SQLite"
            " file), or a table of trials (CSV, JSON) of W&B, MLflow, scikit-learn or your own",
        ),
    ],
    /,
    *,
    study: Annotated[
        str | None, Parameter(help="the study or experiment, where the file holds several")
    ] = None,
    columns: Columns,
    screen: ScreenFlag,
) -> int:
    """Say how much of the best of a search is luck, which settings matter, and what would make it sure.

    Example: treino judge study.db | treino judge runs.csv --score loss --seed-column seed --settings lr,depth
    """
    from treino.trials.conclusions import conclusions
    from treino.trials.files import read_trials
    from treino.trials.table import Request, trial_table

    if columns.maximize and columns.minimize:
        raise TreinoError(
            "direction_twice", _("--maximize and --minimize exclude each other."), _("Give one of them.")
        )
    settings = None
    if columns.settings is not None:
        settings = tuple(name for name in map(str.strip, columns.settings.split(",")) if name)
    request = Request(
        score=columns.score,
        better=1 if columns.maximize else -1 if columns.minimize else None,
        seed=columns.seed_column,
        fold=columns.fold_column,
        row=columns.row_column,
        settings=settings,
    )
    found = conclusions(trial_table(read_trials(trials, study), request))
    screen.document(found.document(trials))
    _print(found, screen)
    return 0


def _print(found: "Conclusions", screen: ScreenFlag) -> None:
    from treino.trials.conclusions import TOOLS
    from treino.trials.table import STATES, UNITS

    table, j, out = found.table, found.judgement, screen.out
    counts = ", ".join(f"{numeral(table.counts[s], ',')} {_(s)}" for s in STATES if table.counts[s])
    text = _("{n:,} trials of {tool}: {counts}").format(
        n=table.counts["total"], tool=_(TOOLS[table.source]), counts=counts
    )
    each = len(j.trials[j.best].scores)
    if table.unit is not None and each:
        text += _("; {n} {unit} each").format(n=numeral(each, ","), unit=_(UNITS[table.unit]))
    out.print(text)
    out.print()
    out.print(_trials(found))
    out.print()
    for sentence in found.sentences():
        out.print(sentence)
    if found.settings.shares is not None:
        out.print()
        out.print(_("Settings, by the share of the scores' variance that each explains alone:"))
        out.print(_shares(found))
    out.print()
    for note in found.notes():
        out.print(_("note: {note}").format(note=note))
    for source in found.sources():
        out.print(_("rests on: {source}").format(source=source))


def _trials(found: "Conclusions") -> Table:
    from treino.trials.conclusions import settings_text

    j = found.judgement
    lines = Table(box=None, pad_edge=False)
    for heading, side in (
        ("", "left"),
        (_("trial"), "left"),
        (found.table.metric, "right"),
        (_("settings"), "left"),
    ):
        lines.add_column(heading, justify=side, overflow="fold")  # type: ignore[arg-type]
    for name, place in ((_("best"), j.best), (_("second"), j.second), (_("first"), 0)):
        trial = j.trials[place]
        lines.add_row(name, trial.name, numeral(trial.score), settings_text(trial.settings))
    return lines


def _shares(found: "Conclusions") -> Table:
    shares = found.settings.shares
    assert shares is not None
    lines = Table(box=None, pad_edge=False)
    for heading, side in ((_("setting"), "left"), (_("share"), "right"), (_("95 % interval"), "right")):
        lines.add_column(heading, justify=side)  # type: ignore[arg-type]

    def percent(share: float) -> str:
        return numeral(max(0.0, share), ".0%")

    rows = list(zip(found.settings.names, shares.share_K, shares.low_K, shares.high_K, strict=True))
    for name, share, low, high in rows[:SHOWN]:
        lines.add_row(name, percent(share), f"{percent(low)} – {percent(high)}")
    together = (shares.explained, shares.explained_low, shares.explained_high)
    share, low, high = map(percent, together)
    lines.add_row(_("all together"), share, f"{low} – {high}")
    return lines
