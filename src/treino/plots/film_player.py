"""The film's player in HTML: a canvas, a slider, keys; it loads nothing."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from treino.inspection.film import Frame
from treino.inspection.input_planes import Boundary, Fit
from treino.plots.captions import rows_label
from treino.plots.film_compression import PackedFrame, packed_film, packed_frame, player_settings, sparkline
from treino.plots.film_script import SCRIPT, STYLE
from treino.plots.film_words import (
    LISTED,
    absent_sentence,
    axis_names,
    change_sentence,
    film_title,
    place_sentence,
)
from treino.plots.page import page
from treino.plots.regression import INKS
from treino.plots.style import PALETTE, class_labels, colour
from treino.words import _, localised

SPEEDS = ("0.25", "0.5", "1", "2", "4")
ICONS = {
    "back": "M10 3v10L3 8z M13 3v10h-2V3z",
    "play": "M4 2.5v11l9-5.5z",
    "on": "M6 3v10l7-5z M3 3v10h2V3z",
}


@dataclass(frozen=True, eq=False)
class PlayerFrame:
    """A frame as the player keeps it: its bytes, its sentences, the classes that win nowhere."""

    pressed: PackedFrame
    said: tuple[str, str, str]
    absent: tuple[int, ...]


def player_frame(frame: Frame, before: int | None, last: int) -> PlayerFrame:
    """before: the step of the frame before, None for the first; last: the run's last step."""
    said = place_sentence(frame, last), change_sentence(frame, before), absent_sentence(frame)
    return PlayerFrame(packed_frame(frame), said, frame.absent)


def player_html(frames: Iterable[Frame], last: int) -> str:
    """The film as an HTML fragment with its own style and script; its ids are its own.

    last: the run's last step. Frames are taken one by one, so they may come from a generator.
    """
    player_frames: list[PlayerFrame] = []
    shown: Boundary | None = None
    for frame in frames:
        player_frames.append(
            player_frame(frame, player_frames[-1].pressed.step if player_frames else None, last)
        )
        shown = frame.shown
    return "" if shown is None else film_of_frames(player_frames, shown)


def film_of_frames(player_frames: Sequence[PlayerFrame], shown: Boundary) -> str:
    """The same of frames that were cut before; shown: any frame's, for what all of them share."""
    pressed = [c.pressed for c in player_frames]
    frames_json = [
        {"said": c.said, "absent": c.absent, "scale": c.pressed.scale, "step": c.pressed.step}
        for c in player_frames
    ]
    content = packed_film(pressed)
    film = player_settings(shown) | {
        "frames": frames_json,
        "inks": list(PALETTE),
        "splits": INKS,
        "names": [name.replace(r"\$", "$") for name in axis_names(shown)],
        "point": localised("."),
        "sorry": _("This browser is too old for the film: it can't unpack it."),
        "bytes": base64.b64encode(content).decode(),
    }
    number = "film-" + hashlib.sha256(content).hexdigest()[:10]
    text = json.dumps(film, ensure_ascii=False, separators=(",", ":"))
    # nothing in a JSON string may end the script element that it stands in
    text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return "\n".join(
        (
            f'<figure class="film" id="{number}" tabindex="0" aria-label="{escape(film_title(shown))}">',
            f"<style>{STYLE}</style>",
            '<canvas role="img" width="640" height="435"></canvas>',
            _legend(shown),
            '<div class="said" aria-live="off"><p></p><p class="soft"></p><p class="absent"></p></div>',
            _bar(pressed),
            f'<p class="keys">{escape(_("Space plays, arrows step, Home and End go to the ends."))}</p>',
            f'<script type="application/json">{text}</script>',
            f"<script>{SCRIPT.replace('%ID%', number)}</script>",
            "</figure>",
        )
    )


def player_page(body: str, shown_name: str, sentences: list[str]) -> str:
    """A whole page around the player; sentences: plain text that stands above it."""
    title = _("{name}, while it learns").format(name=shown_name)
    above = "".join(f'<p class="soft">{escape(sentence)}</p>' for sentence in sentences)
    return page(title, f"<h1>{escape(title)}</h1>{above}\n{body}")


def _legend(shown: Boundary) -> str:
    """The classes and the rows, with their marks."""
    entries = []
    if not isinstance(shown, Fit) and shown.classes:
        names = [name.replace(r"\$", "$") for name in class_labels(shown.classes)]
        for c, name in enumerate(names[:LISTED]):
            mark = f'<span style="background:{colour(c)};border-color:{colour(c)}"></span>'
            entries.append(f'<li data-class="{c}">{mark}{escape(name)}</li>')
        if len(names) > LISTED:
            entries.append(f"<li>{escape(_('… {n} more').format(n=len(names) - LISTED))}</li>")
    for p in shown.points:
        sign = {"train": "●", "validation": "◆", "test": "●"}[p.split]
        entries.append(f'<li class="soft">{sign} {escape(rows_label(p))}</li>')
    if not isinstance(shown, Fit) and shown.classes:
        entries.append(f'<li class="soft">◯ {escape(_("network is wrong"))}</li>')
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _bar(pressed: list[PackedFrame]) -> str:
    names = {"back": _("one frame back"), "play": _("play or pause"), "on": _("one frame on")}
    buttons = "".join(
        f'<button type="button" class="{kind}" title="{escape(name)}" aria-label="{escape(name)}">'
        f'<svg viewBox="0 0 16 16" aria-hidden="true"><path d="{ICONS[kind]}"/></svg></button>'
        for kind, name in names.items()
    )
    last = len(pressed) - 1
    speeds = "".join(
        f'<option value="{value}"{" selected" if value == "1" else ""}>{localised(value)}×</option>'
        for value in SPEEDS
    )
    return (
        f'<div class="bar">{buttons}<div class="track">{_spark(pressed)}'
        f'<input type="range" min="0" max="{last}" value="0" aria-label="{escape(_("frame"))}">'
        f'</div><select aria-label="{escape(_("speed"))}">{speeds}</select></div>'
    )


def _spark(pressed: list[PackedFrame]) -> str:
    """The loss at each frame as a line over the slider, and where in it the frame lies."""
    last, parts, down = max(1, len(pressed) - 1), [], False
    for i, height in enumerate(sparkline([f.loss for f in pressed])):
        if height is not None:
            parts.append(f"{'L' if down else 'M'}{100 * i / last:.2f} {30 - 28 * height:.1f}")
        down = height is not None
    path = f'<path d="{"".join(parts)}"/>' if parts else ""
    return (
        '<svg viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">'
        f'{path}<line x1="0" x2="0" y1="0" y2="32"/></svg>'
    )
