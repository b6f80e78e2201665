"""``treino show``: one run, or the differences of two."""

from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from treino.cli.flags import RunName, ScreenFlag
from treino.words import _


def show(
    run: RunName = "last",
    other: Annotated[str | None, Parameter(name="RUN2", help="a second run, to see what differs")] = None,
    /,
    *,
    screen: ScreenFlag,
) -> int:
    """Show a run, also while it is being trained; with two, what differs in settings and figures.

    Example: treino show last | treino show wine-1 wine-2
    """
    from treino.cli.summary import summary
    from treino.workflows.listing import differences
    from treino.workflows.run import open_run

    first = open_run(run)
    if other is None:
        screen.document(first.document)
        screen.out.print(summary(first))
        return 0
    second = open_run(other)
    found = differences(first, second)
    screen.document({"a": first.document, "b": second.document, "differences": found})
    if not found:
        screen.out.print(
            _("{a} and {b} have the same settings and figures.").format(a=first.name, b=second.name)
        )
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("", first.name, second.name):
        table.add_column(heading)
    for d in found:
        table.add_row(d["what"], _short(d["a"]), _short(d["b"]))
    screen.out.print(table)
    return 0


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "–" if value is None else str(value)
