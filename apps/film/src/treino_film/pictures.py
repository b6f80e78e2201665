"""The film of a run: the network's outputs over its inputs, from the first to the last step."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from treino.base.errors import Refusal
from treino.base.words import _, numeral
from treino.folders import StoredRun, epoch_count
from treino.inspection import Plane
from treino.plots import Block, Drawing, style, view_sentences
from treino.reports import File, plane_of
from treino.reports.run_report import Tell
from treino.training import last_step, networks
from treino_film.figures import (
    GIF_WIDTH,
    FilmPicture,
    few_colours,
    film_pictures,
    film_title,
    gif,
    image_png,
    share,
    sheet_figure,
)
from treino_film.frames import (
    FilterView,
    Frame,
    NetworkState,
    difference,
    film,
    film_sight,
    frame_steps,
)
from treino_film.page import PageFrame, film_html, film_page

EVERY_RANGE = Refusal("[[every]] must be at least 1; it is {n}.", "A frame for each ten steps: [[every=10]]")
FILM_TOO_LARGE = Refusal(
    "The film would be {size}, and {path} has {free} free.",
    "Take fewer frames, e.g. [[every={n}]], or another disk: [[to=FOLDER]].",
)
FILM_LONG = Refusal(
    "the run would be played again for it, and that takes long.", "See: treino plot {run} [[what=film]]"
)

SHEET, REPORT, MOVING = 12, 24, 150  # maximum frames: on the contact sheet, in a report, in GIF and page
OTHERS = 2.0  # factor for the bytes of GIF, page and sheet besides the frames
LEFT = 50_000_000  # bytes that must stay free on the disk
LONGEST = 60.0  # maximum seconds of a training that is replayed for a report


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


def section(run: StoredRun) -> Sequence[Block]:
    """Return the film's player for a report.

    Raises:
        TreinoError: replaying the run would take long.
    """
    result = run.result
    if result is None or max(result.seconds, sum(s or 0 for s in result.epoch_seconds)) > LONGEST:
        raise FILM_LONG(run=run.typed)
    frames = frames_of(run, evenly(steps_of(run), REPORT))
    page_frames = [_page_frame(picture) for picture in film_pictures(frames, last_step(run))]
    return (Drawing(film_html(page_frames, run.data.name), wide=True),)


def _page_frame(picture: FilmPicture) -> PageFrame:
    return PageFrame(image_png(few_colours(picture)), picture.caption, picture.frame.loss)


def evenly(steps: Sequence[int], most: int) -> list[int]:
    """Return at most ``most`` of the steps, evenly, including the first and the last."""
    places = {round(k * (len(steps) - 1) / (most - 1)) for k in range(most)}
    return [steps[place] for place in sorted(places)]


def announcement(run: StoredRun, place: Path, every: int | None = None) -> str:
    """Return a sentence with the film's number of frames and its bytes, estimated from the last frame.

    place: the folder for it.

    Raises:
        TreinoError: the disk lacks space for the film; the run can't be replayed.
    """
    steps = steps_of(run, every)
    (picture,) = film_pictures(frames_of(run, steps[-1:]), last_step(run))
    count = round(len(steps) * len(image_png(picture.image)) * OTHERS)
    size = _("{n:,} frames, about {size}").format(n=len(steps), size=megabytes(count))
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if count > free - LEFT:
        raise FILM_TOO_LARGE(
            size=size, path=place, free=megabytes(free), n=max(2, 2 * max(1, steps[-1] // 60))
        )
    return _("Film: {size}").format(size=size)


def film_files(run: StoredRun, every: int | None = None) -> Iterator[File]:
    """Yield the frames as PNG, then contact sheet, GIF and page. every: steps between two frames."""
    wanted, last = steps_of(run, every), last_step(run)
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
    yield "film.png", style.png(sheet_figure([f.shown for f in on_sheet], captions, title, sentences))
    yield "film.gif", gif(gif_frames)
    about, shown = _("Run {run}: every frame has the weights that the network had then."), on_sheet[-1].shown
    above = [about.format(run=run.name), *(view_sentences(shown) if isinstance(shown, Plane) else [])]
    yield "film.html", film_page(page_frames, run.data.name, above).encode()


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


def moving_picture(run: StoredRun, tell: Tell) -> bytes:
    """Return the film as a GIF. tell: gets how many frames are drawn, now and then."""
    steps, images = evenly(steps_of(run), MOVING), []
    for number, picture in enumerate(film_pictures(frames_of(run, steps), last_step(run)), 1):
        images.append(few_colours(picture, GIF_WIDTH))
        if number % max(1, len(steps) // 10) == 0:
            tell(_("Film"), number, len(steps))
    return gif(images)
