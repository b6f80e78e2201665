"""Losses and gradients of every activation × loss × depth are autograd's on the equal module, and slopes."""

import math

import pytest
import torch
from torch import nn

from treino.engine import ACTIVATIONS, LOSSES, Loss, mlp, train
from treino.engine.backprop import Backprop, Shape
from treino.engine.population import Layout

VARIANTS = [
    Loss("cross_entropy"),
    Loss("cross_entropy", label_smoothing=0.1),
    Loss("cross_entropy", class_weights=(0.5, 2.0, 1.0, 3.0)),
    Loss("cross_entropy", label_smoothing=0.2, class_weights=(0.5, 2.0, 1.0, 3.0)),
    Loss("cross_entropy", softmax_first=True),
    Loss("cross_entropy", label_smoothing=0.2, class_weights=(0.5, 2.0, 1.0, 3.0), softmax_first=True),
    Loss("bce"),
    Loss("mse"),
    Loss("l1"),
    Loss("huber"),
    Loss("poisson"),
    Loss("gamma"),
    Loss("tweedie"),
    Loss("quantile", levels=(0.125, 0.5, 0.75)),
    Loss("gaussian"),
]


def torch_criterion(loss):
    """The same loss, written with torch.nn's classes."""
    if loss.name == "cross_entropy":
        weight = None if loss.class_weights is None else torch.tensor(loss.class_weights, dtype=torch.float64)
        inner = nn.CrossEntropyLoss(weight=weight, label_smoothing=loss.label_smoothing)
        return (lambda z, y: inner(z.softmax(1), y)) if loss.softmax_first else inner
    if loss.name == "gamma":
        return lambda z, y: -torch.distributions.Gamma(1.0, (-z).exp()).log_prob(y).mean()
    if loss.name == "tweedie":  # minus y m^(1 - p) / (1 - p) plus m^(2 - p) / (2 - p), for p = 1.5
        return lambda z, y: (2 * y * z.exp() ** -0.5 + 2 * z.exp() ** 0.5).mean()
    if loss.name == "quantile":
        low, high = torch.tensor(loss.levels), 1 - torch.tensor(loss.levels)
        return lambda z, y: (low * (y - z).relu() + high * (z - y).relu()).mean()
    if loss.name == "gaussian":
        constant = math.log(2 * math.pi) / 2
        of = torch.distributions.Normal
        return lambda z, y: -of(z[:, :1], (z[:, 1:] / 2).exp()).log_prob(y).mean() - constant
    names = {"bce": "BCEWithLogitsLoss", "mse": "MSELoss", "l1": "L1Loss", "huber": "HuberLoss"}
    return getattr(nn, names.get(loss.name, "PoissonNLLLoss"))()


def problem(loss, activation, hidden=(7, 6), rows=9, seed=0):
    """-> a float64 module, rows, targets that fit the loss."""
    outputs = loss.outputs(4 if loss.task == "classification" else 2)
    torch.manual_seed(seed)
    net = mlp(*hidden, activation=activation).module(5, outputs).double()
    x = torch.randn(rows, 5, dtype=torch.float64)
    if loss.name == "bce":
        y = torch.randint(2, (rows, 1)).double()
    elif loss.task == "classification":
        y = torch.randint(4, (rows,))
    else:
        y = torch.randn(rows, 1 if loss.link.joint else outputs, dtype=torch.float64) * 2
        y = y if loss.kind.power is None else y.abs()
    return net, x, y


def hand_written(net, x, y, loss, activation, block):
    """-> (loss ``[block]``, gradients ``[block, *shape]`` of every tensor) by the engine's own pass."""
    layout = Layout.of(net.named_parameters())
    params = torch.zeros(block, layout.n, dtype=torch.float64)
    grads = torch.zeros_like(params)
    for view, p in zip(layout.views(params), net.parameters(), strict=True):
        view.copy_(p.detach())
    linear = [m for m in net.modules() if isinstance(m, nn.Linear)]
    sizes = (linear[0].in_features, *(m.out_features for m in linear))
    back = Backprop(Shape(sizes, activation, False, loss), layout, params, grads)
    now = back.batch(len(x), x, y)
    now.x.copy_(x)
    now.y.copy_(y)
    for call in (*now.begin, *now.forward, *now.backward):
        call()
    return now.loss, layout.views(grads)


def gradients_are_autograds(loss, activation, hidden=(7, 6), rows=9):
    net, x, y = problem(loss, activation, hidden, rows)
    wanted = torch_criterion(loss)(net(x), y)
    wanted.backward()
    torch.testing.assert_close(loss(net(x), y), wanted, rtol=1e-12, atol=0)
    for block in (1, 4):
        with torch.no_grad():
            got, slopes = hand_written(net, x, y, loss, activation, block)
        torch.testing.assert_close(got, wanted.detach().expand(block), rtol=1e-12, atol=0)
        for slope, p in zip(slopes, net.parameters(), strict=True):
            torch.testing.assert_close(slope, p.grad.expand(block, *p.shape), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_gradients_are_autograds(loss, activation):
    gradients_are_autograds(loss, activation)


@pytest.mark.parametrize("hidden", [(), (1,), (33,), (16, 16, 16, 16)])
@pytest.mark.parametrize("rows", [1, 16, 17])
def test_any_depth_and_any_number_of_rows(hidden, rows):
    for loss in (VARIANTS[0], VARIANTS[6], VARIANTS[7]):
        gradients_are_autograds(loss, "tanh", hidden, rows)


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
def test_no_constant_output_is_better_than_the_best_constant(loss):
    _net, _x, y = problem(loss, "relu", rows=50)
    if loss.task == "classification":
        y[:20] = 1  # unbalanced
    best = loss.best_constant(y)
    criterion = torch_criterion(loss)
    constant = torch.zeros(1, loss.outputs(4 if y.dim() == 1 else y.shape[1]), dtype=torch.float64)
    constant.requires_grad_()
    descent = torch.optim.LBFGS([constant], max_iter=500, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def again():
        descent.zero_grad()
        value = criterion(constant.expand(len(y), -1), y)
        value.backward()
        return value

    for _round in range(5):
        descent.step(again)
    found = criterion(constant.detach().expand(len(y), -1), y).item()
    assert best <= found + 1e-9
    # LBFGS halts early on corners (l1) and towards infinity (softmax twice)
    assert best == pytest.approx(
        found, rel=2e-2 if loss.name in ("l1", "quantile") or loss.softmax_first else 1e-6
    )


def test_every_registered_loss_is_held_against_torch():
    assert {v.name for v in VARIANTS} == set(LOSSES)


def test_the_default_loss_follows_the_task_and_says_why():
    x = torch.randn(6, 2)
    assert train((x, torch.arange(6) % 3)).loss == "cross_entropy"
    regression = train((x, torch.randn(6)))
    assert regression.loss == "mse"
    assert "number" in regression.reasons[0]
