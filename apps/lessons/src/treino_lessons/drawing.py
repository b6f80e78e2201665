"""The pictures of the lessons: curves, dots, planes and mountains, in the style of all of treino's."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from treino.base.words import numeral
from treino.plots import style
from treino.plots.pixels import regions

SHARP = 121  # points along each side of a plane
MARKS = "osD^v"


@dataclass(frozen=True)
class Picture:
    """A picture that a notebook shows."""

    png: bytes

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return ""


def _blank(count: int = 1, height: float = 2.9) -> tuple[Any, list[Any]]:
    """A figure with so many charts side by side."""
    figure = style.new_figure(height)
    figure.set_layout_engine("constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _picture(figure: Any) -> Picture:
    style.localise_ticks(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90, metadata={"Software": None})
    return Picture(file.getvalue())


@style.look()
def curves(
    lines: Mapping[str, Any], x: str, y: str, *, level: tuple[float, str] | None = None, log: bool = False
) -> Picture:
    """Named lines. Each: the values from 1 on, or (x, y). level: a dashed line at a value, and its name. log:
    the horizontal axis is logarithmic."""
    figure, (axes,) = _blank()
    for number, (name, values) in enumerate(lines.items()):
        across, up = values if isinstance(values, tuple) else (range(1, len(values) + 1), values)
        axes.xaxis.get_major_locator().set_params(integer=not isinstance(values, tuple))
        mark = MARKS[number % len(MARKS)] if len(up) <= 30 else ""
        axes.plot(
            list(across), [float(v) for v in up], color=style.colour(number), marker=mark, ms=5, label=name
        )
    if level:
        axes.axhline(level[0], color=style.SOFT, linestyle="--", linewidth=1.2, label=level[1])
    if log:
        _logarithmic(axes, sorted({a for line in axes.get_lines()[: len(lines)] for a in line.get_xdata()}))
    axes.set(xlabel=x, ylabel=y)
    axes.grid(axis="y")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return _picture(figure)


def _logarithmic(axes: Any, at: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(at)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: numeral(value)))


@style.look()
def dots(values: Mapping[str, Any], x: str, *, log: bool = False) -> Picture:
    """A line of dots for each name: one number, which is written beside it, or many."""
    rows = {name: [float(v) for v in (v if isinstance(v, Sequence) else [v])] for name, v in values.items()}
    figure, (axes,) = _blank(height=0.9 + 0.36 * len(rows))
    for number, found in enumerate(rows.values()):
        axes.plot(
            found, [number] * len(found), "o", color=style.colour(0), alpha=0.6 if len(found) > 1 else 1
        )
        if len(found) == 1:
            text = numeral(found[0], ",.0f" if abs(found[0]) >= 1000 else ".3g")
            axes.annotate(text, (found[0], number), (7, -3.5), textcoords="offset points", fontsize=9)
    axes.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel=x, ylim=(len(rows) - 0.5, -0.5))
    axes.margins(x=0.12)
    numbers = [value for found in rows.values() for value in found]
    if log:
        low, high = math.floor(math.log10(min(numbers))), math.ceil(math.log10(max(numbers)))
        _logarithmic(axes, [10.0**e for e in range(low, high + 1, 1 + (high - low) // 8)])
    elif min(numbers) >= 0:
        axes.set_xlim(left=0)
    axes.grid(axis="both")
    return _picture(figure)


@style.look()
def planes(
    nets: Mapping[str, Callable[[Tensor], Tensor] | None], x: Tensor, y: Tensor, *, zoom: float = 1.0
) -> Picture:
    """Each network's answer over the plane of two inputs, with the rows. None: the rows alone. zoom: times
    the rows' own frame."""
    figure, panels = _blank(len(nets), height=2.9 if len(nets) < 4 else 2.3)
    low, high = x.min(0).values, x.max(0).values
    middle, half = (low + high) / 2, (high - low) * 0.55 * zoom
    across, up = (
        torch.linspace(float(m - h), float(m + h), SHARP) for m, h in zip(middle, half, strict=True)
    )
    grid = torch.stack(torch.meshgrid(across, up, indexing="xy"), -1)
    for axes, (name, net) in zip(panels, nets.items(), strict=True):
        frame = [float(v) for v in (across[0], across[-1], up[0], up[-1])]
        if net:
            with torch.no_grad():
                probability_RRC = net(grid.reshape(-1, 2)).softmax(1).reshape(SHARP, SHARP, -1)
            axes.imshow(regions(probability_RRC.numpy()), extent=frame, origin="lower", aspect="auto")
        for c in range(int(y.max()) + 1):
            axes.plot(*x[y == c].T, "o", color=style.colour(c), ms=3, mec=style.PAPER, mew=0.4)
        axes.set_title(name, fontsize=10)
        axes.set(xlim=frame[:2], ylim=frame[2:])
    return _picture(figure)


@style.look()
def mountains(
    heights: Mapping[str, Callable[[Tensor, Tensor], Tensor]],
    x: tuple[str, float, float],
    y: tuple[str, float, float],
    ways: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Picture:
    """Maps of a height over two numbers, dark where low. x, y: an axis's name and its ends. ways: walks."""
    figure, panels = _blank(len(heights), height=3.2)
    across, up = torch.linspace(*x[1:], SHARP), torch.linspace(*y[1:], SHARP)
    first, second = torch.meshgrid(across, up, indexing="xy")
    for axes, (name, height) in zip(panels, heights.items(), strict=True):
        value = height(first, second)
        levels = value.min() + (value.max() - value.min()) * torch.linspace(0, 1, 16) ** 2
        axes.contourf(across, up, value, levels=levels.tolist(), cmap="Blues_r")
        for number, (walk, points) in enumerate((ways or {}).items()):
            axes.plot(
                *zip(*points, strict=True), "o-", ms=3, lw=1.3, color=style.colour(number + 1), label=walk
            )
        axes.set(xlabel=x[0], ylabel=y[0], xlim=x[1:], ylim=y[1:])
        axes.set_title(name, fontsize=10)
    if ways:
        panels[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return _picture(figure)
