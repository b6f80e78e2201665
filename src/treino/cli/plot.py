"""``treino plot``: pictures of a run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from treino.cli.flags import DataFile, Net, RunName, ScreenFlag, Trust
from treino.errors import TreinoError
from treino.words import _


def plot(
    run: RunName = "last",
    /,
    *,
    what: Annotated[str, Parameter(help="pictures, comma-separated: boundary, curves")] = "boundary,curves",
    to: Annotated[str | None, Parameter(help="folder for the pictures; default: the run's pictures/")] = None,
    net: Net = None,
    trust: Trust = False,
    data_file: DataFile = None,
    screen: ScreenFlag,
) -> int:
    """Draw pictures of a run: its decision boundary and its curves.

    Example: treino plot last --what boundary
    """
    from treino.workflows.pictures import draw
    from treino.workflows.run import open_run

    names = [w.strip() for w in what.split(",") if w.strip()]
    if not names:
        raise TreinoError("what_empty", _("--what is empty."), _("Give boundary, curves or both."))
    opened = open_run(run, net=net, trust=trust, data=data_file)
    paths = draw(opened, names, Path(to) if to else None)
    screen.document({"paths": [str(p) for p in paths]})
    for path in paths:
        screen.out.print(str(path))
    return 0
