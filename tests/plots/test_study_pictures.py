"""Pictures of a study: their appearance, distinct lines, no overlapping words."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from tests.plots.reference import looks_like
from treino.folders.documents.sweep import StudyRow
from treino.inspection.curves import floor_twice
from treino.plots.study import StudyCurve, curves_figure, looks, names, tradeoff_figure
from treino.plots.style import extent


def line(
    panel: str, mode: str, setting: str, ends: tuple[float, float], seconds: float, epoch: int | None
) -> StudyCurve:
    loss = np.geomspace(*ends, 8)
    floor, interval = floor_twice(10) if mode == "as taught" else None, (seconds * 0.9, seconds * 1.3)
    measured = row(loss.tolist(), (loss / 5).tolist(), floor, seconds, interval, epoch)
    return StudyCurve(f"batch {panel}", mode, setting, measured)


def row(
    loss: Sequence[float | None],
    deviation: Sequence[float | None],
    floor: float | None = None,
    seconds: float | None = None,
    interval: tuple[float, float] | None = None,
    epoch: int | None = None,
) -> StudyRow:
    """A row of a study with what is drawn of it."""
    timed = {"seconds_per_epoch": seconds, "seconds_interval": interval, "epochs_to_accuracy": epoch}
    losses = {"loss": loss, "loss_std": deviation, "loss_floor": floor, "epochs": len(loss)}
    return StudyRow.model_construct(**timed, **losses)


LINES = [
    line("100", "corrected", "", (0.8, 0.14), 1.0, 2),
    line("100", "as taught", "", (1.9, 1.64), 1.1, None),
    line("20", "corrected", "", (0.5, 0.07), 2.0, 1),
    line("20", "as taught", "", (1.8, 2.15), 2.1, None),
    line("5", "corrected", "", (0.34, 0.04), 5.6, 1),
    line("5", "as taught", "", (2.1, 2.36), 6.0, None),
    line("5", "corrected", "lr 1e-6, weight decay 5e-6", (2.2, 0.5), 5.7, None),
    line("5", "as taught", "lr 1e-6, weight decay 5e-6", (2.1, 1.62), 6.2, None),
]


def test_the_pictures_look_as_they_did() -> None:
    looks_like(curves_figure(LINES, "mnist", 1.6), "study_curves")
    looks_like(tradeoff_figure(LINES, "mnist", "accuracy", 0.9), "study_tradeoff")
    one_mode = [line for line in LINES if line.mode == "corrected"]
    looks_like(curves_figure(one_mode, "mnist", None), "study_curves_one_mode")


def test_no_word_stands_on_another() -> None:
    near = [{"seconds_per_epoch": 1 + n / 20, "epochs_to_accuracy": n // 4} for n in range(len(LINES))]
    close = [
        replace(each, row=each.row.model_copy(update=changed))
        for each, changed in zip(LINES, near, strict=True)
    ]
    for lines in (LINES, close):
        figure = tradeoff_figure(lines, "mnist", "accuracy", 0.9)
        figure.canvas.draw()
        boxes = [extent(t) for t in figure.axes[0].texts if t.get_text().startswith("batch")]
        assert len(boxes) >= 3
        assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
    kinds = [(name, mode) for name in ("sgd", "momentum", "adam") for mode in ("corrected", "as taught")]
    tail = "a new order each epoch, not normalised"
    long = [replace(LINES[0], setting=f"{name}, {tail}", mode=mode) for name, mode in kinds]
    for figure in (curves_figure(long, "mnist", 1.6), tradeoff_figure(long, "mnist", "accuracy", 0.9)):
        figure.canvas.draw()
        names_of = extent(figure.legends[0])
        axes = extent(figure.axes[0])
        assert names_of.x1 <= figure.bbox.x1, "every name is whole"
        assert names_of.y0 >= 0
        assert names_of.y1 <= axes.y0


def test_every_line_has_its_look_and_its_name() -> None:
    assert len(set(looks(LINES).values())) == len(set(names(LINES).values())) == 4
    nameless = [line for line in LINES if not line.setting and line.mode == "corrected"]
    assert list(names(nameless).values()) == ["corrected"]
    figure = curves_figure(nameless, "$x$_<script>", None)
    assert not figure.legends  # one line needs no legend
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["batch 100", "batch 20", "batch 5"]


def test_lines_without_figures_are_drawn_as_far_as_they_go() -> None:
    empty = StudyCurve("batch 5", "corrected", "", row([None, None], [None, None]))
    single = StudyCurve("batch 9", "corrected", "", row([0.5], [0.1], seconds=0.2))
    for lines in ([empty], [single], [empty, single]):
        curves_figure(lines, "t", 1.0).canvas.draw()
        tradeoff_figure(lines, "t", "accuracy", 0.9).canvas.draw()
        tradeoff_figure(lines, "t", None, None).canvas.draw()
