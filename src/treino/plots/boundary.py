"""The picture of a decision boundary: regions shaded by confidence, and the rows as marks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.words import _
from treino.inspection.input_planes import Boundary, InputLine, Plane, Points
from treino.plots import style
from treino.plots.captions import axis_names, score_sentence, view_sentences, warning_sentences
from treino.plots.confusion import regression_figure
from treino.plots.pixels import regions
from treino.plots.points import class_key, draw_rows, row_key, wrong_key

LINE = 0.205  # inches per legend line


@style.look()
def boundary_figure(boundary: Boundary) -> "style.Figure":
    """Draw a network's output over its inputs."""
    if isinstance(boundary, Plane):
        return _plane(boundary)
    if isinstance(boundary, InputLine) and boundary.classes:
        return _probability_lines(boundary)
    return regression_figure(boundary)


def _plane(plane: Plane) -> "style.Figure":
    names = style.class_labels(plane.classes)
    sentences = [score_sentence(plane.score), *view_sentences(plane)]
    header = _("Decision boundary: {name}"), plane.name, sentences, warning_sentences(plane, names)
    figure, top, _height = style.titled(*header)
    axes = _axes(figure, top)
    draw_regions(axes, plane)
    draw_rows(axes, plane.points, len(plane.classes))
    x_name, y_name = axis_names(plane)
    axes.set(xlabel=x_name, ylabel=y_name)
    _key(axes, names, plane, [_("fainter: less sure")])
    _region_names(axes, plane, style.class_labels(plane.classes, 14))
    return figure


def _axes(figure: "style.Figure", top: float) -> "style.Axes":
    width, height = figure.get_size_inches()
    left, bottom = 0.95 / width, 0.62 / height
    return figure.add_axes((left, bottom, 0.98 - left, top - bottom))


def draw_regions(axes: "style.Axes", plane: Plane) -> None:
    winner = plane.winner_RR
    half_x, half_y = (plane.x_R[1] - plane.x_R[0]) / 2, (plane.y_R[1] - plane.y_R[0]) / 2
    x, y = plane.x_R, plane.y_R
    whole = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    pixels = regions(plane.probability_RRC)
    axes.imshow(pixels, extent=whole, origin="lower", aspect="auto", interpolation="bilinear")
    for c in np.unique(winner[winner >= 0]):
        others = np.delete(plane.probability_RRC, c, axis=2)
        lead = plane.probability_RRC[..., c] - (others.max(axis=2) if others.shape[2] else 0)
        if (lead > 0).any() and (lead < 0).any():
            axes.contour(x, y, lead, levels=[0.0], colors=[style.INK], linewidths=1.1, alpha=0.75)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])


def _region_names(axes: "style.Axes", plane: Plane, names: list[str]) -> None:
    """Write each class's name at the widest free spot of its region, so that colour is not needed."""
    from matplotlib.patheffects import withStroke
    from scipy.ndimage import distance_transform_edt

    taken = np.zeros(plane.winner_RR.shape, dtype=bool)
    for p in plane.points:
        column = np.clip(np.searchsorted(plane.x_R, p.at_NK[:, 0]), 0, len(plane.x_R) - 1)
        row = np.clip(np.searchsorted(plane.y_R, p.at_NK[:, 1]), 0, len(plane.y_R) - 1)
        taken[row, column] = True
    around = [withStroke(linewidth=3, foreground=style.PAPER, alpha=0.85)]
    look_of: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "fontsize": 10,
        "weight": "bold",
        "color": style.INK,
    }
    look_of |= {"zorder": 8, "path_effects": around}
    frame = style.extent(axes)
    placed: list[Any] = []
    rooms = []
    for c in np.unique(plane.winner_RR[plane.winner_RR >= 0]):
        free = np.pad((plane.winner_RR == c) & ~taken, 1)
        room = distance_transform_edt(free)[1:-1, 1:-1]
        rooms.append((float(room.max()), np.unravel_index(room.argmax(), room.shape), c))
    for _room, (row, column), c in sorted(rooms, key=lambda place: -place[0]):
        text = axes.text(float(plane.x_R[column]), float(plane.y_R[row]), names[c], **look_of)
        box = style.extent(text)
        shift = max(frame.x0 + 6 - box.x0, 0) + min(frame.x1 - 6 - box.x1, 0)
        lift = max(frame.y0 + 6 - box.y0, 0) + min(frame.y1 - 6 - box.y1, 0)
        if any(box.translated(shift, lift).overlaps(other) for other in placed):
            text.remove()
            continue
        placed.append(box.translated(shift, lift))
        x, y = axes.transData.transform(text.get_position())
        x, y = axes.transData.inverted().transform((x + shift, y + lift))
        text.set_position((x, y))


def _key(axes: "style.Axes", names: list[str], shown: Plane | InputLine, extra: list[str]) -> None:
    """Draw the legend at the right: classes, then markers with their number of rows."""
    from matplotlib.patches import Patch

    rows, row_labels = row_key(shown.points)
    # as many classes as the legend has lines; the rest are only counted
    lines = int(style.extent(axes).height / style.DPI / LINE)
    listed = max(1, lines - len(rows) - len(extra) - 2)
    handles, labels = class_key(names, listed, shown.absent)
    labels += extra
    handles += [Patch(facecolor="#aab4bd", alpha=0.4) for _text in extra]
    handles += rows
    labels += row_labels
    if any(p.wrong_N.any() for p in shown.points):
        ring, text = wrong_key()
        handles.append(ring)
        labels.append(text)
    style.legend_at_right(axes, handles, labels)


def _probability_lines(line: InputLine) -> "style.Figure":
    """Draw, for one input, each class's probability, and below it a strip of rows for each class."""
    names = style.class_labels(line.classes)
    header = _("Class probabilities: {name}"), line.name, [score_sentence(line.score)]
    figure, top, _height = style.titled(*header, warning_sentences(line, names))
    axes = _axes(figure, top)
    box = axes.get_position()
    strip_height = box.height * min(0.5, 0.05 + 0.06 * len(names))
    axes.set_position((box.x0, box.y0 + strip_height + 0.02, box.width, box.height - strip_height - 0.02))
    for c in range(len(names)):
        axes.plot(line.x_R, line.value_RC[:, c], color=style.colour(c))
        axes.fill_between(line.x_R, 0, line.value_RC[:, c], color=style.colour(c), alpha=0.10, linewidth=0)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(line.x_R[0], line.x_R[-1])
    x_name, y_name = axis_names(line)
    axes.set_ylabel(y_name)
    axes.tick_params(labelbottom=False)
    axes.grid(axis="y")
    strip = figure.add_axes((box.x0, box.y0, box.width, strip_height), sharex=axes)
    _strips(strip, line, names)
    strip.set_xlabel(x_name)
    _key(axes, names, line, [])
    box = axes.get_position()
    strip.set_position((box.x0, strip.get_position().y0, box.width, strip_height))
    return figure


def _strips(axes: "style.Axes", line: InputLine, names: list[str]) -> None:
    """Draw the rows at their input values, one lane per true class, spread vertically to separate them."""
    shaken = tuple(_shaken(p) for p in line.points)
    draw_rows(axes, shaken, len(names))
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_yticks(range(len(names)) if len(names) <= 12 else [])
    axes.set_yticklabels(
        [style.label(name, 11) for name in line.classes] if len(names) <= 12 else [], fontsize=8
    )
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)


def _shaken(points: Points) -> Points:
    shake_N: NDArray = (np.arange(len(points)) * 0.618034) % 1 - 0.5  # spreads evenly without random numbers
    at_N2 = np.column_stack([points.at_NK[:, 0], points.true_N + 0.6 * shake_N])
    return Points(points.split, at_N2, points.true_N, points.predicted_N, points.index_N, points.total)
