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
    what: Annotated[
        str | None,
        Parameter(
            help="pictures, comma-separated: boundary, curves; of a sweep: parallel, importance, slices, "
            "curves, boundaries; of a study: curves, tradeoff; default: all of them"
        ),
    ] = None,
    to: Annotated[str | None, Parameter(help="folder for the pictures; default: the run's pictures/")] = None,
    net: Net = None,
    trust: Trust = False,
    data_file: DataFile = None,
    screen: ScreenFlag,
) -> int:
    """Draw pictures of a run: its decision boundary and its curves; or of a sweep, and of its best networks.

    Examples: treino plot last --what boundary | treino plot wine-sweep-1 --what parallel,importance
    """
    from treino.workflows.pictures import draw
    from treino.workflows.study.pictures import draw_study
    from treino.workflows.study.study import Study, open_any
    from treino.workflows.sweep.pictures import draw_sweep, usual
    from treino.workflows.sweep.sweep import Sweep

    names = None if what is None else [w.strip() for w in what.split(",") if w.strip()]
    if names == []:
        raise TreinoError("what_empty", _("--what is empty."), _("Give e.g. boundary, curves or both."))
    opened = open_any(run, net=net, trust=trust, data=data_file)
    place = Path(to) if to else None
    if isinstance(opened, Study):
        paths = draw_study(opened, names or (), place)
    elif isinstance(opened, Sweep) and names != ["boundary"]:
        paths = draw_sweep(opened, names or usual(opened), place)
    else:
        one = opened.best if isinstance(opened, Sweep) else opened
        paths = draw(one, names or ["boundary", "curves"], place)
    screen.document({"paths": [str(p) for p in paths]})
    for path in paths:
        screen.out.print(str(path))
    return 0
