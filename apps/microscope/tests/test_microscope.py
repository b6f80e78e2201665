"""The microscope's arithmetic against torch and plain Python, and every topic in every form."""

import itertools
import json
import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Treino
from torch import nn

from treino.engine.losses import Loss
from treino_microscope import optimizers
from treino_microscope.backprop import LR, START, TARGET, X, torch_convolution, trained
from treino_microscope.chain import read_layers
from treino_microscope.explanation import Check
from treino_microscope.optimizer_topics import DECAYED
from treino_microscope.page import explain_page
from treino_microscope.paths import local_slopes, net_paths, totals
from treino_microscope.reference import worked
from treino_microscope.text import document, plain
from treino_microscope.topics import topics
from treino_microscope.update import Update, UpdateBatch, WeightIndex, fix_masks

TOPICS = topics()
NUMBERS = st.floats(-10, 10, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_in_every_form_with_all_its_checks(topic: str) -> None:
    found = TOPICS[topic].example()
    assert found.topic == topic
    assert len(found.checks) >= 3
    assert [c.name for c in found.checks if not c.holds] == []
    assert any("torch" in c.name for c in found.checks)
    assert any("difference" in c.name for c in found.checks)
    known = json.loads(json.dumps(document(found)))
    assert known["topic"] == topic
    assert all({"title", "symbols", "numbers", "value"} <= set(step) for step in known["steps"])
    assert all({"name", "ours", "reference", "difference"} <= set(check) for check in known["checks"])
    written = plain(found)
    page = str(explain_page(found))
    for step in found.steps:
        alone = step.picture is not None and not (step.text or step.table or step.formula)
        said = f"\n{step.title.split(':')[0]}" in written.replace("not so: ", "")
        assert said is not alone, "a picture alone is for the page"
    assert page.count("<math") == sum(step.formula is not None for step in found.steps)
    ET.fromstring(page.partition("<body>")[2].partition("</body>")[0].join(("<body>", "</body>")))
    assert "http" not in page.partition(">Sources</h2>")[0], "a page loads nothing"


# ---- optimizers

# torch goes to the gradient by lerp_, which for a beta of nearly 0 cancels all digits of what is left.
BETA = st.just(0.0) | st.floats(0.01, 0.99)
SEQUENCE = st.lists(NUMBERS, min_size=1, max_size=8)


def with_torch(kind: type[torch.optim.Optimizer], w: float, gradients: list[float], **asked: object) -> float:
    p = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    optimizer = kind([p], **asked)
    for g in gradients:
        p.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
    return float(p.detach())


def by_hand(name: str, w: float, gradients: list[float], **asked: object) -> float:
    state = dict[str, float]()
    for t, g in enumerate(gradients, 1):
        moved = optimizers.update(name, w, g, state, asked, t)
        w, state = moved.weight, moved.state
    return w


def same(name: str, kind: type[torch.optim.Optimizer], *given: Any, **asked: object) -> None:
    theirs = with_torch(kind, *given, **asked)
    assert by_hand(name, *given, **asked) == pytest.approx(theirs, rel=1e-12, abs=1e-12)


@pytest.mark.slow
@settings(max_examples=150)
@given(NUMBERS, SEQUENCE, st.floats(1e-6, 1.0), BETA, st.floats(0, 0.9999), st.floats(1e-10, 1e-3))
def test_adam_is_torch_s_to_the_last_digits(
    w: float, gradients: list[float], lr: float, b1: float, b2: float, eps: float
) -> None:
    same("adam", torch.optim.Adam, w, gradients, lr=lr, betas=(b1, b2), eps=eps)


@settings(max_examples=80)
@given(NUMBERS, SEQUENCE, st.floats(1e-6, 1.0), st.floats(0.01, 0.99), st.booleans())
def test_the_other_optimizers_are_torch_s(
    w: float, gradients: list[float], lr: float, mu: float, nesterov: bool
) -> None:
    same("sgd", torch.optim.SGD, w, gradients, lr=lr)
    same("sgd", torch.optim.SGD, w, gradients, lr=lr, momentum=mu, nesterov=nesterov)
    same("adamw", torch.optim.AdamW, w, gradients, **DECAYED)
    same("adam", torch.optim.Adam, w, gradients, **DECAYED)


# ---- losses

KINDS = ["mse", "l1", "huber", "bce", "cross_entropy", "smoothed", "softmax_twice"]


@settings(max_examples=150)
@given(
    st.sampled_from(KINDS), st.integers(1, 7), st.integers(2, 5), st.integers(0, 10_000), st.floats(0.1, 30)
)
def test_losses_by_hand_are_torch_s(kind: str, rows: int, classes: int, seed: int, size: float) -> None:
    g = torch.Generator().manual_seed(seed)
    columns = 1 if kind == "bce" else classes
    out = (size * torch.randn(rows, columns, generator=g, dtype=torch.float64)).requires_grad_()
    if kind in ("mse", "l1", "huber"):
        loss, y = Loss(kind), torch.randn(rows, columns, generator=g, dtype=torch.float64)
        torch_loss = {"mse": F.mse_loss, "l1": F.l1_loss, "huber": F.huber_loss}[kind](out, y)
    elif kind == "bce":
        loss, y = Loss("bce"), torch.randint(0, 2, (rows, 1), generator=g).double()
        torch_loss = F.binary_cross_entropy_with_logits(out, y)
    else:
        y = torch.randint(0, classes, (rows,), generator=g)
        weights = tuple((torch.rand(classes, generator=g) + 0.1).tolist()) if kind == "smoothed" else None
        smoothing = 0.2 if kind == "smoothed" else 0.0
        loss = Loss("cross_entropy", smoothing, weights, kind == "softmax_twice")
        weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)
        z = out.softmax(-1) if kind == "softmax_twice" else out
        torch_loss = F.cross_entropy(z, y, weight=weight, label_smoothing=smoothing)
    torch_loss.backward()
    found = worked(loss, out.detach().numpy(), y.numpy())
    assert found.loss == pytest.approx(float(torch_loss.detach()), rel=1e-12, abs=1e-13)
    np.testing.assert_allclose(found.slope, out.grad.numpy(), rtol=1e-10, atol=1e-15)


# ---- networks


def update(
    sizes: tuple[int, ...],
    act: type[nn.Module],
    rows: int,
    seed: int,
    place: WeightIndex,
    dropout: bool = False,
) -> Update:
    """An update of a random network, made without a run."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        modules: list[nn.Module] = []
        for a, b in itertools.pairwise(sizes[:-1]):
            modules += [nn.Linear(a, b), act(), *([nn.Dropout(0.4)] if dropout else [])]
        net = nn.Sequential(*modules, nn.Linear(sizes[-2], sizes[-1])).double()
        x = torch.randn(rows, sizes[0], dtype=torch.float64).numpy()
        y = torch.randint(0, sizes[-1], (rows,)).numpy()
        masks = (
            tuple((torch.rand(rows, n) > 0.4).double().numpy() / 0.6 for n in sizes[1:-1]) if dropout else ()
        )
    hp = {"lr": 0.1, "weight_decay": 0.0, "momentum": 0.0, "clip": math.inf}
    hp |= {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "dropout": 0.0}
    batch = UpdateBatch(np.arange(rows), x, y, masks)
    return Update(
        "test",
        "test",
        0,
        fix_masks(net),
        read_layers(net),
        (batch,),
        Loss("cross_entropy"),
        "sgd",
        False,
        hp,
        {},
        None,
        place,
        tuple(map(str, range(sizes[-1]))),
        tuple(map(str, range(sizes[0]))),
    )


ACTS = [nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid]


@settings(max_examples=60)
@given(st.sampled_from(ACTS), st.integers(1, 6), st.integers(0, 3), st.integers(0, 1000), st.booleans())
def test_back_propagation_by_hand_is_autograd_s(
    act: type[nn.Module], rows: int, hidden: int, seed: int, dropout: bool
) -> None:
    sizes = (3, *(4 + k for k in range(hidden)), 3)
    found = update(sizes, act, rows, seed, WeightIndex(0, 0, 0), dropout)
    net = found.module()
    found.torch_loss(net).backward()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(found.gradients[name], p.grad.numpy(), rtol=1e-9, atol=1e-14, err_msg=name)


def every_way(found: Update, row: int) -> list[float]:
    """All ways by brute force: one for each choice of a unit in each layer above the weight's."""
    place, last = found.place, len(found.layers) - 1
    inside = 1.0 if place.j is None else float(found.through[place.layer].a[row, place.j])
    ways = []
    for units in itertools.product(*(range(len(layer.W)) for layer in found.layers[place.layer + 1 :])):
        unit, slope = place.i, inside
        for at, above in zip(range(place.layer, last), units, strict=True):
            slope *= float(local_slopes(found)[at][row, unit]) * float(found.layers[at + 1].W[above, unit])
            unit = above
        ways.append(slope * float(found.through[last].d[row, unit]))
    return ways


@pytest.mark.slow
@settings(max_examples=60)
@given(
    st.sampled_from(ACTS),
    st.integers(0, 3),
    st.integers(0, 1000),
    st.booleans(),
    st.integers(0, 3),
    st.booleans(),
)
def test_the_ways_are_all_there_and_the_largest_come_first(
    act: type[nn.Module], hidden: int, seed: int, dropout: bool, layer: int, bias: bool
) -> None:
    sizes = (3, *(3 + k for k in range(hidden)), 3)
    found = update(sizes, act, 3, seed, WeightIndex(min(layer, hidden), 1, None if bias else 2), dropout)
    for row in range(3):
        ways = every_way(found, row)
        paths = net_paths(found, row, 5)
        assert paths.count == len(ways)
        largest = sorted((w for w in ways if w), key=abs, reverse=True)[:5] or [0.0]
        np.testing.assert_allclose(
            [abs(p.slope) for p in paths.largest], np.abs(largest), rtol=1e-9, atol=1e-300
        )
        assert sum(p.slope for p in paths.largest) + paths.rest == pytest.approx(
            sum(ways), rel=1e-9, abs=1e-14
        )
        assert totals(found)[row] == pytest.approx(sum(ways), rel=1e-9, abs=1e-14)
    assert totals(found).sum() == pytest.approx(found.gradient, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize(
    "topic", ["cross-entropy", "sgd", "backprop", "learning-rate", "accumulated-gradient"]
)
def test_ten_thousand_inputs_and_a_batch_of_one(topic: str) -> None:
    found = update((10_000, 3, 3), nn.ReLU, 1, 0, WeightIndex(0, 1, 9_999))
    explained = TOPICS[topic].of(found)
    assert [c for c in explained.checks if not c.holds] == []
    if topic == "sgd":
        assert "… 9\u202f996 smaller terms" in plain(explained)


def test_a_convolution_is_torch_s_and_one_way_of_it_learns_one_place() -> None:
    table = trained().table
    for places, row in zip((2, 1), table.rows, strict=True):
        kernel = torch.tensor(START, dtype=torch.float64, requires_grad=True)
        optimizer, losses = torch.optim.SGD([kernel], lr=LR), []
        for _update in range(101):
            optimizer.zero_grad()
            losses.append(torch_convolution(kernel).item())
            h = nn.functional.conv1d(torch.tensor([[X]], dtype=torch.float64), kernel.view(1, 1, 2)).flatten()
            (h - torch.tensor(TARGET, dtype=torch.float64))[:places].square().sum().backward()
            optimizer.step()
        assert [losses[t] for t in (0, 1, 10, 100)] == pytest.approx(list(row[1:]), rel=1e-9, abs=1e-20)


def test_a_check_that_is_off_says_so() -> None:
    assert not Check("w", 1.0, 1.0 + 1e-9, 1e-12).holds
    assert not Check("w", 1.0, math.nan, 1e-12).holds
    found = update((3, 4, 3), nn.Tanh, 4, 0, WeightIndex(0, 1, 1))
    wrong = replace(
        found, hp={**found.hp, "lr": 0.2}, net=update((3, 4, 3), nn.Tanh, 4, 1, WeightIndex(0, 1, 1)).net
    )
    explained = TOPICS["sgd"].of(wrong)
    assert not explained.holds
    assert "FAIL" in plain(explained)
    assert "verdict failed" in explain_page(explained)


@pytest.mark.slow
def test_a_run_alone_lists_the_topics_that_explain_it(treino: Treino) -> None:
    """The two words may come in either order, and a word that is neither is named as such."""
    words = ("--epochs", 2, "--hidden", 4, "--optimizer", "sgd", "--momentum", 0.9, "--name", "a")
    assert treino("train", "iris", *words).status == 0
    listed = treino("explain", "last")
    own = {line.split()[2] for line in listed.out.splitlines()}
    assert own == {"backprop", "cross-entropy", "momentum", "learning-rate", "accumulated-gradient"}
    for topic in own:
        assert f"treino explain {topic} last" in listed.out
        assert treino("explain", topic, "a", "--json").status == 0
    document = treino("explain", "a", "--json").document
    assert {each["topic"] for each in document["topics"]} == own
    turned = treino("explain", "a", "momentum", "--json").document
    assert turned == treino("explain", "momentum", "a", "--json").document
    neither = treino("explain", "momentun")
    assert neither.status == 2
    assert "There is no topic 'momentun', and no run of that name." in neither.err
    assert "Did you mean 'momentum'?" in neither.err
    assert "There is no run momentun" in treino("explain", "adam", "momentun").err
