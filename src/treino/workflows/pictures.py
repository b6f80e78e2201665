"""Pictures of a run, drawn from numbers that inspection computes, kept in ``pictures/``."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from treino.errors import TreinoError, nearest
from treino.store import RunFolder
from treino.store.files import make_folder, write_atomically
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
            raise TreinoError(
                "picture_unknown",
                _("There is no picture {name!r}.").format(name=name),
                nearest(name, PICTURES),
            )
    return put(run.folder, ((name, PICTURES[name](run)) for name in what), to)


def put(folder: RunFolder, pictures: Iterable[tuple[str, bytes]], to: Path | None) -> list[Path]:
    """Each (name, PNG) as a file in ``to``, or else in the folder's ``pictures/``; -> their paths."""
    if to is not None:
        make_folder(to)
    paths = []
    for name, picture in pictures:
        if to is None:
            paths.append(folder.write_bytes(f"pictures/{name}.png", picture))
        else:
            write_atomically(to / f"{name}.png", picture)
            paths.append(to / f"{name}.png")
    return paths


def _boundary(run: "Run") -> bytes:
    from treino.inspection.boundary import boundary
    from treino.inspection.views import Split
    from treino.plots.boundary import boundary_figure
    from treino.plots.style import png

    over = run.status in ("finished", "diverged")
    splits: tuple[Split, ...] = ("train", "validation", "test") if over else ("train", "validation")
    return png(boundary_figure(boundary(run.module, run.data, item_shape=run.item_shape, splits=splits)))


def _curves(run: "Run") -> bytes:
    from treino.inspection.curves import curves
    from treino.plots.curves import curves_figure
    from treino.plots.style import png

    d = run.document
    evaluated, per_epoch = run.evaluations, run.spec["steps_per_epoch"]
    metric = next((m for m in ("accuracy", "rmse") if any(m in of for of in evaluated.values())), "")
    shown = curves(
        run.name,
        d["loss"]["train"],
        d["loss_std"]["train"],
        evaluated=evaluated,
        metric=metric,
        kept_epoch=d.get("kept_epoch"),
        step_loss=run.losses,
        steps_per_epoch=per_epoch,
        diverged_step=d["steps"] if d["status"] == "diverged" else None,
    )
    return png(curves_figure(shown))


PICTURES: dict[str, Callable[["Run"], bytes]] = {"boundary": _boundary, "curves": _curves}
