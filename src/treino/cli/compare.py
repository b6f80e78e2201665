"""``treino compare``: two runs judged on the same rows."""

import csv
import io
from typing import Annotated, Any

from cyclopts import Parameter

from treino.base.console import table
from treino.base.option_marks import READ
from treino.base.words import _
from treino.cli.flags import ScreenFlag, ToFile, Trust
from treino.cli.screen import Replace, output_file, say_replaced
from treino.folders.access import Access
from treino.folders.store.output_files import CSV


def compare(
    run: Annotated[str, Parameter(name="RUN", help="a run's folder, or its name in ./runs"), READ],
    other: Annotated[str, Parameter(name="RUN2", help="the run that may be better, e.g. this month's"), READ],
    /,
    *,
    on: Annotated[
        str, Parameter(help="a file with the target's column, or pictures, that both predict"), READ
    ],
    to: Annotated[ToFile, Parameter(help="write the rows whose answer changed to this .csv file")] = None,
    replace: Replace = False,
    trust: Trust = False,
    screen: ScreenFlag,
) -> int:
    """Judge two runs on the same rows: which is better, by how much, and which rows changed their answer.

    Rows that either was trained on are left out of the figures.

    Example: treino compare february march --on test.csv
    """
    from treino.plots.report.charts import figure as figure_text
    from treino.reports.paired_runs import paired_runs
    from treino.training.stored_results import predicting

    output = output_file(to, CSV, replace=replace, reads=[on])
    access = Access(trust=trust)
    found = paired_runs(predicting(run, access), predicting(other, access), on)
    document = found.to_json() | {"path": to}
    if output is not None:
        output.write(_rows(found))
    document["replaced"] = say_replaced(screen.err, output)
    screen.document(document)
    for note in found.notes:
        screen.out.print(note)
    headings = _("figure"), found.a, found.b, _("difference"), _("95 % of the difference")
    lines = []
    for figure in found.figures:
        ends = {"low": figure_text(figure.low), "high": figure_text(figure.high)}
        interval = "" if figure.low is None else _("{low} to {high}").format(**ends)
        values = map(figure_text, (figure.a, figure.b, figure.difference))
        lines.append([figure.metric, *values, interval])
    screen.out.print(table(headings, lines, left=(0,)))
    screen.out.print()
    screen.out.print(found.sentence())
    if found.groups is not None:
        screen.out.print(_("Rows were drawn by whole groups: {n:,}.").format(n=found.groups))
    changed = _("Answers that changed ({by}): {n:,} of {of:,} rows.")
    screen.out.print(changed.format(by=found.changed_by, n=found.changed, of=found.rows))
    if to is not None:
        screen.out.print(_("written to {path}").format(path=to))
    elif found.changed:
        screen.out.print(_("Write them with --to FILE.csv, or see --json."))
    return 0


def _rows(found: Any) -> bytes:
    """The rows whose answer changed, as a table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    files = any(row.file for row in found.changed_rows)
    writer.writerow(["file" if files else "row", "truth", found.a, found.b])
    for row in found.changed_rows:
        writer.writerow([row.file if files else row.row, row.truth, row.a, row.b])
    return text.getvalue().encode()
