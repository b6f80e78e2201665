"""``treino plot``: pictures and films of runs and sweeps."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

import treino.data
from treino.base.apps import brought, names_of_packages
from treino.base.errors import Refusal, TreinoError
from treino.base.option_marks import PLAIN, READ
from treino.base.words import _
from treino.cli.flags import AccessFlags, ScreenFlag, Switch, ToFile, Whole, Words, with_flags
from treino.cli.screen import Replace, of_errors, output_folder, say_replaced

WHAT_EMPTY = Refusal("--what is empty.", "Give e.g. boundary, curves or both.")
EVERY_WITHOUT_FILM = Refusal("--every spaces the frames of a film.", "Add --film, or leave it out.")
SMOOTH_WITHOUT_CURVES = Refusal(
    "--smooth smooths curves, and {what} was asked for.", "Give --what curves, or leave --smooth out."
)
UNTRAINED_OF_SEVERAL = Refusal(
    "--untrained draws the networks of one run, or for one table.", "Name one of them."
)
CELL_CLASSES = Refusal(
    "--cell names a true and a predicted class; it is '{text}'.",
    "E.g. --cell 4,9: the rows of class 4 that are taken for 9.",
    rule="cell_form",
)
CHOICE_WITHOUT_PICTURE = Refusal(
    "{flag} chooses what some pictures show, and none of them was asked for.", "Draw one of: [[what={names}]]"
)

Runs = Annotated[
    str,
    Parameter(
        help="runs: folders, names in ./runs, or 'last', the newest (default); with --untrained also DATA"
    ),
    READ,
]


@dataclass(frozen=True)
class PictureFlags:
    """Which pictures are drawn, and what they show."""

    what: Annotated[
        Words,
        Parameter(
            help="pictures, comma-separated; of a sweep: parallel, importance, slices, curves, boundaries, "
            "and of its best network the others; default: boundary and curves, of pictures mistakes and "
            "curves, or all of the sweep's"
        ),
    ] = None
    film: Annotated[
        Switch, Parameter(help="what it learns from step to step: PNG frames, a GIF and a page")
    ] = False
    every: Annotated[
        Whole, Parameter(help="a frame of the film for each so many steps; default: about 60 frames")
    ] = None
    untrained: Annotated[
        Whole, Parameter(help="draw so many networks before their first step, with seeds in a row")
    ] = None
    member: Annotated[
        Whole,
        Parameter(help="of an ensemble: this network alone, from 0; default: all together, or the best one"),
    ] = None
    row: Annotated[
        Whole,
        Parameter(
            help="of a run on pictures: the row, by its number in the data, that channels and occlusion show"
        ),
    ] = None
    cell: Annotated[
        Words, Parameter(help="TRUE,PREDICTED: the cell of the confusion matrix whose pictures are shown")
    ] = None
    of: Annotated[
        Words, Parameter(help="of a run with several targets: the one that is shown; default: the first")
    ] = None
    smooth: Annotated[
        float | None, Parameter(help="smooth the curves, from 0 to below 1; what is smoothed says so"), PLAIN
    ] = None

    @property
    def names(self) -> list[str] | None:
        """The names of the pictures; None if none is named."""
        names = None if self.what is None else [w.strip() for w in self.what.split(",") if w.strip()]
        if names == []:
            raise WHAT_EMPTY()
        if self.film:
            names = [*(names or []), "film"]
        if self.every is not None and "film" not in (names or ()):
            raise EVERY_WITHOUT_FILM()
        if self.smooth is not None and (names or ["curves"]) != ["curves"]:
            raise SMOOTH_WITHOUT_CURVES(what=", ".join(names or []))
        return (names or []) if self.untrained is not None else names

    @property
    def choices(self) -> dict[str, Any]:
        """What some pictures show, by the names of the flags that choose it."""
        cell = None if self.cell is None else _cell(self.cell)
        given = {"row": self.row, "cell": cell, "of": self.of, "member": self.member, "every": self.every}
        return {name: value for name, value in given.items() if value is not None}


@with_flags
def plot(
    *run: Runs,
    wanted: PictureFlags,
    to: Annotated[ToFile, Parameter(help="folder for the pictures; default: the run's pictures/")] = None,
    replace: Replace = False,
    flags: AccessFlags,
    screen: ScreenFlag,
) -> int:
    """Draw pictures of a run: its decision boundary and its curves; or of a sweep, and of its best networks.

    Examples: treino plot last --what boundary | treino plot last --film --every 10 |
    treino plot wine-1 wine-2 --what curves | treino plot wine --untrained 9 |
    treino plot wine-sweep-1 --what parallel,importance |
    treino plot last --what channels,occlusion --row 12
    """
    from treino.reports.pictures.output import gathered
    from treino.reports.pictures.picture_files import draw_together, files_of, with_choice
    from treino.reports.report import draw_pictures, usual_pictures
    from treino.training.stored_results import open_folder, run_in

    names, choices, untrained = wanted.names, wanted.choices, wanted.untrained
    if untrained is not None and len(run) > 1:
        raise UNTRAINED_OF_SEVERAL()
    of_data = untrained is not None and bool(run) and _is_data(run[0])
    place = output_folder("." if of_data and to is None else to, replace=replace)
    paths: list[Path] = []
    missing: list[TreinoError] = []
    opened = [open_folder(name, flags.access) for name in run or ("last",)] if names != [] else []
    overlay = len(opened) > 1 or (wanted.smooth is not None and bool(opened))
    if (member := choices.pop("member", None)) is not None:
        opened = [run_in(each).member(member) for each in opened]
    names = usual_pictures(opened, overlay) if names is None else names
    for name in wanted.choices:
        if not set(able := with_choice(name)) & set(names):
            raise CHOICE_WITHOUT_PICTURE(flag=f"--{name}", names=",".join(able))
    if place is not None:
        place.check(files_of(names, overlay))
    if untrained is not None:
        if place is not None:
            place.check(files_of(["untrained"]))
        source = run[0] if of_data else run_in(open_folder(run[0] if run else "last", flags.access))
        with gathered(missing, "untrained"):
            paths.append(brought("treino.functions", "untrained")(source, untrained, place))
    if overlay:
        runs = [run_in(each) for each in opened]
        paths += draw_together(runs, names, place, missing, smooth=wanted.smooth or 0.0)
    elif opened:
        paths += draw_pictures(opened[0], names, place, missing, screen.err.print, **choices)
    for notice in (notice for each in opened for notice in each.folder.notices):
        screen.err.print(notice)
    document: dict[str, Any] = {"paths": [str(p) for p in paths], "replaced": say_replaced(screen.err, place)}
    screen.document(document | of_errors(missing))
    frames = [path for path in paths if path.name.startswith("frame-")]
    for path in (path for path in paths if path not in frames):
        screen.out.print(str(path))
    if frames:
        screen.out.print(_("{folder}: {n:,} frames").format(folder=frames[0].parent, n=len(frames)))
    return max(map(screen.fail, missing), default=0)


def _is_data(name: str) -> bool:
    """Whether the name is data (a built-in, a package's or a file), not a run."""
    return name in {*treino.data.BUILTINS, *names_of_packages("data")} or Path(name).is_file()


def _cell(text: str) -> tuple[str, str]:
    """Return the true and the predicted class of a cell as typed."""
    true, _comma, predicted = text.partition(",")
    if not (true.strip() and predicted.strip()):
        raise CELL_CLASSES(text=text)
    return true.strip(), predicted.strip()
