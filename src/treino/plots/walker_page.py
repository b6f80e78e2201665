"""The HTML page of the walk in fog: a reader's own steps on the loss landscape, and the run's path."""

import json
from html import escape

import numpy as np

from treino.inspection.input_planes import Floats
from treino.inspection.landscape.planes import Landscape
from treino.plots.landscape import MAP, WAY, axis_name, colours, heights, rows_used
from treino.plots.page import page
from treino.plots.style import load_matplotlib
from treino.plots.walker_script import SCRIPT, STYLE
from treino.words import _, localised

COLOURS = 64  # of the map


def walker_page(land: Landscape, name: str, trained: str = "") -> str:
    """Self-contained; nothing is loaded. The slopes are those of the grid, linear between its points.

    trained: the run's optimizer and learning rate in words, which its way was made with.
    """
    path = land.path
    assert path is not None
    scale = colours(land)
    content = {
        "a": [float(land.a_R[0]), float(land.a_R[-1])],
        "b": [float(land.b_R[0]), float(land.b_R[-1])],
        "loss": _rounded(land.loss_RR),
        "height": _rounded(heights(land.loss_RR, scale), 3),
        "colours": _map(),
        "ink": WAY,
        "way": [[round(float(a), 5), round(float(b), 5)] for a, b in path.at_K2],
        "steps": path.step_K.tolist(),
        "losses": _rounded(path.loss_K),
        "point": localised("."),
        "words": {
            "here": _("loss {loss}, slope {slope}"),
            "next": _("A step goes {far} far: {rate} × {slope}."),
            "run": _("step {step} of the run, true loss {loss}"),
            "own": _("{n} steps of your own"),
            "out": _("That step leads off the map: it was too long. Start again with a smaller step size."),
            "unknown": _("The loss is not finite here: nothing can be felt."),
        },
    }
    title = _("The walker on the mountain: {name}").format(name=name)
    # "<" can't end the script before its time
    data_json = json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return page(title, _body(land, title, data_json, trained), STYLE)


def _body(land: Landscape, title: str, data_json: str, trained: str) -> str:
    assert land.path is not None

    def button(kind: str, words: str) -> str:
        return f'<button type="button" class="{kind}">{escape(words)}</button>'

    picture = _("The plane of the path, seen from above: across {a}, upwards {b}.").format(
        a=axis_name(land, 0), b=axis_name(land, 1)
    )
    told_first = _("You stand in the fog. You feel how high you are and which way the ground falls.")
    walk = _("Walk down: each step goes against the slope, the step size times as far.")
    own = _("Your step size is of plain gradient descent on this map; the run itself: {how}.")
    own = own.format(how=trained) if trained else ""
    marks = _("Click on the map to stand elsewhere. Ring: where the run began; star: where it ended.")
    buttons = button("one", _("One step")) + button("ten", _("Ten steps")) + button("again", _("Start again"))
    return f"""<h1>{escape(title)}</h1>
<p>{escape(told_first)} {escape(walk)}</p>
<p class="soft">{escape(_("Loss on {rows}.").format(rows=rows_used(land)))} {escape(picture)}</p>
<div class="walk">
<canvas width="880" height="880" tabindex="0" role="img" aria-label="{escape(picture)}"></canvas>
<div class="controls">
<p class="said" aria-live="polite"></p>
<p class="next soft"></p>
<label>{escape(_("step size"))} <output class="rate"></output>
<input type="range" class="lr" min="-2" max="2" step="0.05" value="0"></label>
<p class="soft">{escape(own)}</p>
<div class="row">{buttons}</div>
<label class="check"><input type="checkbox" class="lift"> {escape(_("Lift the fog"))}</label>
<hr>
<label>{escape(_("Or follow the run, moment by moment"))}
<input type="range" class="follow" min="0" max="{len(land.path.step_K) - 1}" step="1" value="0"></label>
<p class="soft">{escape(marks)}</p>
</div>
<script type="application/json">{data_json}</script>
</div>
<script>{SCRIPT}</script>"""


def _map() -> list[list[int]]:
    shares_C3 = np.asarray(load_matplotlib().colormaps[MAP](np.linspace(0, 1, COLOURS)))[:, :3]
    found: list[list[int]] = (shares_C3 * 255).round().astype(int).tolist()
    return found


def _rounded(values: Floats, digits: int = 6) -> list:
    """As nested lists with so many significant digits; None where a value is not finite."""
    if values.ndim > 1:
        return [_rounded(row, digits) for row in values]
    return [float(f"{v:.{digits}g}") if np.isfinite(v) else None for v in values.tolist()]
