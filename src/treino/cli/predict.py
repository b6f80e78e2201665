"""``treino predict``: a run's predictions for new rows."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from treino.cli.flags import WHOLE, Net, RunName, ScreenFlag, Trust
from treino.cli.screen import Replace, output_file, say_replaced
from treino.records.access import Access
from treino.store.output_files import CSV
from treino.words import _, numeral

SHOWN = 10
NOTHING = "–"


def predict(
    run: RunName,
    source: Annotated[str, Parameter(name="DATA", help="a file with the same columns, or a built-in")],
    /,
    *,
    to: Annotated[
        str | None, Parameter(help="write the rows with their predictions to this .csv or .xlsx file")
    ] = None,
    replace: Replace = False,
    top: Annotated[
        int | None,
        WHOLE,
        Parameter(
            help="of a sweep: so many of the best answer together; default: the winner, or those chosen"
        ),
    ] = None,
    net: Net = None,
    trust: Trust = False,
    screen: ScreenFlag,
) -> int:
    """Predict the rows of DATA with the network of RUN, with probabilities.

    Where DATA has the target's column, the figures on it are shown too.

    Example: treino predict last new.csv --to predictions.csv
    """
    from treino.folders import predicting
    from treino.records import prediction
    from treino.records.data_source import files_of, files_trained_on
    from treino.records.prediction_files import WORKBOOK, check_workbook, predictions_file

    opened = predicting(run, Access(net, trust), top)
    reads = [*files_of(source), *files_trained_on(opened.folder)]
    output = output_file(to, (*CSV, WORKBOOK), replace=replace, reads=reads)
    ending = Path(to or "").suffix.lower()
    if ending == WORKBOOK:
        check_workbook()
    result = prediction.predict(opened, source)
    document = result.to_json() | {"path": to}
    if output is not None:
        output.write(predictions_file(source, prediction.reading_of(opened), result.each, ending))
        del document["predictions"]
    document["replaced"] = say_replaced(screen.err, output)
    screen.document(document)
    for note in result.notes:
        screen.out.print(note)
    if to is not None:
        screen.out.print(_("{n} predictions written to {path}").format(n=len(result.each), path=to))
    else:
        table = Table(box=None, pad_edge=False)
        numbers = any(p.interval for p in result.each[:SHOWN])
        for heading in (_("row"), _("prediction"), _("90 % interval") if numbers else _("probability")):
            table.add_column(heading, justify="right" if heading == _("row") else "left")
        for p in result.each[:SHOWN]:
            value, share = p.value, ""
            if isinstance(value, str) and p.probabilities is not None:
                share = numeral(p.probabilities[value], ".3f")
            if p.interval is not None:
                share = " – ".join(numeral(end, ".6g") for end in p.interval)
            cell = value if isinstance(value, str) else NOTHING if value is None else numeral(value, ".6g")
            table.add_row(str(p.row), cell, share)
        screen.out.print(table)
        if len(result.each) > SHOWN:
            screen.out.print(
                _("… and {n} more; write them with --to FILE.csv").format(n=len(result.each) - SHOWN)
            )
    if (comparison := result.comparison) is not None:
        screen.out.print(
            _("against the target column: {figures}").format(figures=_in_words(comparison.metrics))
        )
        if comparison.other_metrics is not None:
            screen.out.print(
                _("{n} of these {of} rows were trained on; on the others: {figures}").format(
                    n=comparison.training_rows,
                    of=comparison.rows_compared,
                    figures=_in_words(comparison.other_metrics),
                )
            )
        elif comparison.training_rows:
            screen.out.print(_("All these rows were trained on: the figures say nothing of new ones."))
    return 0


def _in_words(metrics: dict[str, float | None]) -> str:
    return ", ".join(f"{k} {NOTHING if v is None else numeral(v)}" for k, v in metrics.items())
