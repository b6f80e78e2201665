"""Seconds for the loss at 51 × 51 points around a network, against a plain torch loop over the points.

The peer sets the parameters of one ``nn.Module`` to each point and takes the loss of all rows at once, and
nothing else, at the faster of one thread and as many as there are cores.
"""

import copy
from collections.abc import Callable

import torch
from torch import nn

import treino as tr
from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from benchmarks.timing import Spent, Work, budget, interleaved, once, processor_ratio, ratio, threads, wall
from treino.base.machine import cpu_cores
from treino.data.dataset import Data
from treino.engine import Loss
from treino_landscape.loss_surface import LossSurface, loss_surface
from treino_landscape.planes import RESOLUTION, random_plane

POINTS = RESOLUTION**2
CASES: tuple[tuple[str, tuple[int, ...], float], ...] = (("wine", (64, 32), 1.0), ("mnist", (128, 128), 20.0))
PEERS_POINTS = {"wine": 400, "mnist": 30}  # in a round, for all of them would take minutes


def run(quick: bool) -> Result:
    rows, figures = [], {}
    for name, hidden, limit in CASES[:1] if quick else CASES:
        data = digits(quick)[0] if name == "mnist" else tr.load(name)
        place, classes = _trained(data, hidden), len(data.classes)
        works: dict[str, Work] = {
            "treino": once(_plane(place)),
            "one": _with(1, once(_point_by_point(place, PEERS_POINTS[name]))),
            "all": _with(cpu_cores(), once(_point_by_point(place, PEERS_POINTS[name]))),
        }
        found = interleaved(works, 1 if quick else 3)
        best = min("one", "all", key=lambda peer: wall(found, peer))
        seconds, peer = wall(found, "treino") * POINTS, wall(found, best) * POINTS
        faster, processor = ratio(found, best, "treino"), processor_ratio(found, best, "treino")
        spent = sorted(s.processor for s in found["treino"])[len(found["treino"]) // 2] * POINTS
        figures |= {
            f"{name}_seconds": round(seconds, 2),
            f"{name}_faster": round(faster, 1),
            f"{name}_faster_processor": round(processor, 1),
        }
        sizes = "-".join(str(n) for n in (place.rows.x.shape[1], *hidden, classes))
        rows.append(
            (
                f"{name} {sizes}", f"{len(place.rows):,}", f"{seconds:.2f}", f"{spent:.2f}", f"{peer:.1f}",
                f"{faster:.1f} ×", f"{processor:.1f} ×", *budget(min(seconds, spent), limit, at_most=True),
            )
        )  # fmt: skip
    heads = (
        "network", "rows", "seconds", "of processors", "torch, point by point", "treino is faster",
        "in processor time", "budget, seconds", "kept",
    )  # fmt: skip
    return Result(
        (Table(f"The loss at {RESOLUTION} × {RESOLUTION} points of a random plane", heads, tuple(rows)),),
        method=(
            "Medians over rounds in which both take turns, after one that warms up. The peer's seconds are "
            "those of a sample of points, scaled to all. Without importing, loading, training and drawing. "
            "The budget is held against the smaller of seconds and processor seconds: what fits into so many "
            "of one core does so on two that are free."
        ),
        left_out=(
            "The replay that the plane of a run's own path needs: it takes as long as the training did.",
        ),
        sources=("Li et al. 2018, arXiv:1712.09913, https://github.com/tomgoldstein/loss-landscape",),
        figures=figures,
    )


def _with(count: int, work: Work) -> Work:
    def run() -> Spent:
        with threads(count):
            return work()

    return run


def _trained(data: Data, hidden: tuple[int, ...]) -> LossSurface:
    training = tr.train(data, tr.mlp(*hidden), optimizer="adam", lr=1e-3, steps=200)
    for _tick in training:
        pass
    return loss_surface(training.net(), data.train, Loss("cross_entropy"))


def _plane(place: LossSurface) -> Callable[[], float]:
    def some() -> float:
        random_plane(place)
        return float(POINTS)

    return some


def _point_by_point(place: LossSurface, points: int) -> Callable[[], float]:
    net: nn.Module = copy.deepcopy(place.net)
    land = random_plane(place, resolution=2)
    views = [place.layout.views(t) for t in (land.origin_n, *land.axes_2n)]
    at_K2 = torch.rand(points, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    x, y, criterion = place.rows.x, place.rows.y, nn.CrossEntropyLoss()

    def some() -> float:
        with torch.no_grad():
            for a, b in at_K2.tolist():
                for p, here, one, two in zip(net.parameters(), *views, strict=True):
                    p.data = here + a * one + b * two
                criterion(net(x), y).item()
        return float(points)

    return some
