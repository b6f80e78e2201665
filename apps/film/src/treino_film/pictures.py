"""The film of a run: the network's outputs over its inputs, from the first to the last step."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from treino.base.errors import Refusal
from treino.base.words import _, numeral
from treino.folders.store.output_files import OutputFolder
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import epoch_count
from treino.inspection.film import (
    FilterView,
    Frame,
    NetworkState,
    Shown,
    difference,
    film,
    film_sight,
    frame_steps,
)
from treino.inspection.input_planes import Plane
from treino.plots.captions import view_sentences
from treino.plots.film import (
    GIF_WIDTH,
    FilmPicture,
    few_colours,
    film_pictures,
    film_title,
    gif,
    grid_figure,
    image_png,
    share,
)
from treino.plots.film_page import PageFrame, film_html, film_page
from treino.plots.style import png
from treino.reports.pictures import FILM_FILES, FRAMES, File, plane_of
from treino.reports.pictures.output import put
from treino.training.replay import last_step, networks

EVERY_RANGE = Refusal("[[every]] must be at least 1; it is {n}.", "A frame for each ten steps: [[every=10]]")
FILM_TOO_LARGE = Refusal(
    "The film would be {size}, and {path} has {free} free.",
    "Take fewer frames, e.g. [[every={n}]], or another disk: [[to=FOLDER]].",
)

SHEET, REPORT, MOVING = 12, 24, 150  # maximum frames: on the contact sheet, in a report, in GIF and page
OTHERS = 2.0  # factor for the bytes of GIF, page and sheet besides the frames
LEFT = 50_000_000  # bytes that must stay free on the disk


@dataclass(frozen=True)
class Size:
    """A film's size before it is made: its steps, and estimated bytes."""

    steps: tuple[int, ...]
    bytes: int

    def __str__(self) -> str:
        return _("{n:,} frames, about {size}").format(n=len(self.steps), size=megabytes(self.bytes))


def megabytes(count: int) -> str:
    return (
        _("{n:,.1f} GB").format(n=count / 1e9)
        if count >= 1e9
        else _("{n:,.0f} MB").format(n=max(1, count / 1e6))
    )


def steps_of(run: StoredRun, every: int | None = None) -> list[int]:
    """Return the steps of the film's frames.

    Raises:
        TreinoError: ``every`` is not a positive integer.
    """
    if every is not None and every < 1:
        raise EVERY_RANGE(n=every)
    last, result = last_step(run), run.result
    kept = None if result is None else result.kept_step
    return frame_steps(last, kept if kept is not None and kept <= last else None, every)


def frames_of(run: StoredRun, steps: Iterable[int]) -> Iterator[Frame]:
    """Yield each frame, replayed bit for bit, all on the plane of the kept network.

    Raises:
        TreinoError: the run can't be replayed.
    """
    seen = film_sight(run.module, run.data, run.item_shape, choose=lambda: plane_of(run))
    count = epoch_count(run.spec)
    shots = (
        NetworkState(step, float(count.passes(step)), loss, run.alone(net))
        for step, loss, net in networks(run.all_targets, steps)
    )
    return film(shots, seen, run.data, item_shape=run.item_shape)


def film_player(run: StoredRun) -> Markup:
    """Return the film as an HTML fragment for a report."""
    frames = frames_of(run, evenly(steps_of(run), REPORT))
    page_frames = [_page_frame(picture) for picture in film_pictures(frames, last_step(run))]
    return film_html(page_frames, run.data.name)


def _page_frame(picture: FilmPicture) -> PageFrame:
    return PageFrame(image_png(few_colours(picture)), picture.caption, picture.frame.loss)


def evenly(steps: Sequence[int], most: int) -> list[int]:
    """Return at most ``most`` of the steps, evenly, including the first and the last."""
    places = {round(k * (len(steps) - 1) / (most - 1)) for k in range(most)}
    return [steps[place] for place in sorted(places)]


def film_size(run: StoredRun, every: int | None = None) -> Size:
    """Estimate the film's size from its number of frames and the last frame's bytes."""
    steps = steps_of(run, every)
    (picture,) = film_pictures(frames_of(run, steps[-1:]), last_step(run))
    return Size(tuple(steps), round(len(steps) * len(image_png(picture.image)) * OTHERS))


def film_files(run: StoredRun, steps: Iterable[int]) -> Iterator[File]:
    """Yield the frames as PNG, then contact sheet, GIF and page."""
    wanted, last = sorted(steps), last_step(run)
    sheet, moving = set(evenly(wanted, SHEET)), set(evenly(wanted, MOVING))
    on_sheet: list[Frame] = []
    gif_frames, page_frames = [], []
    for picture in film_pictures(frames_of(run, wanted), last):
        step = picture.frame.step
        yield f"film/frame-{step:0{len(str(last))}d}.png", image_png(picture.image)
        if step in moving:  # all frames of a long film would not fit in memory
            gif_frames.append(few_colours(picture, GIF_WIDTH))
            page_frames.append(_page_frame(picture))
        on_sheet += [picture.frame] if step in sheet else []
    captions, sentences = sheet_words(on_sheet)
    title = film_title(on_sheet[0].shown)
    yield "film.png", png(grid_figure([f.shown for f in on_sheet], captions, title, sentences))
    yield "film.gif", gif(gif_frames)
    yield "film.html", film_page(page_frames, run.data.name, about(run, on_sheet[-1].shown)).encode()


def sheet_words(frames: list[Frame]) -> tuple[list[str], list[str]]:
    """Return the sheet's captions and their explanation; changes are since the sheet's previous frame."""
    captions, counted = list[str](), False
    for before, frame in zip([None, *frames], frames, strict=False):
        parts = [_("step {step:,}").format(step=frame.step)]
        if frame.loss is not None:
            parts.append(_("loss {loss}").format(loss=numeral(frame.loss)))
        moved, change = difference(None if before is None else before.shown, frame.shown)
        if isinstance(frame.shown, FilterView):
            parts += [] if change is None else [_("filters {share}").format(share=share(change))]
        elif moved:
            parts.append(_("{share} changed").format(share=share(moved)))
        elif moved is not None and change is not None:
            parts.append(_("probability {share}").format(share=share(change)))
        captions.append(" · ".join(parts))
        counted = counted or moved is not None
    if frames and isinstance(frames[0].shown, FilterView):
        return captions, [_("Filters: by how much of their length they changed since the picture before.")]
    meaning = _(
        "Changed: the share of the view that is of another class than in the picture before; where it is "
        "none, by how much a probability moved."
    )
    return captions, [meaning] if counted else []


def about(run: StoredRun, shown: Shown) -> list[str]:
    """Return sentences that name the run and describe the film's plane."""
    sentences = [_("Run {run}: every frame has the weights that the network had then.").format(run=run.name)]
    return sentences + (view_sentences(shown) if isinstance(shown, Plane) else [])


def draw_film(
    run: StoredRun,
    every: int | None = None,
    to: OutputFolder | None = None,
    tell: Callable[[Size], None] = lambda size: None,
) -> list[Path]:
    """Make the film in ``to``, or in the run's ``pictures/``. ``tell`` gets its size before writing begins.

    Raises:
        TreinoError: the disk lacks space for the film; the run can't be replayed.
    """
    if to is not None:
        to.check(FILM_FILES)
    size = film_size(run, every)
    tell(size)
    place = to.path if to is not None else run.path
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if size.bytes > free - LEFT:
        raise FILM_TOO_LARGE(
            size=size, path=place, free=megabytes(free), n=max(2, 2 * max(1, size.steps[-1] // 60))
        )
    paths = put(run.folder, film_files(run, size.steps), to)
    if to is not None:
        to.remove_others(FRAMES)
        return paths
    folder = run.folder.within("pictures/film")
    for old in set(folder.glob("frame-*.png")) - set(paths):  # left by a film with other steps
        old.unlink()
    return paths


def film_picture(run: StoredRun) -> Iterator[File]:
    return film_files(run, steps_of(run))
