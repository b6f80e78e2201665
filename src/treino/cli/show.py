"""``treino show``: one run, sweep or study, or the differences of two runs."""

from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from treino.cli.flags import RunName, ScreenFlag
from treino.words import _, numeral

SHOWN = 48  # letters in a column


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
    from treino.cli.run_view import run_summary
    from treino.folders import open_folder, open_run
    from treino.reports.listing import differences
    from treino.studies.stored_study import StoredStudy
    from treino.tuning.member import is_member
    from treino.tuning.stored_sweep import StoredSweep

    found = open_folder(run) if other is None else None
    if isinstance(found, StoredStudy):
        from treino.cli.study_view import WIDE, study_summary

        screen.document(found.document)
        screen.out.print(study_summary(found.document, screen.out.width < WIDE))
        return 0
    if isinstance(found, StoredSweep):
        from treino.cli.sweep_view import sweep_summary

        screen.document(found.document)
        screen.out.print(sweep_summary(found.document) if "leaderboard" in found.document else repr(found))
        return 0
    first = open_run(run)
    if other is None and is_member(first):
        from treino.cli.sweep_view import member_summary

        screen.document(first.document)
        screen.out.print(member_summary(first.document))
        return 0
    if other is None:
        screen.document(first.document)
        screen.out.print(run_summary(first))
        return 0
    second = open_run(other)
    differing = differences(first, second)
    screen.document({"a": first.document, "b": second.document, "differences": differing})
    if not differing:
        screen.out.print(
            _("{a} and {b} have the same settings and figures.").format(a=first.name, b=second.name)
        )
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("", first.name, second.name):
        table.add_column(heading, overflow="fold", max_width=SHOWN)
    for d in differing:
        table.add_row(d["what"], _short(d["a"]), _short(d["b"]))
    screen.out.print(table)
    return 0


def _short(value: object) -> str:
    """A setting as it is typed, a figure as it is read; None is a dash, and a list its items."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(_short, value)) or "–"
    return numeral(value, ".6g") if isinstance(value, float) else str(value)
