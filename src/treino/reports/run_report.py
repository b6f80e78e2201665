"""The facts of one run for its report, from its folder and its network's outputs."""

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import Any

import torch

from treino.base.apps import brought
from treino.base.errors import Refusal, TreinoError
from treino.base.own_objects import is_own
from treino.base.words import N_, _
from treino.engine.devices import torch_threads
from treino.folders.documents.reading import read_verification
from treino.folders.documents.run_spec import RunSpec
from treino.folders.documents.sweep import SweepSpec
from treino.folders.run_curves import curves_of
from treino.folders.store.new_names import ended_before_it_began
from treino.folders.stored_folder import as_flags
from treino.folders.stored_run import StoredRun
from treino.inspection.outputs import confusion
from treino.plots.data_page import image_blocks
from treino.plots.mistakes import LINES
from treino.plots.mistakes import PICTURES as IN_PICTURE
from treino.plots.report.blocks import Block, ListBlock, Paragraph, Picture
from treino.plots.report.charts import confusion_blocks
from treino.plots.report.run import RunReport
from treino.reports.pictures import network_errors, shown_splits
from treino.reports.pictures.insides import mistakes_of
from treino.reports.pictures.output import MissingParts
from treino.reports.pictures.picture_files import PICTURES
from treino.settings.network_call import NetworkCall
from treino.settings.options import SweepOptions
from treino.settings.recipes import without_recipe
from treino.settings.spec import FLAGS, OF_DATA
from treino.training.search.space import space_in
from treino.training.stored_results import StoredSweep

CLASSES_MANY = Refusal(
    "{n} classes are too many for a table on a page.", "See: treino plot {run} [[what=confusion]]"
)

# ---- commands and Python calls that reproduce a training


def sweep_as_typed(spec: SweepSpec) -> str:
    """Return the command that reproduces this sweep, or these seeds or folds."""
    given = _sweep_arguments(spec)
    space, until = given.pop("space", {}), given.pop("until", None)
    words = ["treino", "train" if spec.sweep.spread else "sweep", spec.data.source]
    words += [w for name, text in space.items() for w in ("--space", f"{name}={text}")]
    words += [w for name, value in given.items() for w in ("--" + name.replace("_", "-"), str(value))]
    words += [] if until is None else ["--until", "{}={:g}".format(*until)]
    return shlex.join([*words, *as_flags({k: v for k, v in spec.asked.items() if k in FLAGS})])


def as_called(spec: RunSpec | SweepSpec, rows: str, kept: bool) -> str:
    """Return the Python call that reproduces this run or sweep; "" if a command is enough.

    rows: expression for the data in the call. kept: ``rows`` are already prepared, so the call omits the
    arguments of ``load``.
    """
    where, arguments = spec.data, without_recipe(spec.asked)
    if isinstance(spec, RunSpec):  # optional for a run on built-in data
        arguments = {"recipe": spec.resolved.recipe} | arguments
    in_python = where.kind in ("memory", "given")
    own = isinstance(spec, RunSpec) and spec.net == "given" and "net" not in spec.asked
    named = is_own(NetworkCall.read(str(spec.asked.get("net"))).of)  # a class or function given in Python
    if isinstance(spec, RunSpec) and spec.command.startswith(
        ("treino train --branch", "treino train --rewind")
    ):
        return ""
    if not in_python and not own and not named:
        return ""
    if in_python:
        arguments = {name: value for name, value in arguments.items() if not (kept and name in OF_DATA)}
    else:
        rows = repr(where.source)
    words, verb = [rows, *(["net"] if own else [])], "fit"
    if isinstance(spec, SweepSpec):
        arguments = _sweep_arguments(spec) | arguments
        verb = "fit" if spec.sweep.spread else "sweep"
    words += [f"{name}={value!r}" for name, value in arguments.items() if value is not None]
    return f"treino.{verb}({', '.join(words)})"


def _sweep_arguments(spec: SweepSpec) -> dict[str, Any]:
    """Return the arguments of ``treino.sweep``, or of ``treino.fit`` with several seeds or folds."""
    until = {"until": list(spec.sweep.until)} if spec.sweep.until else {}
    space = space_in(spec)
    if spec.sweep.spread:
        axes = {"seed": "seeds", "fold": "folds"}
        return {axes[d.name]: d.domain.count for d in space.dimensions if d.name in axes} | until
    unusual = spec.sweep.model_dump(include=set(SweepOptions.model_fields) - {"until"}, exclude_defaults=True)
    return {"space": {d.name: d.text for d in space.dimensions}} | unusual | until


# ---- the facts of one run

MOST_TARGETS = 4  # maximum number of targets whose pictures a page shows
MOST_CLASSES = 20  # maximum number of classes in a confusion matrix that a page shows legibly
HEAVY = 600_000  # bytes from which a picture is stored with less exact pixels


Tell = Callable[[str, int, int], None]  # of what is written next, its number, and how many there are


def silent(what: str, number: int, of: int) -> None:
    """Tell nobody."""


def writing(what: str, number: int, of: int) -> str:
    """Say what of a report or a film is being made."""
    return _("Being written: {what}, {n} of {total} …").format(what=what, n=number, total=of)


def run_report_of(
    run: StoredRun,
    *,
    whole: bool = True,
    pictures: bool = True,
    tell: Tell = silent,
    errors: list[TreinoError] | None = None,
) -> RunReport:
    """Return everything that a report says about this run. whole: include slow and large sections.

    pictures: False omits what is drawn. tell: gets each section before it is made. What can't be shown, such
    as a boundary if the data file has moved, is listed with the reason. errors: gets the defects among them.

    Raises:
        TreinoError: a run that ended before its settings were written.
    """
    check_begun(run)
    missing = MissingParts([] if errors is None else errors)
    seen: dict[str, Sequence[Block]] = {}
    shown = (SHOWN if whole else BESIDE) if pictures else WRITTEN
    of_pixels = run.preparation.kind == "image"
    # waking threads costs more processor time than all of the work on a table
    with torch_threads(torch.get_num_threads() if of_pixels else 1):
        for number, (title, make) in enumerate(shown.items(), 1):
            tell(_(title), number, len(shown))
            with missing.but(_(title)), network_errors(run):
                if blocks := _of_each_target(run, make):
                    seen[_(title)] = blocks
    images: Sequence[Block] = ()
    if whole and of_pixels:
        with missing.but(_("Images")):
            images = _images(run, pictures)
    verification = None
    with missing.but(_("Verification")):
        verification = read_verification(run.folder)
    return RunReport(
        run,
        curves_of(run),
        pictures=seen,
        missing=missing.sentences,
        call=called_again(run.spec, run),
        official=_official(run),
        verification=verification,
        images=images,
    )


def check_begun(one: StoredRun | StoredSweep) -> None:
    """Refuse a run or sweep that ended before its settings were written: there is nothing to report."""
    if not one.folder.has("spec.json"):
        raise ended_before_it_began(one.path)


def called_again(spec: RunSpec | SweepSpec, run: StoredRun | None) -> str:
    """Return the Python call that reproduces the training; "" if a command can name its data and network.

    run: a run that holds these rows, if any.
    """
    if run is not None and spec.data.kind == "memory":
        with suppress(TreinoError):  # the rows may not have been kept
            len(run.data.train)
            return as_called(spec, f"treino.open({run.typed!r}).data", True)
    return as_called(spec, "data", False)


def _official(run: StoredRun) -> bool | None:
    with suppress(TreinoError):
        return run.data.official_test
    return None


def _images(run: StoredRun, drawn: bool) -> Sequence[Block]:
    images = run.data.images
    if images is None:
        return ()
    said = tuple(warning.note for warning in images.warnings())
    return [*image_blocks(images, drawn), *([ListBlock(said)] if said else [])]


def _of_each_target(run: StoredRun, make: Callable[[StoredRun], Sequence[Block]]) -> Sequence[Block]:
    """Return the section's blocks; for several targets, those of the first few, under their names."""
    each = run.by_target[:MOST_TARGETS]
    if len(each) == 1:
        return make(run)
    blocks = [(one.preparation.target, make(one)) for one in each]
    return [block for name, own in blocks if own for block in (Paragraph(name, "strong"), *own)]


def _film(run: StoredRun) -> Sequence[Block]:
    blocks: Sequence[Block] = brought("treino.functions", "film")(run)
    return blocks


def _confusion(run: StoredRun) -> Sequence[Block]:
    if not run.data.classes:
        return ()
    if len(run.data.classes) > MOST_CLASSES:
        raise CLASSES_MANY(n=len(run.data.classes), run=run.typed)
    shown = confusion(run.module, run.data, splits=shown_splits(run), item_shape=run.item_shape)
    return confusion_blocks(shown)


def _mistakes(run: StoredRun) -> Sequence[Block]:
    drawn = _drawn(run, "mistakes", _("The rows on which the network is most sure and wrong"))
    return [*drawn, *_behind_mistakes(run)]


def _behind_mistakes(run: StoredRun) -> Sequence[Block]:
    """Return, for each mistake in the picture, the training rows that support the wrong answer most."""
    shown = mistakes_of(run)
    most = LINES if shown.items is None else IN_PICTURE
    if not len(shown):
        return ()
    numbers = shown.index_K[:most].tolist()
    try:
        behind = brought("treino.functions", "proponents")(run, numbers, shown.said_K[:most].tolist())
    except TreinoError as error:
        text = _("The training rows behind these mistakes are not shown. {why}")
        return [Paragraph(text.format(why=error), "soft")]
    return [Paragraph(behind.about, "soft"), *behind.tables]


def _drawn(run: StoredRun, name: str, alt: str) -> Sequence[Block]:
    pixels = run.data.kind == "image" and name != "calibration"
    return [_light(Picture(file, content, alt, pixels=pixels)) for file, content in PICTURES[name].draw(run)]


def _light(picture: Picture) -> Picture:
    """Return a large PNG as JPEG, which takes a sixth of the bytes for photographs."""
    if len(picture.content) < HEAVY or not picture.name.endswith(".png"):
        return picture
    from PIL import Image

    file = BytesIO()
    Image.open(BytesIO(picture.content)).convert("RGB").save(file, "JPEG", quality=88)
    return replace(picture, name=picture.name.removesuffix(".png") + ".jpg", content=file.getvalue())


Make = Callable[[StoredRun], Sequence[Block]]


def _picture(name: str, alt: str, fits: Callable[[StoredRun], bool]) -> Make:
    """Return a section of one picture, for runs that it fits."""
    return lambda run: _drawn(run, name, _(alt)) if fits(run) else ()


def _of_pixels(run: StoredRun) -> bool:
    return run.data.kind == "image"


def _of_classes(run: StoredRun) -> bool:
    return bool(run.data.classes)


def _inside(run: StoredRun) -> Sequence[Block]:
    if _of_pixels(run):
        return _drawn(run, "weights", _("The first layer's weights, a picture for each unit"))
    return _drawn(run, "network", _("The network's units, and what each sees over the inputs"))


WRITTEN: dict[str, Make] = {N_("Confusion"): _confusion}
"""Sections computed from the network's outputs and written as text."""

BESIDE: dict[str, Make] = {
    N_("Predictions"): _picture(
        "boundary",
        N_("What the network says over its inputs, with the rows on it"),
        lambda run: not (_of_pixels(run) and _of_classes(run)),  # a plane shows little of many pixels
    ),
    **WRITTEN,
}
"""Sections computed from the network's outputs, for runs that are compared."""

SHOWN: dict[str, Make] = {
    N_("Film"): _film,
    **BESIDE,
    N_("Calibration"): _picture(
        "calibration", N_("How often the network is right, by how sure it is"), _of_classes
    ),
    N_("Mistakes"): _mistakes,
    N_("Confused pictures"): _picture(
        "cells",
        N_("Rows that are taken for another class, by their true class and the predicted one"),
        lambda run: _of_pixels(run) and _of_classes(run),
    ),
    N_("What the answer hangs on"): _picture(
        "occlusion", N_("The places of some pictures that the network's answer hangs on"), _of_pixels
    ),
    N_("Feature importance"): _picture(
        "importance",
        N_("How much worse it gets where a column is shuffled"),
        lambda run: not _of_pixels(run) and len(run.data.features) > 1,
    ),
    N_("Inside"): _inside,
}
"""Sections computed from the network's outputs, for the report of a single run."""
