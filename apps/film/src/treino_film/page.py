"""The film's page: frames as images, a slider and keys; it loads nothing."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from treino.base.words import _, localised
from treino.plots import html_page, line
from treino_doctor.base.markup import tag, verbatim

SCRIPT, STYLE = (Path(__file__).with_name(f"film.{kind}") for kind in ("js", "css"))
SPEEDS = ("0.25", "0.5", "1", "2", "4")
ICONS = {
    "back": "M10 3v10L3 8z M13 3v10h-2V3z",
    "play": "M4 2.5v11l9-5.5z",
    "on": "M6 3v10l7-5z M3 3v10h2V3z",
}


@dataclass(frozen=True, eq=False)
class PageFrame:
    """A frame as PNG. alt: its description in words. loss: the training loss of the update that led to the
    frame."""

    picture: bytes
    alt: str
    loss: float | None


def film_html(frames: Sequence[PageFrame], name: str) -> Markup:
    """Return the film as an HTML fragment with its own style and script. name: the data's name.

    Until it plays, on paper and without JavaScript, it shows its last frame.
    """
    last = len(frames) - 1
    parts = [
        verbatim("style", STYLE.read_text(encoding="utf-8")),
        *(_picture(frame, shown=place == last) for place, frame in enumerate(frames)),
        _bar(frames),
        tag("p", _("Space plays, arrows step, Home and End go to the ends."), class_="keys"),
        verbatim("script", SCRIPT.read_text(encoding="utf-8")),
    ]
    inside = Markup("\n").join(parts)
    return tag("figure", "\n", inside, "\n", class_="film", tabindex="0", aria_label=_title(name))


def film_page(frames: Sequence[PageFrame], name: str, sentences: Sequence[str]) -> Markup:
    """Return a whole page with the film. sentences: plain text above the film."""
    above = (tag("p", sentence, class_="soft") for sentence in sentences)
    return html_page(_title(name), tag("h1", _title(name)), *above, film_html(frames, name))


def _picture(frame: PageFrame, shown: bool) -> Markup:
    source = f"data:image/png;base64,{b64encode(frame.picture).decode()}"
    hidden = None if shown else ""
    return tag("img", class_="drawn", hidden=hidden, decoding="sync", alt=frame.alt, src=source)


def _title(name: str) -> str:
    return _("{name}, while it learns").format(name=name)


def _bar(frames: Sequence[PageFrame]) -> Markup:
    names = {"back": _("one frame back"), "play": _("play or pause"), "on": _("one frame on")}
    buttons = (
        tag("button", _icon(kind), type="button", class_=kind, title=name, aria_label=name)
        for kind, name in names.items()
    )
    last = len(frames) - 1
    speeds = (
        tag("option", f"{localised(value)}×", value=value, selected="" if value == "1" else None)
        for value in SPEEDS
    )
    slider = tag("input", type="range", min=0, max=last, value=last, aria_label=_("frame"))
    track = tag("div", _loss_line([frame.loss for frame in frames]), slider, class_="track")
    return tag("div", *buttons, track, tag("select", *speeds, aria_label=_("speed")), class_="bar")


def _icon(kind: str) -> Markup:
    return tag("svg", tag("path", d=ICONS[kind]), viewBox="0 0 16 16", aria_hidden="true")


def _loss_line(losses: Sequence[float | None]) -> Markup:
    """Return the loss line over the slider, with a mark at the frame."""
    loss_F = np.array([np.nan if loss is None else loss for loss in losses], np.float64)
    place_F = np.flatnonzero(np.isfinite(loss_F))
    high_F, points = loss_F[place_F], ""
    if len(high_F):
        up_F = 30 - 28 * (high_F - high_F.min()) / (np.ptp(high_F) or 1.0)
        across_F = 100 * place_F / max(1, len(losses) - 1)
        points = " ".join(f"{x:.2f},{y:.1f}" for x, y in zip(across_F, up_F, strict=True))
    drawn = tag("polyline", points=points), line((100, 0), (100, 32))
    return tag("svg", *drawn, viewBox="0 0 100 32", preserveAspectRatio="none", aria_hidden="true")
