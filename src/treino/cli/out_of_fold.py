"""The file of out-of-fold predictions that ``treino train --folds 10 --to FILE`` writes."""

from collections.abc import Iterator
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import _
from treino.cli.screen import Screen, output_file, say_replaced
from treino.folders.access import Access
from treino.folders.data_source import files_of, reading_like
from treino.folders.prediction_files import WORKBOOK, predictions_file
from treino.folders.store.output_files import CSV, OutputFile
from treino.training.loop import JobEnd, JobEvent
from treino.training.stored_results import StoredSweep, open_folder

TO_WITHOUT_FOLDS = Refusal(
    "--to writes out-of-fold predictions, and there are no folds.",
    "Add --folds 10, or predict rows with the run: treino predict RUN DATA --to FILE",
)


def out_of_fold_file(to: str | None, source: Any, folds: int | None, *, replace: bool) -> OutputFile | None:
    """The file that ``--to`` names, checked before anything is trained.

    Raises:
        TreinoError: there are no folds; the path is refused.
    """
    if to is not None and folds is None:
        raise TO_WITHOUT_FOLDS()
    return output_file(to, (*CSV, WORKBOOK), replace=replace, reads=files_of(source))


def with_predictions(
    events: Iterator[JobEvent], output: OutputFile, source: Any, screen: Screen
) -> Iterator[JobEvent]:
    """The same events; at the end of the folds, their out-of-fold predictions are written to the file, unless
    every network diverged."""
    for event in events:
        if isinstance(event, JobEnd) and event.document["status"] == "diverged":
            screen.err.print(_("{path} is not written: every fold diverged.").format(path=output.path))
        elif isinstance(event, JobEnd) and not event.interrupted:
            sweep = open_folder(event.job.folder.path, Access())
            assert isinstance(sweep, StoredSweep)
            made, reading = sweep.out_of_fold(), reading_like(sweep.spec.data)
            each = made.of_source(source, reading)
            output.write(predictions_file(source, reading, each, output.path.suffix.lower()))
            say_replaced(screen.err, output)
            screen.err.print(
                _("{n:,} out-of-fold predictions written to {path}").format(n=len(made), path=output.path)
            )
        yield event
