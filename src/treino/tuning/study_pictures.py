"""Picture files of a study, in ``pictures/`` of its folder."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from treino.documents.study_result import StudyResult
from treino.errors import TreinoError
from treino.pictures import File
from treino.pictures.output import check_names, put_each
from treino.plots.study import StudyCurve, curves_figure
from treino.plots.study_tradeoff import tradeoff_figure
from treino.plots.style import png
from treino.store.output_files import OutputFolder
from treino.tuning.conclusions import mode_name, setting_texts
from treino.tuning.stored_study import StoredStudy
from treino.words import N_, _


def draw_study(
    study: StoredStudy,
    what: Sequence[str] = (),
    to: OutputFolder | None = None,
    missing: list[TreinoError] | None = None,
) -> list[Path]:
    """Draw each of ``what`` (default: all) as a PNG into ``to`` (default: the study's ``pictures/``).

    missing: as in ``pictures.draw``.

    Raises:
        TreinoError: an unknown picture (with the nearest), or a study that has no epoch yet.
    """
    check_names(what, PICTURES, N_("There is no picture {name!r} of a study."))
    result = study.result
    if result is None or not any(row.epochs for row in result.rows):
        raise TreinoError(
            "study_without_epochs",
            _("{study} has no whole epoch yet.").format(study=study.name),
            _("Wait, or go on with it: treino resume {study}").format(study=study.name),
        )
    names = what or list(PICTURES)
    if to is not None:
        to.check(f"{name}.png" for name in names)
    return put_each(study.folder, [partial(_file, result, name) for name in names], to, missing)


def _file(result: StudyResult, name: str) -> list[File]:
    return [(f"{name}.png", PICTURES[name](result))]


def lines_of(result: StudyResult) -> list[StudyCurve]:
    """The rows as the pictures take them."""
    rest = [n for n in result.varied if n != "batch_size"]
    found = []
    for row in result.rows:
        batch = row.batch_size
        found.append(
            StudyCurve(
                panel=_("batch of all rows") if batch == "full" else _("batch {n}").format(n=batch),
                mode=mode_name(row.mode),
                setting=", ".join(setting_texts(row, rest)),
                loss=row.loss,
                deviation=row.loss_std,
                floor=row.loss_floor,
                seconds=row.seconds_per_epoch,
                interval=row.seconds_interval,
                epochs_to={name: row.epochs_to(name) for name in result.until},
                epochs=row.epochs,
            )
        )
    return found


def _curves(result: StudyResult) -> bytes:
    return png(curves_figure(lines_of(result), result.data, result.until.get("loss")))


def _tradeoff(result: StudyResult) -> bytes:
    until = result.until
    metric = "accuracy" if "accuracy" in until else next(iter(until), None)
    figure = None if metric is None else until[metric]
    return png(tradeoff_figure(lines_of(result), result.data, metric, figure))


PICTURES: dict[str, Callable[[StudyResult], bytes]] = {"curves": _curves, "tradeoff": _tradeoff}
