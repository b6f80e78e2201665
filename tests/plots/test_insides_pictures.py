"""Pictures of a network's inside: their texts, their appearance, and escaped names."""

import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from tests.plots.reference import looks_like
from tests.plots.room import texts
from treino.inspection.dependence import Dependence
from treino.inspection.feature_importance import CorrelatedColumns, Cost, Importances
from treino.inspection.input_planes import InputAxes, Points
from treino.inspection.outputs import Confusion, Mistakes
from treino.inspection.thumbnails import FirstWeights
from treino.inspection.unit_responses import UnitColumn, UnitDiagram
from treino.plots.confusion import confusion_figure
from treino.plots.importance import dependence_figure, importance_figure
from treino.plots.mistakes import mistakes_figure
from treino.plots.network import network_svg
from treino.plots.weights import weights_figure

NASTY = "<script>alert(1)</script> $x_1$"


def stage(name: str, what: str, seen_KRR: np.ndarray, total: int = 0, **change: object) -> UnitColumn:
    k = len(seen_KRR)
    bias_K, one_K = np.linspace(-1, 1, k), np.ones(k)
    shown = (total or k, np.arange(k), (), seen_KRR, bias_K, None, one_K, None, np.zeros(k, bool), one_K)
    return replace(UnitColumn(name, what, *shown), **change)


def inside(
    *, classes: tuple[str, ...] = ("red", NASTY), names: tuple[str, ...] = ("hue", NASTY)
) -> UnitDiagram:
    """Two inputs, three units of which one is dead, two classes."""
    at = np.linspace(-1, 1, 10)
    a, b = np.meshgrid(at, at)
    hidden = np.stack([np.maximum(a, 0), np.maximum(b - a, 0), 0 * a])
    weight = np.array([[1.0, 0.0], [-1.0, 1.0], [-0.2, -0.1]])
    fine = np.linspace(-1, 1, 120)
    x, y = np.meshgrid(fine, fine)
    share = 1 / (1 + np.exp(4 * x * y))
    said = np.stack([share, 1 - share], -1) if classes else (50 * x * y)[..., None]
    place_NK = np.array([[-0.5, 0.5], [0.3, 0.2]])
    points = Points("test", place_NK, np.array([0.0, 1.0]), np.zeros(2), np.array([7, 9]), 2)
    sight = InputAxes("all", "train", 9, names, lambda x: x.numpy(), torch.from_numpy)
    last = np.stack([a * b, -a * b])[: len(classes) or 1]
    stages = (
        stage("", "inputs", np.stack([a, b]), labels=names, bias_K=None, norm_K=np.full(2, np.nan)),
        stage("0", "Linear, ReLU", hidden, 51, weight_KJ=weight, dead_K=np.array([False, False, True])),
        stage("2", "Linear", last, labels=classes or ("price",), weight_KJ=np.ones((len(last), 3))),
    )
    plane = (at, at, stages, fine, fine, said, (points,))
    return UnitDiagram("wine", classes, "price", 10.0, sight, *plane, None, 40, 0, ())


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def of(root: ElementTree.Element, tag: str, kind: str = "") -> list[ElementTree.Element]:
    found = root.iter(f"{{http://www.w3.org/2000/svg}}{tag}")
    return [e for e in found if not kind or kind in (e.get("class") or "").split()]


def test_the_diagram_draws_every_unit_every_weight_and_every_bias() -> None:
    svg = network_svg(inside())
    root = drawn(svg)
    edges = of(root, "path", "edge")
    assert len(edges) == 2 * 3 + 3 * 2
    said = {unescape(t.text or "") for t in of(root, "title")}
    assert "hue → unit 1: −1" in said  # the minus of axes
    signs = {(t.text or ""): e.get("class") for e in edges for t in of(e, "title")}
    assert signs["hue → unit 0: +1"] == "edge p"
    assert signs["hue → unit 1: −1"] == "edge n"
    widths = {(t.text or ""): float(e.get("stroke-width") or 0) for e in edges for t in of(e, "title")}
    assert widths["hue → unit 0: +1"] == max(widths.values()) > 5 * widths["hue → unit 2: −0.2"] / 2
    assert len(of(root, "image")) == 2 + 3 + 2 + 1
    assert len(of(root, "rect", "dead")) == 1
    assert len([r for kind in ("pf", "nf") for r in of(root, "rect", kind)]) == 3 + 2
    words = " ".join("".join(t.itertext()) for t in of(root, "text"))
    for text in ("+48 more", "3 of 51", "hue", "red", "Linear, ReLU", "2 test rows on it"):
        assert text in words, text
    (wrong,) = of(root, "circle", "wrong")
    assert "row 9" in "".join(wrong.itertext())


def test_the_diagram_asks_for_nothing_and_runs_nothing() -> None:
    svg = network_svg(inside(names=(NASTY, 'quote " & \x00\x1b\n')))
    root = drawn(svg)
    assert not of(root, "script")
    assert NASTY in "".join(root.itertext())
    assert {u[:22] for u in re.findall(r"href='([^']*)", svg)} == {"data:image/png;base64,"}
    assert "url(" not in svg
    assert network_svg(inside()) == network_svg(inside())  # the same numbers give the same bytes


def test_diagrams_of_numbers_of_one_input_of_pictures_and_of_what_overflows() -> None:
    svg = network_svg(inside(classes=()))
    assert "price: blue above its mean 10, orange below" in svg
    shown = inside(classes=("a", "b"))
    one = {"y_R": np.zeros(1), "fine_y_R": np.zeros(1), "said_RRC": shown.said_RRC[:1]}
    one["sight"] = replace(shown.sight, axis_names=("hue",))
    one["stages"] = tuple(replace(s, seen_KRR=s.seen_KRR[:, :1]) for s in shown.stages)
    one["points"] = (replace(shown.points[0], at_NK=shown.points[0].at_NK[:, :1]),)
    flat = replace(shown, **one)
    assert "what a unit gives over hue." in network_svg(flat)
    tiles = np.random.default_rng(0).normal(size=(3, 1, 5, 5))
    picture = replace(
        shown,
        stages=(replace(shown.stages[1], tile_K=tiles, weight_KJ=None), shown.stages[2]),
        mean_item=np.random.default_rng(1).random((1, 5, 5)),
    )
    root = drawn(network_svg(picture))
    assert len(of(root, "path", "s")) == 3
    assert "25 inputs" in "".join(root.itertext())
    assert "No lines where" not in "".join(root.itertext())
    broken = replace(shown, said_RRC=np.full_like(shown.said_RRC, np.nan))
    assert "not finite there" in network_svg(broken)


def confused(count: int = 3, **change: object) -> Confusion:
    rng = np.random.default_rng(0)
    table = np.diag(rng.integers(5, 30, count)) + (rng.random((count, count)) < 0.2) * 2
    names = tuple(["red", "green", NASTY][:count] if count <= 3 else [f"kind {k}" for k in range(count)])
    made = Confusion("wine", names, table, np.zeros(count, int), "test")
    return replace(made, **change)


@pytest.mark.slow
def test_confusion_says_what_is_mixed_up() -> None:
    shown = confused(count_CC=np.array([[9, 1, 0], [0, 8, 0], [3, 0, 4]]))
    figure = confusion_figure(shown)
    said = texts(figure)
    assert "Accuracy 0.840: 21 of 25 test rows right" in said
    assert "taken for red (3 of 7); red taken for green (1 of 10)." in said
    assert "8\n100 %" in said
    looks_like(figure, "confusion")
    looks_like(confusion_figure(confused(150)), "confusion_many")
    nothing = confusion_figure(confused(2, count_CC=np.zeros((2, 2), int), unsaid_C=np.array([4, 5])))
    assert "On 9 rows the outputs are not finite" in texts(nothing)
    lonely = texts(confusion_figure(confused(1, count_CC=np.array([[6]]), split="train")))
    assert "The network learnt from these rows" in lonely


def mistaken(rows: int = 20, **change: object) -> Mistakes:
    rng = np.random.default_rng(0)
    names, columns = ("red", NASTY), ("alcohol", "a_long_name_of_a_column", "city")
    said = (np.arange(rows) * 7, np.zeros(rows), np.ones(rows), np.linspace(0.99, 0.6, rows))
    cells = (tuple(rng.normal(size=rows)), (None, *rng.normal(size=rows - 1) * 1000), (NASTY,) * rows)
    made = Mistakes("wine", "price", names, columns, "test", 90, rows, *said, None, cells, 0)
    return replace(made, **change)


@pytest.mark.slow
def test_mistakes_as_rows_and_as_pictures() -> None:
    rows = mistakes_figure(mistaken(), ("city", "alcohol", "a_long_name_of_a_column"))
    said = texts(rows)
    assert "Wrong: 20 of 90 test rows. The 15 with the highest probability." in said
    assert "99 %" in said
    assert "–" in said.splitlines()
    looks_like(rows, "mistakes_rows")
    items = np.random.default_rng(0).random((20, 1, 8, 8))
    pictures = mistakes_figure(mistaken(items=items, cells=()))
    assert "is red\n99 % · row 0" in texts(pictures)
    looks_like(pictures, "mistakes_pictures")
    numbers = mistakes_figure(
        mistaken(classes=(), true_K=np.full(20, 100.0), said_K=np.linspace(300, 90, 20), unsaid=2)
    )
    assert "+200" in texts(numbers)
    assert "On 2 rows the output is not finite." in texts(numbers)
    none = np.zeros(0)
    empty = dict.fromkeys(("index_K", "true_K", "said_K", "sure_K"), none)
    assert "None: all 90 test rows are right." in texts(mistakes_figure(mistaken(wrong=0, **empty)))
    assert "nothing can be compared" in texts(mistakes_figure(mistaken(wrong=0, unsaid=90, **empty)))


def cost(mean: list[float], half: float) -> Cost:
    mean_K = np.array(mean)
    return Cost(mean_K, mean_K - half, mean_K + half)


def test_importance_of_columns() -> None:
    names = ("alcohol", NASTY, "hue", "ash")
    costs = (cost([0.5, 0.2, 0.01, 0.0], 0.1), cost([0.2, 0.1, 0.0, 0.0], 0.05))
    together = ((CorrelatedColumns((0, 1), 0.93),), cost([0.9], 0.2))
    unshuffled = {"loss": 0.2, "accuracy": 0.95}
    shown = Importances(names, "accuracy", unshuffled, *costs, "test", 40, 40, 10, 4, *together)
    figure = importance_figure(shown, "wine")
    said = texts(figure)
    assert "shuffled 10 times on 40 test rows; unshuffled: loss 0.2, accuracy 0.95." in said
    assert "vary together (rank correlation up to 0.93)" in said
    assert "alcohol and 1 more" in said
    looks_like(figure, "importance")
    nothing, names = cost([0.0] * 100, 0.0), tuple(f"c{k}" for k in range(100))
    many = replace(shown, names=names, loss=nothing, worse=nothing, columns=10_000, together=(), rows=30)
    said = texts(importance_figure(replace(many, joint_loss=cost([], 0.0)), "wide"))
    assert "The 20 that cost most, of 100 that were shuffled and 10000 there are." in said
    assert "30 of 40 test rows" in said


def curves(axis: str, levels: tuple[str, ...], at_G: np.ndarray, outputs: int) -> Dependence:
    rng = np.random.default_rng(len(at_G))
    way = np.linspace(0, 1, len(at_G))[None, :, None] * rng.normal(1, 0.3, (30, 1, 1))
    curve = np.concatenate([way, 1 - way], 2)[..., :outputs] if outputs > 1 else 100 * way
    own = rng.choice(at_G, 30)
    return Dependence(f"the {axis}", axis, levels, at_G, own, curve, 50)


@pytest.mark.parametrize("classes", [(), ("red", NASTY), ("a", "b", "c")])
def test_dependence_on_every_kind_of_column(classes: tuple[str, ...]) -> None:
    outputs = max(1, len(classes))
    shown = [
        curves("number", (), np.linspace(1e4, 5e4, 41), outputs),
        curves("class", ("a", NASTY, ""), np.arange(3.0), outputs),
        curves("date", (), 1.6e9 + np.linspace(0, 5e7, 41), outputs),
        curves("time", (), np.linspace(0, 86400, 41), outputs),
        curves("number", (), np.zeros(1), outputs),
    ]
    if outputs == 3:
        shown = [
            replace(s, curve_NGC=np.concatenate([s.curve_NGC, 0 * s.curve_NGC[..., :1]], 2)) for s in shown
        ]
    alike = [(("the number", "other", "third", "fourth"), 0.9)]
    figure = dependence_figure(shown, "wine", classes=classes, target="price", columns=9, together=alike)
    said = texts(figure)
    assert "the mean over 30 of 50 training rows" in said.replace("\n", " ")
    assert "5 of 9 columns" in said
    assert "the number, other, third and 1 more vary together" in said.replace("\n", " ")
    assert "missing" in said
    looks_like(figure, f"dependence_{len(classes)}")


@pytest.mark.slow
def test_first_layer_weights_as_tiles_and_as_a_table() -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(70, 25))
    order = np.argsort(-np.linalg.norm(flat, axis=1))
    flat = flat[order]
    made = FirstWeights("mnist", "0 (Linear)", order, flat, flat.reshape(70, 1, 5, 5), ())
    figure = weights_figure(made)
    assert re.search(r"64 of 70 units of layer .*Linear", texts(figure))
    assert len([a for a in figure.axes if a.get_title() == str(order[3])]) == 1
    looks_like(figure, "weights_tiles")
    for channels, words in ((3, "red, green and blue"), (2, "The mean over 2 channels.")):
        tiles = rng.normal(size=(70, channels, 4, 4))
        assert words in texts(weights_figure(replace(made, tile_U=tiles)))
    names = tuple(["alcohol", NASTY] + [f"c{k}" for k in range(23)])
    table = weights_figure(replace(made, tile_U=None, inputs=names))
    assert "40 of 70 units" in texts(table)
    looks_like(table, "weights_table")
