"""``treino show``: one run, sweep or study, or the differences of two runs."""

import math
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.table import Table

from treino.base.console import table
from treino.base.errors import Refusal
from treino.base.option_marks import PLAIN
from treino.base.words import _, numeral
from treino.cli.flags import FromFile, RunName, ScreenFlag, Switch

EPOCHS_OF_TWO = Refusal(
    "--epochs shows one run, and two were given.", "Leave one of them out; treino plot RUN RUN2 draws both."
)
TOML_OF_STUDY = Refusal(
    "--as toml writes a run or a sweep, and {study} is a study.",
    "See its rows' commands: treino report {study}",
)
TOML_AND_MORE = Refusal("--as toml writes one file, and {other} stands beside it.", "Leave one of them out.")


def show(
    run: RunName = "last",
    other: Annotated[FromFile, Parameter(name="RUN2", help="a second run, to see what differs")] = None,
    /,
    *,
    epochs: Annotated[
        Switch, Parameter(help="of one run: each epoch's loss, mean ± deviation of its steps")
    ] = False,
    as_: Annotated[
        Literal["toml"] | None,
        Parameter(name="--as", help="of a run or a sweep: toml, a configuration file that trains it again"),
        PLAIN,
    ] = None,
    screen: ScreenFlag,
) -> int:
    """Show a run, a sweep or a study, also while it is being trained; with two runs, what differs.

    Example: treino show last | treino show last --epochs | treino show wine-1 wine-2 |
    treino show wine-1 --as toml > wine.toml
    """
    from treino.cli.block_view import shown
    from treino.cli.sweep_view import summary
    from treino.folders.run_curves import curves_of
    from treino.plots.report.compare import differing_table
    from treino.reports.run_comparison import differences
    from treino.training.stored_results import StoredStudy, open_folder, open_run

    if as_ is not None:
        from treino.cli.toml_file import as_toml

        if epochs or other is not None:
            raise TOML_AND_MORE(other="--epochs" if epochs else "RUN2")
        stored = open_folder(run)
        if isinstance(stored, StoredStudy):
            raise TOML_OF_STUDY(study=stored.name)
        text = as_toml(stored)
        screen.document({"run": run, "toml": text})
        screen.show(text.rstrip())
        return 0
    if epochs:
        if other is not None:
            raise EPOCHS_OF_TWO()
        one = open_run(run)
        screen.document(one.document)
        screen.out.print(_epochs(curves_of(one)))
        return 0
    if other is None:
        stored = open_folder(run)
        screen.document(stored.document)
        screen.out.print(summary(stored, screen.out.width))
        return 0
    first, second = open_run(run), open_run(other)
    differing = differences(first, second)
    screen.document({"a": first.document, "b": second.document, "differences": differing})
    if not differing:
        screen.out.print(
            _("{a} and {b} have the same settings and figures.").format(a=first.name, b=second.name)
        )
        return 0
    lines = [(d["what"], (d["a"], d["b"])) for d in differing]
    screen.out.print(*shown([differing_table((first.name, second.name), lines)]))
    return 0


def _epochs(curves: Any) -> Table:
    """A row for each epoch: the loss of training and validation, mean ± deviation over batches."""
    none_E = [math.nan] * curves.epochs
    of = curves.evaluated.get("validation", {})
    columns = (curves.loss_E, curves.deviation_E, of.get("loss", none_E), of.get("loss_std", none_E))
    rows = [
        (numeral(number, ","), _spread(*both[:2]), _spread(*both[2:]))
        for number, both in enumerate(zip(*columns, strict=True), 1)
    ]
    return table((_("epoch"), _("training loss"), _("validation loss")), rows, left=(1, 2))


def _spread(mean: float, deviation: float) -> str:
    return "" if math.isnan(mean) else f"{numeral(mean, '.4f')} ± {numeral(deviation, '.4f')}"
