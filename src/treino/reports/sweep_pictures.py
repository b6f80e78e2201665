"""Picture files of a sweep or a study, in ``pictures/`` of its folder."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _, numeral
from treino.engine.metrics import METRICS, metric_name
from treino.folders.documents.reading import read_tensors
from treino.folders.documents.sweep import StudyResult
from treino.folders.store import RunFolder
from treino.folders.store.output_files import OutputFolder
from treino.inspection.boundary import boundary
from treino.inspection.input_planes import Plane
from treino.plots.study import StudyCurve, curves_figure, tradeoff_figure
from treino.plots.style import png
from treino.plots.sweep import (
    boundaries_figure,
    density_figure,
    importance_figure,
    parallel_figure,
    slices_figure,
)
from treino.reports.pictures.output import check_names, put_each
from treino.reports.pictures.picture_files import PICTURES as OF_A_RUN
from treino.training.search.judge import (
    FEWEST,
    SettingImportance,
    SweepFigures,
    density,
    seen,
    setting_importance,
)
from treino.training.stored_results import StoredStudy, StoredSweep
from treino.training.sweeps.bracket import MODELS, MemberTable, read_top
from treino.training.sweeps.populations import config_text
from treino.training.sweeps.study_document import mode_name, setting_texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SWEEP_WITHOUT_TABLE = Refusal(
    "{sweep} has no network at its first rung yet.", "Wait, or go on with it: treino resume {sweep}"
)
STUDY_WITHOUT_EPOCHS = Refusal(
    "{study} has no whole epoch yet.", "Wait, or go on with it: treino resume {study}"
)
NETWORKS_TOO_FEW = Refusal(
    "What mattered can't be seen from fewer than {n} networks.", "Begin a sweep with more [[members]]."
)
CURVES_NONE = Refusal(
    "No finished bracket of {sweep} has validation figures yet.",
    "Wait for it, or train with [[validation=0.15]].",
)
BOUNDARIES_NONE = Refusal(
    "Boundaries are of classes over two inputs, and {sweep} has none.", "Leave boundaries out of [[what]]."
)

NINE = 9
RESOLUTION = 120


def usual(sweep: StoredSweep) -> list[str]:
    """Return the pictures that a sweep gets if none are named."""
    few = len(sweep.frame) < 10 or not sweep.folder.has(MODELS)
    few = few or set(sweep.spec.space) <= {"seed", "data_seed", "fold"}  # repeats: no setting can matter
    classes = bool(sweep.spec.classes)
    return [n for n in PICTURES if not (few and n in ("importance",)) and (classes or n != "boundaries")]


def of_one(name: str) -> bool:
    """Whether the picture shows one network; for a sweep, that is its best one."""
    return OF_A_RUN.find(name) is not None and name not in PICTURES


def draw_sweep(
    sweep: StoredSweep, what: Sequence[str], to: OutputFolder | None, missing: list[TreinoError]
) -> list[Path]:
    """Draw each of ``what`` as a PNG into ``to``, or else the sweep's ``pictures/``, and return the paths.

    missing: as in ``pictures.draw``.

    Raises:
        TreinoError: an unknown picture (the hint names the nearest), or no data for it.
    """
    check_names(what, PICTURES, N_("There is no picture {name!r} of a sweep."))
    if not MemberTable.read(sweep.folder).rows:
        raise SWEEP_WITHOUT_TABLE(sweep=sweep.name)
    return _put(sweep.folder, {name: partial(PICTURES[name], sweep) for name in what}, to, missing)


def sweep_picture(sweep: StoredSweep, name: str) -> bytes:
    """Return a picture of a sweep as PNG."""
    return png(PICTURES[name](sweep))


def draw_study(
    study: StoredStudy, what: Sequence[str], to: OutputFolder | None, missing: list[TreinoError]
) -> list[Path]:
    """Draw pictures of a study as ``draw_sweep`` does.

    Raises:
        TreinoError: an unknown picture (the hint names the nearest), or a study without an epoch.
    """
    check_names(what, OF_A_STUDY, N_("There is no picture {name!r} of a study."))
    result = study.result
    if result is None or not any(row.epochs for row in result.rows):
        raise STUDY_WITHOUT_EPOCHS(study=study.name)
    lines = _study_curves(result)
    return _put(study.folder, {name: partial(OF_A_STUDY[name], lines, result) for name in what}, to, missing)


def _put(
    folder: RunFolder,
    pictures: "Mapping[str, Callable[[], Figure]]",
    to: OutputFolder | None,
    missing: list[TreinoError],
) -> list[Path]:
    drawn = {name: partial(lambda n: [(f"{n}.png", png(pictures[n]()))], name) for name in pictures}
    return put_each(folder, drawn, lambda name: [f"{name}.png"], to, missing)


def figures_of(sweep: StoredSweep) -> SweepFigures:
    """Return the validation metrics of the sweep's networks so far."""
    rows = MemberTable.read(sweep.folder).rows.values()
    metric = sweep.spec.metric
    return seen(sweep.name, list(rows), sweep.spec.space, metric, METRICS[metric].better)


def importance_of(sweep: StoredSweep) -> SettingImportance:
    """Measure how much each setting mattered.

    Raises:
        TreinoError: too few networks.
    """
    importance = setting_importance(figures_of(sweep))
    if importance is None:
        raise NETWORKS_TOO_FEW(n=FEWEST)
    return importance


def _curves(sweep: StoredSweep) -> "Figure":
    curves: list[tuple[Any, Any, Any]] = []
    for name in sweep.folder.names("curves"):
        tensors, meta = read_tensors(sweep.folder, name)
        if tensors:
            curves.append((meta["members"], tensors["epoch"].tolist(), tensors["figure"].numpy()))
    s = figures_of(sweep)
    best = int(s.member_M[s.order[0]])
    curve_density = density(curves, best, s.better)
    if curve_density is None:
        raise CURVES_NONE(sweep=sweep.name)
    return density_figure(curve_density, sweep.name, s.metric, s.better < 0)


def _boundaries(sweep: StoredSweep) -> "Figure":
    order = [kept.member for kept in read_top(sweep.folder)]
    result = sweep.result
    figures = {} if result is None else {e.member: e.validation for e in result.leaderboard}
    metric = sweep.spec.metric
    shown = "accuracy" if any("accuracy" in of for of in figures.values()) else metric
    planes, captions, axes = [], [], None
    for member in order[:NINE]:
        run = sweep.member(member).of_target()
        view: dict[str, Any] = {"axes": axes, "resolution": RESOLUTION, "splits": ("train", "validation")}
        plane = boundary(run.module, run.data, item_shape=run.item_shape, **view)
        if not isinstance(plane, Plane):
            break
        if plane.axes.view == "important":  # all planes use the best network's main columns
            axes = _columns(run.data, plane.axes.axis_names)
        planes.append(plane)
        figure = figures.get(member, {}).get(shown)
        figure_text = "" if figure is None else f" · {metric_name(shown)} {numeral(figure)}"
        number = _("network {n}").format(n=member)
        captions.append(f"{number}{figure_text} · {config_text(sweep.params(member))}")
    if not planes:
        raise BOUNDARIES_NONE(sweep=sweep.name)
    return boundaries_figure(planes, captions, sweep.name)


def _columns(data: Any, inputs: Sequence[str]) -> list[str]:
    """Return the columns from which these inputs are encoded."""
    groups, names = data.preparation.groups, data.preparation.inputs
    return [
        next(
            column for column, group in zip(data.features, groups, strict=True) if names.index(name) in group
        )
        for name in inputs
    ]


PICTURES: "dict[str, Callable[[StoredSweep], Figure]]" = {
    "parallel": lambda sweep: parallel_figure(figures_of(sweep)),
    "importance": lambda sweep: importance_figure(importance_of(sweep), sweep.name),
    "slices": lambda sweep: slices_figure(figures_of(sweep)),
    "curves": _curves,
    "boundaries": _boundaries,
}


def _study_curves(result: StudyResult) -> list[StudyCurve]:
    """Return a study's rows as curves."""
    rest = [n for n in result.varied if n != "batch_size"]
    return [
        StudyCurve(
            panel=_("batch of all rows")
            if row.batch_size == "full"
            else _("batch {n}").format(n=row.batch_size),
            mode=mode_name(row.mode),
            setting=", ".join(setting_texts(row, rest)),
            row=row,
        )
        for row in result.rows
    ]


def _loss_curves(lines: Sequence[StudyCurve], result: StudyResult) -> "Figure":
    return curves_figure(lines, result.data, result.until.get("loss"))


def _tradeoff(lines: Sequence[StudyCurve], result: StudyResult) -> "Figure":
    until = result.until
    metric = "accuracy" if "accuracy" in until else next(iter(until), None)
    return tradeoff_figure(lines, result.data, metric, None if metric is None else until[metric])


OF_A_STUDY = {"curves": _loss_curves, "tradeoff": _tradeoff}
