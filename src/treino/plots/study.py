"""Pictures of a study: loss per epoch, a panel for each batch size; seconds against epochs needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treino.base.words import _, numeral
from treino.engine.metrics import metric_name
from treino.folders.documents.sweep import StudyRow
from treino.plots.style import ALARM, INK, PALETTE, SOFT, beside, label, look, stroke, titled
from treino.training.sweeps.study_document import MILLISECONDS_BELOW, seconds_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
HUES = (PALETTE[0], PALETTE[5], PALETTE[2], PALETTE[3])  # corrected, as taught, one fault, the other
STROKES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.6)), (0, (6, 1.6, 1.2, 1.6)))
MARKS = "o", "s", "^", "D", "v", "P", "X"
SHORT = 40  # names up to this length stand two to a line
MARKED = 12  # marks per line
OFFSET = 0.05  # distance of a label from its dot; this and the next two are shares of the axes
APART_X, APART_Y = 0.11, 0.12  # labels further apart than this can't overlap


@dataclass(frozen=True, eq=False)
class StudyCurve:
    """A row of a study, with its batch size (``panel``), mode and other settings ("" for none) in words."""

    panel: str
    mode: str
    setting: str
    row: StudyRow


@dataclass(frozen=True)
class CurveStyle:
    """How a row is drawn: colour for the mode, stroke for the setting; for one mode, colour for both."""

    colour: str
    stroke: Any
    mark: str

    @property
    def line(self) -> dict[str, Any]:
        """Return the look of a sample in the legend."""
        return {"color": self.colour, "linestyle": self.stroke, "marker": self.mark, "markersize": 5}


def looks(lines: Sequence[StudyCurve]) -> dict[tuple[str, str], CurveStyle]:
    """Return the style of each mode and setting, in the order of the rows."""
    modes = list(dict.fromkeys(line.mode for line in lines))
    settings = list(dict.fromkeys(line.setting for line in lines))
    styles = {}
    for mode in modes:
        for place, setting in enumerate(settings):
            if not any((line.mode, line.setting) == (mode, setting) for line in lines):
                continue
            hue = HUES[modes.index(mode) % len(HUES)] if len(modes) > 1 else PALETTE[place % len(PALETTE)]
            styles[mode, setting] = CurveStyle(hue, STROKES[place % len(STROKES)], MARKS[place % len(MARKS)])
    return styles


def names(lines: Sequence[StudyCurve]) -> dict[tuple[str, str], str]:
    """Return the legend's label of each mode and setting."""
    modes_vary = len({line.mode for line in lines}) > 1
    names_of = {}
    for mode, setting in looks(lines):
        shown = label(setting, 44)
        names_of[mode, setting] = (
            f"{mode}, {shown}" if modes_vary and shown else mode if modes_vary else shown or mode
        )
    return names_of


def curves_figure(lines: Sequence[StudyCurve], title: str, target: float | None) -> "Figure":
    """Draw the training loss per epoch, mean ± deviation. target: the loss to be reached, None for none."""
    panels = list(dict.fromkeys(line.panel for line in lines))
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    with look():
        below = legend_inches(lines, levels=2)
        sentences, high = [_("Mean of an epoch's iterations, ± their deviation (shaded).")], 2.1 + 2.5 * rows
        figure, top, inches = titled(_("Loss per epoch: {name}"), title, sentences, height=high + below)
        bottom = (0.62 + below) / inches
        gap, between = 0.03, 0.62 / inches
        width = (0.89 - gap * (columns - 1)) / columns
        height = (top - bottom - 0.2 / inches - between * (rows - 1)) / rows
        first: Any = None
        for place, panel in enumerate(panels):
            x = 0.09 + (width + gap) * (place % columns)
            y = top - 0.2 / inches - height - (height + between) * (place // columns)
            axes = figure.add_axes((x, y, width, height), sharex=first, sharey=first)
            first = first or axes
            _panel(axes, [line for line in lines if line.panel == panel], looks(lines))
            axes.set_title(label(panel, 30), fontsize=11, loc="left", color=INK)
            axes.grid(axis="y")
            if place % columns:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel(_("training loss"))
            if place + columns >= len(panels):
                axes.set_xlabel(_("epoch"))
            else:
                axes.tick_params(labelbottom=False)
        _scale(first, lines)
        levels = _levels(first, lines, target)
        for axes in figure.axes:
            for value, own, _text in levels:
                axes.axhline(value, zorder=1, linewidth=1.1, **own)
        figure.align_ylabels()
        legend_below(figure, lines, [(own | {"linewidth": 1.1}, text) for _v, own, text in levels])
        return figure


def _panel(
    axes: "Axes",
    lines: Sequence[StudyCurve],
    look_of: Mapping[tuple[str, str], CurveStyle],
) -> None:
    """Draw one panel."""
    for line in lines:
        own = look_of[line.mode, line.setting]
        loss_E, deviation_E = _floats(line.row.loss), _floats(line.row.loss_std)
        epoch_E = np.arange(1.0, len(loss_E) + 1)
        low_E, high_E = loss_E - deviation_E, loss_E + deviation_E
        if len(loss_E) == 1:  # a band over one epoch has no width
            axes.vlines(epoch_E, low_E, high_E, color=own.colour, alpha=0.3, linewidth=6)
        else:
            axes.fill_between(epoch_E, low_E, high_E, color=own.colour, alpha=0.14, linewidth=0)
        dots: dict[str, Any] = {"marker": own.mark, "markersize": 4, "markevery": -(-len(loss_E) // MARKED)}
        axes.plot(epoch_E, loss_E, color=own.colour, linestyle=own.stroke, **dots)


def _scale(axes: "Axes", lines: Sequence[StudyCurve]) -> None:
    from matplotlib.ticker import MaxNLocator

    losses = np.concatenate([_floats(line.row.loss) for line in lines])
    fine = losses[np.isfinite(losses) & (losses > 0)]
    axes.set_ylim(bottom=0 if not len(fine) or fine.min() < fine.max() / 3 else None)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    epochs = max(line.row.epochs for line in lines)
    axes.set_xlim(0.6 if epochs < 4 else 1 - 0.03 * epochs, epochs + (0.4 if epochs < 4 else 0.03 * epochs))


def _levels(axes: "Axes", lines: Sequence[StudyCurve], target: float | None) -> list[tuple[float, Any, str]]:
    """Return (loss, style, label) of the target and the floor of doubled softmax, if within the axes."""
    levels: list[tuple[float, Any, str]] = []
    if target is not None:
        text = _("to be reached: {value}").format(value=numeral(target))
        levels.append((target, {"color": INK, "linestyle": (0, (4, 2))}, text))
    floor = max((line.row.loss_floor for line in lines if line.row.loss_floor), default=None)
    if floor is not None:
        text = _("softmax twice: never below {value:.4f}").format(value=floor)
        levels.append((floor, {"color": SOFT, "linestyle": (0, (1, 1.5))}, text))
    low, high = axes.get_ylim()
    return [level for level in levels if low <= level[0] <= high]


def _columns(lines: Sequence[StudyCurve]) -> int:
    """Return the number of legend columns: two if all names are short."""
    return 2 if max((len(name) for name in names(lines).values()), default=0) <= SHORT else 1


def legend_inches(lines: Sequence[StudyCurve], levels: int = 0) -> float:
    """Return the height of ``legend_below`` in inches. levels: the number of entries besides the rows'
    entries."""
    entries = levels + (len(looks(lines)) if len(looks(lines)) > 1 else 0)
    rows = -(-entries // _columns(lines))
    return min(0.24 * rows, 0.12 + 0.2 * rows)


def legend_below(
    figure: "Figure", lines: Sequence[StudyCurve], more: Sequence[tuple[Any, str]] = (), **own: Any
) -> None:
    """Draw the legend below the panels: every mode and setting, then ``more`` strokes with their labels."""
    named = names(lines)
    if len(named) < 2:
        named = {}
    drawn = [looks(lines)[key].line | own for key in named]
    handles = [stroke(**look_of) for look_of in [*drawn, *(look_of for look_of, _text in more)]]
    words = [*named.values(), *(text for _look, text in more)]
    if words:
        corner, columns = (0.08, 0.1 / figure.get_figheight()), _columns(lines)
        apart = {"borderaxespad": 0, "handlelength": 3.4, "columnspacing": 2.5}
        figure.legend(handles, words, loc="lower left", bbox_to_anchor=corner, ncols=columns, **apart)


def tradeoff_figure(
    lines: Sequence[StudyCurve], title: str, metric: str | None, figure: float | None
) -> "Figure":
    """Draw a dot for each row: seconds per epoch, and epochs until the goal is reached.

    Along a grey line, their product (total seconds) is constant. Rows that never reach the goal stand above.
    metric, figure: the goal; with None, only the seconds are shown.
    """
    timed = [line for line in lines if line.row.seconds_per_epoch]
    with look():
        below = legend_inches(lines)
        sentences = []
        if metric is not None and figure is not None:
            goal = _("Epochs until {metric} is {figure}, against what an epoch takes (and its interval).")
            sentences = [goal.format(metric=label(metric_name(metric)), figure=numeral(figure))]
            sentences.append(_("Along a grey line the seconds in all are the same: lower left is quicker."))
        drawn, top, inches = titled(_("What it costs: {name}"), title, sentences, height=5.4 + below)
        bottom = (0.7 + below) / inches
        axes = drawn.add_axes((0.1, bottom, 0.87, top - bottom - 0.02))
        if not timed:
            axes.set_axis_off()
            axes.text(0.5, 0.5, _("No epoch was timed."), ha="center", color=ALARM, transform=axes.transAxes)
            return drawn
        _dots(axes, timed, metric)
        legend_below(drawn, lines, linestyle="", markersize=8)
        return drawn


def _dots(axes: "Axes", lines: Sequence[StudyCurve], metric: str | None) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    look_of = looks(lines)
    most = max(line.row.epochs for line in lines)
    never = most * 1.12 + 0.6
    seconds = np.array([line.row.seconds_per_epoch for line in lines], dtype=np.float64)
    ends = [line.row.seconds_interval[1] for line in lines if line.row.seconds_interval is not None]
    axes.set_xlim(0, 1.25 * max([*seconds, *ends]))
    axes.set_ylim(-0.07 * most, never + 0.06 * most + 0.4)
    if metric is not None:
        _equal_cost(axes, most)
        axes.axhspan(most + 0.06 * most + 0.25, axes.get_ylim()[1], color=ALARM, alpha=0.06, linewidth=0)
    placed: list[tuple[float, float, str]] = []  # labels' positions, as shares of the axes
    for line in sorted(lines, key=lambda each: each.row.seconds_per_epoch or 0):
        own = look_of[line.mode, line.setting]
        epoch = line.row.epochs_to(metric) if metric is not None else None
        y = never if epoch is None else epoch
        x = float(line.row.seconds_per_epoch or 0)
        if (interval := line.row.seconds_interval) is not None:
            axes.hlines(y, *interval, color=own.colour, linewidth=1.6, alpha=0.55)
        (dot,) = axes.plot(x, y, own.mark, color=own.colour, markersize=8, markeredgewidth=1.8)
        dot.set_markerfacecolor(own.colour if epoch is not None else "white")
        at_x, at_y = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))
        near = [(b, text) for a, b, text in placed if abs(at_x - a) < APART_X and abs(at_y - b) < APART_Y]
        if any(text == line.panel for _b, text in near):  # the same label is already nearby
            continue
        above = all(abs(at_y + OFFSET - b) > OFFSET for b, _text in near)
        placed.append((at_x, at_y + (OFFSET if above else -OFFSET), line.panel))
        up, side = (8, "bottom") if above else (-8, "top")
        beside(axes, label(line.panel, 20), (x, y), (0, up), ha="center", va=side, fontsize=9, color=INK)
    ticks = [t for t in MaxNLocator(nbins=7, integer=True).tick_values(0, most) if 0 <= t <= most]
    axes.yaxis.set_major_locator(FixedLocator([*ticks, never] if metric is not None else []))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _p: _("never") if value == never else numeral(value, ",.0f"))
    )
    axes.set_ylabel(_("epochs") if metric is not None else "")
    unit, of = 1, _("seconds per epoch")
    if seconds.max() < MILLISECONDS_BELOW:
        unit, of = 1000, _("milliseconds per epoch")
    axes.set_xlabel(of)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _p: numeral(value * unit)))


def _equal_cost(axes: "Axes", most: int) -> None:
    """Draw lines of equal total seconds, at round ones."""
    from matplotlib.ticker import MaxNLocator

    _low, high = axes.get_xlim()
    for total in MaxNLocator(8).tick_values(0, 0.9 * high * most):
        if 0 < total < 0.9 * high * most:
            x = np.linspace(total / most, high, 200)
            axes.plot(x, total / x, color=SOFT, linewidth=0.7, alpha=0.35, zorder=1)
            beside(axes, seconds_text(total), (x[0], most), (3, -2), fontsize=7.5, color=SOFT, va="top")


def _floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
