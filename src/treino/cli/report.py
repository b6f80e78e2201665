"""``treino report``: one self-contained page about a run, several runs or a sweep."""

from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn

from treino.base.errors import TreinoError
from treino.base.option_marks import READ
from treino.cli.flags import AccessFlags, ScreenFlag, Switch, ToFile, with_flags
from treino.cli.screen import Replace, of_errors, output_file, say_replaced
from treino.folders.store.output_files import MARKDOWN, PAGE


@with_flags
def report(
    *runs: Annotated[
        str,
        Parameter(name="RUN", help="a run or a sweep; several runs are compared; default: last, the newest"),
        READ,
    ],
    to: Annotated[
        ToFile, Parameter(help="the file to write; default: report.html in the run's exports/")
    ] = None,
    replace: Replace = False,
    markdown: Annotated[Switch, Parameter(help="as Markdown, to paste into a pull request")] = False,
    flags: AccessFlags,
    screen: ScreenFlag,
) -> int:
    """Write one page about a run: data, split, settings, curves, figures, boundary, findings, commands.

    The file holds everything and loads nothing. Several runs are compared on the rows that they share; of a
    sweep it shows the leaders and what the best is worth.

    Examples: treino report last | treino report wine-1 wine-2 --to both.html | treino report last --markdown
    """
    from treino.folders.data_source import files_trained_on
    from treino.reports.report import report as work
    from treino.reports.run_report import writing
    from treino.training.stored_results import open_folder

    errors: list[TreinoError] = []
    opened = [open_folder(name, flags.access) for name in runs or ("last",)]
    reads = [file for one in opened for file in files_trained_on(one.folder, flags.data_file)]
    output = output_file(to, MARKDOWN if markdown else PAGE, replace=replace, reads=reads)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        console=screen.err,
        transient=True,
        disable=not screen.live,
    ) as bar:
        task = bar.add_task("")

        def tell(what: str, number: int, of: int) -> None:
            bar.update(task, description=writing(what, number, of))

        path = work(opened, output, as_markdown=markdown, tell=tell, errors=errors)
    screen.document({"path": str(path), "replaced": say_replaced(screen.err, output), **of_errors(errors)})
    screen.out.print(str(path))
    return max(map(screen.fail, errors), default=0)
