"""The pictures of the lessons, in the style of all of treino's: curves, dots, planes, mountains, pixels."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from treino.base.words import numeral
from treino.plots import style
from treino.plots.pixels import regions

SHARP = 121  # points along each side of a plane
MARKS = "osD^v"


class Picture(bytes):
    """A PNG that a notebook shows."""

    def _repr_png_(self) -> bytes:
        return bytes(self)


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
        axes.xaxis.get_major_locator().set_params(integer=isinstance(across[-1], int))
        mark = MARKS[number % len(MARKS)] if len(up) <= 30 else ""
        axes.plot(across, up, color=style.colour(number), marker=mark, ms=5, label=name)
    if log:
        axes.set_xscale("log")
        axes.set_xticks(across, [numeral(value) for value in across])
        axes.set_xticks([], minor=True)
    if level:
        axes.axhline(level[0], color=style.SOFT, linestyle="--", linewidth=1.2, label=level[1])
    axes.set(xlabel=x, ylabel=y)
    axes.grid(axis="y")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return _picture(figure)


@style.look()
def dots(values: Mapping[str, Any], x: str) -> Picture:
    """A line of dots for each name: one number, which is written beside it, or many."""
    rows = {name: found if isinstance(found, list) else [found] for name, found in values.items()}
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
    if min(map(min, rows.values())) >= 0:
        axes.set_xlim(left=0)
    axes.grid(axis="both")
    return _picture(figure)


@style.look()
def planes(
    nets: Mapping[str, Callable[[Tensor], Tensor] | None],
    x: Tensor,
    y: Tensor,
    columns: Sequence[str] = ("", ""),
    *,
    zoom: float = 1.0,
) -> Picture:
    """Each network's answer over the plane of two inputs, with the rows. None: the rows alone. columns: the
    axes' names. zoom: times the rows' own frame."""
    figure, panels = _blank(len(nets))
    low, high = x.min(0).values, x.max(0).values
    middle, half = (low + high) / 2, (high - low) * 0.55 * zoom
    frame = torch.stack([middle - half, middle + half], 1).flatten().tolist()
    across, up = (torch.linspace(a, b, SHARP) for a, b in zip(frame[::2], frame[1::2], strict=True))
    grid = torch.stack(torch.meshgrid(across, up, indexing="xy"), -1)
    for axes, (name, net) in zip(panels, nets.items(), strict=True):
        if net:
            with torch.no_grad():
                probability_RRC = net(grid.reshape(-1, 2)).softmax(1).reshape(SHARP, SHARP, -1)
            axes.imshow(regions(probability_RRC.numpy()), extent=frame, origin="lower", aspect="auto")
        for c in y.unique().tolist():
            axes.plot(*x[y == c].T, "o", color=style.colour(c), ms=3, mec=style.PAPER, mew=0.4, label=str(c))
        axes.set(title=name, xlabel=columns[0], ylabel=columns[1], xlim=frame[:2], ylim=frame[2:])
    panels[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0)
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
    for axes, (name, height) in zip(panels, heights.items(), strict=True):
        value = height(*torch.meshgrid(across, up, indexing="xy"))
        levels = value.min() + (value.max() - value.min()) * torch.linspace(0, 1, 16) ** 2
        axes.contourf(across, up, value, levels=levels.tolist(), cmap="Blues_r")
        for number, (walk, points) in enumerate((ways or {}).items(), 1):
            axes.plot(*zip(*points, strict=True), "o-", ms=3, lw=1.3, color=style.colour(number), label=walk)
        axes.set(title=name, xlabel=x[0], ylabel=y[0], xlim=x[1:], ylim=y[1:])
    if ways:
        panels[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return _picture(figure)


@style.look()
def pixels(images: Mapping[str, Tensor]) -> Picture:
    """Named grids of numbers as squares, dark where high."""
    figure, panels = _blank(len(images), height=2.4)
    for axes, (name, image) in zip(panels, images.items(), strict=True):
        axes.imshow(image.detach().numpy(), cmap="Greys")
        axes.set(title=name, xticks=[], yticks=[])
    return _picture(figure)
