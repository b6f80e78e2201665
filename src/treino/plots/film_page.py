"""The film's page: frames as images, a slider and keys; it loads nothing."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from treino.base.words import _, localised
from treino.plots.page import page
from treino.plots.svg import line, tag

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


def film_html(frames: Sequence[PageFrame], name: str) -> str:
    """Return the film as an HTML fragment with its own style and script. name: the data's name.

    Until it plays, on paper and without JavaScript, it shows its last frame.
    """
    last = len(frames) - 1
    pictures = [
        f'<img class="drawn"{"" if place == last else " hidden"} decoding="sync" alt="{escape(frame.alt)}"'
        f' src="data:image/png;base64,{b64encode(frame.picture).decode()}">'
        for place, frame in enumerate(frames)
    ]
    return "\n".join(
        (
            f'<figure class="film" tabindex="0" aria-label="{escape(_title(name))}">',
            f"<style>{STYLE.read_text(encoding='utf-8')}</style>",
            *pictures,
            _bar(frames),
            f'<p class="keys">{escape(_("Space plays, arrows step, Home and End go to the ends."))}</p>',
            f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>",
            "</figure>",
        )
    )


def film_page(frames: Sequence[PageFrame], name: str, sentences: Sequence[str]) -> str:
    """Return a whole page with the film. sentences: plain text above the film."""
    above = "".join(f'<p class="soft">{escape(sentence)}</p>' for sentence in sentences)
    body = f"<h1>{escape(_title(name))}</h1>{above}\n{film_html(frames, name)}"
    return page(_title(name), body)


def _title(name: str) -> str:
    return _("{name}, while it learns").format(name=name)


def _bar(frames: Sequence[PageFrame]) -> str:
    names = {"back": _("one frame back"), "play": _("play or pause"), "on": _("one frame on")}
    buttons = "".join(
        f'<button type="button" class="{kind}" title="{escape(name)}" aria-label="{escape(name)}">'
        f'<svg viewBox="0 0 16 16" aria-hidden="true"><path d="{ICONS[kind]}"/></svg></button>'
        for kind, name in names.items()
    )
    last = len(frames) - 1
    speeds = "".join(
        f'<option value="{value}"{" selected" if value == "1" else ""}>{localised(value)}×</option>'
        for value in SPEEDS
    )
    return (
        f'<div class="bar">{buttons}<div class="track">{_loss_line([frame.loss for frame in frames])}'
        f'<input type="range" min="0" max="{last}" value="{last}" aria-label="{escape(_("frame"))}">'
        f'</div><select aria-label="{escape(_("speed"))}">{speeds}</select></div>'
    )


def _loss_line(losses: Sequence[float | None]) -> str:
    """Return the loss line over the slider (logarithmic for a wide range), with a mark at the frame."""
    loss_F = np.array([np.nan if loss is None else loss for loss in losses], np.float64)
    place_F = np.flatnonzero(np.isfinite(loss_F) & (loss_F > 0))
    high_F, points = loss_F[place_F], ""
    if len(high_F):
        high_F = np.log(high_F) if high_F.max() > 10 * high_F.min() else high_F
        up_F = 30 - 28 * (high_F - high_F.min()) / (np.ptp(high_F) or 1.0)
        across_F = 100 * place_F / max(1, len(losses) - 1)
        points = " ".join(f"{x:.2f},{y:.1f}" for x, y in zip(across_F, up_F, strict=True))
    drawn = tag("polyline", points=points), line((100, 0), (100, 32))
    return tag("svg", *drawn, viewBox="0 0 100 32", preserveAspectRatio="none", aria_hidden="true")
