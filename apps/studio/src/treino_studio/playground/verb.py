"""``treino playground``: a page, one file, in which networks train in the browser, without a server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from treino.base.errors import Refusal
from treino.base.words import _
from treino.cli.flags import DATA, ScreenFlag, Switch, ToFile, with_flags
from treino.cli.screen import Replace, Screen, output_file, say_replaced
from treino.folders import PAGE, OutputFile
from treino.settings import read_settings
from treino_studio.browser import browser
from treino_studio.playground.address import address

PLAYGROUND_TARGET = Refusal(
    "--target is for a table of your own.",
    "Leave it out, or name a file: treino playground houses.csv --target price",
)

FILE = Path("playground.html")
TITLE = "<title>treino playground</title>"  # of every page that it writes


@dataclass(frozen=True)
class PageFlags:
    """Where the page is written, and whether it is opened."""

    to: Annotated[ToFile, Parameter(help="the file to write; default: playground.html")] = None
    replace: Replace = False
    no_browser: Annotated[Switch, Parameter(help="only write the file")] = False


@with_flags
def playground(
    source: Annotated[
        str | None,
        Parameter(name="DATA", help="a built-in, or a small table of your own, which is put into the page"),
        DATA,
    ] = None,
    /,
    *,
    options: PageFlags,
    screen: ScreenFlag,
    **flags: Any,
) -> int:
    """Train networks in the browser: one that is steered, or thousands side by side; nothing to install.

    The file holds everything and asks for nothing: send it, or put it on any web server. Its address tells of
    data, settings and view, so that a link opens what you see.

    Examples: treino playground | treino playground moons --hidden 16,8 --lr 0.01 |
    treino playground houses.csv --target price --to houses.html
    """
    from treino_studio.playground.page import IN_PAGE, page, table_of

    asked = {name: value for name, value in flags.items() if value is not None}
    settings = read_settings(asked)
    values = {name: getattr(settings, name) for name in asked if name != "target"}
    in_page = source is None or source in IN_PAGE
    if in_page and settings.target is not None:
        raise PLAYGROUND_TARGET()
    table = None if in_page or source is None else table_of(source, settings.target)
    start = address(source if table is None else table["name"], values)
    output = _output(options, source)
    path = output.write(page(table, start).encode())
    full = path.absolute().as_uri() + start
    _open(full, options, screen)
    screen.document({"path": str(path), "address": full, "replaced": say_replaced(screen.err, output)})
    screen.out.print(str(path), soft_wrap=True)
    return 0


def _output(options: PageFlags, source: str | None) -> OutputFile:
    """The file to write; without --to a page that was written before is replaced."""
    reads = [source] if source is not None and Path(source).exists() else []
    output = output_file(options.to, PAGE, replace=options.replace, reads=reads)
    return output or OutputFile(FILE, PAGE, reads=reads, replace=_is_page(FILE))


def _is_page(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return TITLE in file.read(4096)
    except OSError:
        return False


def _open(address: str, options: PageFlags, screen: Screen) -> None:
    if options.no_browser:
        return
    opened = browser()
    if opened is None or not opened(address):
        screen.err.print(_("No browser was found here: open the file in one."))
