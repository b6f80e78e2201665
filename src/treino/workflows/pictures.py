"""Pictures of a run, drawn from numbers that inspection computes, kept in ``pictures/``."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from treino.errors import TreinoError, nearest
from treino.store.files import write_atomically
from treino.words import _

if TYPE_CHECKING:
    from treino.workflows.run import Run


def draw(run: "Run", what: Sequence[str], to: Path | None = None) -> list[Path]:
    """Draw each of ``what`` as a PNG into ``to`` (default: the run's ``pictures/``) and return the paths.

    Raises:
        TreinoError: an unknown picture (with the nearest).
    """
    for name in what:
        if name not in PICTURES:
            raise TreinoError("picture_unknown", _("There is no picture {name!r}.").format(name=name), nearest(name, PICTURES))
    folder = to if to is not None else run.path / "pictures"
    folder.mkdir(exist_ok=True)
    paths = []
    for name in what:
        path = folder / f"{name}.png"
        write_atomically(path, PICTURES[name](run))
        paths.append(path)
    return paths


def _boundary(run: "Run") -> bytes:
    from treino.inspection import boundary
    from treino.plots import draw_boundary, png

    return png(draw_boundary(boundary(run.module, run.data, item_shape=run.item_shape, loss=run.settings["loss"])))


def _curves(run: "Run") -> bytes:
    from treino.plots import draw_curves, png

    return png(draw_curves(run.document, run.evaluations))


PICTURES: dict[str, Callable[["Run"], bytes]] = {"boundary": _boundary, "curves": _curves}
