"""Picture files of a study, in ``pictures/`` of its folder."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from treino.errors import TreinoError
from treino.pictures import File
from treino.pictures.output import check_names, put_each
from treino.plots.study import StudyCurve, curves_figure
from treino.plots.study_tradeoff import tradeoff_figure
from treino.plots.style import png
from treino.store.output_files import OutputFolder
from treino.studies.conclusions import mode_name, setting_texts
from treino.studies.stored_study import StoredStudy
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
    if not any(row["epochs"] for row in study.rows):
        raise TreinoError(
            "study_without_epochs",
            _("{study} has no whole epoch yet.").format(study=study.name),
            _("Wait, or go on with it: treino resume {study}").format(study=study.name),
        )
    names = what or list(PICTURES)
    if to is not None:
        to.check(f"{name}.png" for name in names)
    return put_each(study.folder, [partial(_file, study, name) for name in names], to, missing)


def _file(study: StoredStudy, name: str) -> list[File]:
    return [(f"{name}.png", PICTURES[name](study))]


def lines_of(study: StoredStudy) -> list[StudyCurve]:
    """The rows as the pictures take them."""
    d = study.document
    rest = [n for n in d["varied"] if n != "batch_size"]
    found = []
    for row in d["rows"]:
        batch = row["batch_size"]
        found.append(
            StudyCurve(
                panel=_("batch of all rows") if batch == "full" else _("batch {n}").format(n=batch),
                mode=mode_name(row["mode"]),
                setting=", ".join(setting_texts(row, rest)),
                loss=row["loss"],
                deviation=row["loss_std"],
                floor=row["loss_floor"],
                seconds=row["seconds_per_epoch"],
                interval=row["seconds_interval"],
                epochs_to={name: row[f"epochs_to_{name}"] for name in d["until"]},
                epochs=row["epochs"],
            )
        )
    return found


def _curves(study: StoredStudy) -> bytes:
    return png(curves_figure(lines_of(study), study.document["data"], study.document["until"].get("loss")))


def _tradeoff(study: StoredStudy) -> bytes:
    d = study.document
    metric = "accuracy" if "accuracy" in d["until"] else next(iter(d["until"]), None)
    return png(tradeoff_figure(lines_of(study), d["data"], metric, d["until"].get(metric)))


PICTURES: dict[str, Callable[[StoredStudy], bytes]] = {"curves": _curves, "tradeoff": _tradeoff}
