"""The file or folder named by ``--to``: checked before the work; a replaced file is reported."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from treino.errors import TreinoError
from treino.store.output_files import OutputFile, OutputFolder
from treino.words import _

Replace = Annotated[bool, Parameter(help="replace files that exist already where --to says", negative=())]


def output_file(
    to: str | None,
    endings: Sequence[str],
    *,
    replace: bool,
    reads: Iterable[str | Path] = (),
    new_folders: bool = False,
    flag: str = "--to",
) -> OutputFile | None:
    """The file that `flag` names, None where it is left out. The rest: as for `OutputFile`.

    Raises:
        TreinoError: a place that is refused; ``--replace`` where there is none.
    """

    check_replace(replace, to, flag)
    if to is None:
        return None
    return OutputFile(to, endings, reads=reads, replace=replace, new_folders=new_folders)


def output_folder(to: str | None, *, replace: bool) -> OutputFolder | None:
    """The folder that ``--to`` names, None where it is left out.

    Raises:
        TreinoError: a place that is refused; ``--replace`` where there is none.
    """

    check_replace(replace, to)
    return None if to is None else OutputFolder(to, replace=replace)


def check_replace(replace: bool, to: str | None, flag: str = "--to") -> None:
    """Refuse ``--replace`` without a named place: files in a run's own folder are always replaced."""
    if replace and to is None:
        raise TreinoError(
            "replace_what",
            _("--replace needs {flag}, which names what may be replaced.").format(flag=flag),
            _("Add {flag}, or leave --replace out.").format(flag=flag),
        )


def say_replaced(console: Console, output: OutputFile | OutputFolder | None) -> list[str]:
    """Print a line for each replaced file; return their paths for the document."""
    replaced = [] if output is None else [str(path) for path in output.replaced]
    for path in replaced:
        console.print(_("{path} existed already and is replaced.").format(path=path))
    return replaced
