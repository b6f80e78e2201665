"""``treino show``: one run, sweep or study, or the differences of two runs."""

from typing import Annotated

from cyclopts import Parameter

from treino.base.console import table
from treino.base.words import _, numeral
from treino.cli.flags import RunName, ScreenFlag

SHOWN = 48  # maximum number of characters in a column


def show(
    run: RunName = "last",
    other: Annotated[str | None, Parameter(name="RUN2", help="a second run, to see what differs")] = None,
    /,
    *,
    screen: ScreenFlag,
) -> int:
    """Show a run, a sweep or a study, also while it is being trained; with two runs, what differs.

    Example: treino show last | treino show wine-1 wine-2
    """
    from treino.cli.sweep_view import summary
    from treino.reports.run_comparison import differences
    from treino.training.stored_results import open_folder, open_run

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
    lines = [(d["what"], _short(d["a"]), _short(d["b"])) for d in differing]
    beside = table(("", first.name, second.name), lines)
    for column in beside.columns:
        column.overflow, column.max_width = "fold", SHOWN
    screen.out.print(beside)
    return 0


def _short(value: object) -> str:
    """The text of a setting or a metric: a dash for None, the items of a list, six digits of a float."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(_short, value)) or "–"
    return numeral(value, ".6g") if isinstance(value, float) else str(value)
