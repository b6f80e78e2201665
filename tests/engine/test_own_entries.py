"""Losses, metrics, optimizers and schedules of the user's own: as in torch's loop, alone and in company."""

import copy
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn import metrics as sk
from tests.conftest import refusal_of
from torch import Tensor, nn

import treino as tr
from treino.engine import Bags


def word(value: Any) -> str:
    """The id of a parameter: functions have addresses in their texts."""
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


drawn = torch.Generator().manual_seed(0)
X = torch.randn(96, 5, generator=drawn)
Y = (X[:, 0] + 0.5 * X[:, 1] > 0).long() + (X[:, 2] > 1).long()
OWN_CHANCE = np.random.default_rng(0)
NUMBERS = X[:, :1] * 2 - X[:, 1:2]


def focal(output: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    entropy = F.cross_entropy(output, target, reduction="none")
    return ((1 - torch.exp(-entropy)) ** gamma * entropy).mean()


def focal_rows(output: Tensor, target: Tensor) -> Tensor:
    entropy = F.cross_entropy(output, target, reduction="none")
    return (1 - torch.exp(-entropy)) ** 2 * entropy


def branching(output: Tensor, target: Tensor) -> Tensor:
    """A branch on a value, which vmap refuses."""
    value = F.cross_entropy(output, target)
    return value * 2 if float(value.detach()) > 1 else value


class Dice(nn.Module):
    """No mean over rows."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        p, truth = output.softmax(-1), F.one_hot(target, output.shape[1]).to(output)
        return 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))


def plain_loop(
    module: nn.Module,
    loss: Callable[..., Tensor],
    make: Callable[[nn.Module], torch.optim.Optimizer],
    steps: int,
    factor: Callable[[int], float] = lambda step: 1.0,
    y: Tensor = Y,
) -> list[float]:
    """The loop that everybody writes, on all rows at once."""
    optimizer = make(module)
    rates = [group["lr"] for group in optimizer.param_groups]
    losses = []
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor(step)
        optimizer.zero_grad()
        value = loss(module(X), y)
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
    return losses


def trained(module: Any, steps: int = 12, y: Tensor = Y, **settings: Any) -> Any:
    training = tr.train((X, y), module, batch_size="full", shuffle="off", steps=steps, **settings)
    list(training)
    return training


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


# ---- losses


@pytest.mark.parametrize("loss", [focal, focal_rows, branching, Dice(), partial(focal, gamma=0.5)], ids=word)
def test_the_kernel_module_trains_with_it_as_the_plain_loop_does(loss: Any) -> None:
    torch.manual_seed(1)
    first = net()
    twin = copy.deepcopy(first)
    training = trained(first, loss=loss, optimizer="sgd", lr=0.1)
    plain_loop(twin, lambda o, t: loss(o, t).mean(), lambda n: torch.optim.SGD(n.parameters(), 0.1), 12)
    assert training.engine == "module"
    assert same(training.net(0), twin)


@pytest.mark.parametrize("loss", [focal, focal_rows, Dice()], ids=word)
def test_a_member_has_the_same_bits_alone_and_in_company(loss: Any) -> None:
    def members(*seeds: int) -> Any:
        training = tr.train((X, Y), tr.mlp(7), loss=loss, steps=15, seeds=seeds, data_seed=0, batch_size=20)
        list(training)
        return training

    many, one = members(*range(35)), members(33)
    assert many.engine == one.engine == "batched"
    assert same(many.net(33), one.net(0))
    assert trained(tr.mlp(4), loss=branching, seeds=(0, 1)).engine == "module"  # vmap refuses it


def test_a_loss_that_holds_weights_of_classes_is_measured_too(tmp_path: Path) -> None:
    weighing = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 5.0]))
    run: Any = tr.fit("wine", loss=weighing, epochs=2, parent=tmp_path)
    rows = run.data.test
    wanted = float(weighing(run.module(rows.x), rows.y).detach())
    assert run.metrics["test"]["loss"] == pytest.approx(wanted, rel=1e-5)


BAD_LOSSES: list[tuple[Any, str]] = [
    (lambda o, t: F.cross_entropy(o, t, reduction="none")[:2], "own_loss_result"),
    (lambda o, t: o.softmax(-1), "own_loss_result"),
    (lambda o, t: 3.0, "own_loss_result"),
    (lambda o, t: (o.argmax(-1) != t).float().mean(), "own_loss_gradient"),
    (lambda o, t: F.cross_entropy(o.detach(), t), "own_loss_gradient"),
    (lambda o, t: F.cross_entropy(o, t, reduction="none").long(), "own_loss_gradient"),
    (lambda o: o.mean(), "own_loss_fails"),
    (lambda o, t: F.mse_loss(o, t.double()), "own_loss_fails"),
    (lambda o, t: o.mean() * OWN_CHANCE.random(), "own_chance"),
    ("TripletMarginLoss", "loss_of_torch"),
    ("focl", "loss_unknown"),
    ("focal@12345678", "own_absent"),
    (3, "loss_type"),
]


@pytest.mark.parametrize(("loss", "rule"), BAD_LOSSES, ids=word)
def test_a_bad_loss_is_refused_before_the_first_step(loss: Any, rule: str) -> None:
    assert refusal_of(tr.train, (X, Y), tr.mlp(4), loss=loss, steps=3).rule == rule


def test_a_loss_that_fails_on_the_last_batch_is_refused() -> None:
    def fragile(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, target) / (1 if len(output) > 1 else output.new_zeros(2, 2) @ output)

    refusal = refusal_of(tr.train, (X, Y), net(), loss=fragile, steps=3, batch_size=95)
    assert refusal.rule == "own_loss_fails"
    assert "[1, 3]" in refusal.message


def test_rows_weigh_in_a_loss_of_rows_and_are_refused_in_another() -> None:
    weight = torch.ones(len(X))
    weight[::2] = 3.0
    twice = torch.cat([torch.arange(len(X)), *2 * [torch.arange(len(X))[::2]]])
    for loss in (focal, focal_rows):
        weighted = tr.train((X, Y), tr.mlp(6), loss=loss, steps=9, batch_size="full", bags=Bags(weight[None]))
        copied = tr.train((X[twice], Y[twice]), tr.mlp(6), loss=loss, steps=9, batch_size="full")
        for training in (weighted, copied):
            list(training)
        pairs = zip(weighted.net(0).parameters(), copied.net(0).parameters(), strict=True)
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)
    refusal = refusal_of(tr.train, (X, Y), tr.mlp(6), loss=Dice(), steps=3, bags=Bags(weight[None]))
    assert refusal.rule == "own_loss_rows"
    of_folds = refusal_of(tr.fit, (X, Y), loss=Dice(), folds=3, epochs=1)
    assert of_folds.rule == "own_loss_rows"
    assert "folds" in of_folds.message + of_folds.hint


# ---- optimizers and schedules

CLASSES: list[Any] = [
    "RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam", "Adamax", "Rprop", "ASGD", "Adafactor",
]  # fmt: skip


def groups(module: nn.Module) -> torch.optim.Optimizer:
    first, *rest = module.parameters()
    return torch.optim.AdamW(
        [{"params": [first], "lr": 1e-2, "weight_decay": 0.3}, {"params": rest}], lr=1e-3
    )


@pytest.mark.parametrize(
    "optimizer",
    [*CLASSES, torch.optim.NAdam, partial(torch.optim.RMSprop, alpha=0.9, momentum=0.5), groups],
    ids=word,
)
def test_an_optimizer_moves_the_weights_as_the_plain_loop_does(optimizer: Any) -> None:
    torch.manual_seed(4)
    first = net()
    twin = copy.deepcopy(first)
    make = getattr(torch.optim, optimizer) if isinstance(optimizer, str) else optimizer
    training = trained(first, optimizer=optimizer, steps=20)
    plain_loop(twin, nn.CrossEntropyLoss(), make if make is groups else lambda n: make(n.parameters()), 20)
    assert same(training.net(0), twin)


def test_its_own_rate_and_decay_hold_unless_they_are_typed() -> None:
    config = trained(net(), optimizer=partial(torch.optim.RMSprop, lr=0.05, weight_decay=0.2)).config.shared
    assert (config.lr, config.weight_decay) == (0.05, 0.2)
    assert trained(net(), optimizer="RMSprop", lr=0.003).config.shared.lr == 0.003
    assert refusal_of(trained, net(), optimizer="Rprop", weight_decay=0.1).rule == "weight_decay_unread"


class Counting(torch.optim.Optimizer):
    """It counts its updates in a number of its defaults, which another number divides the rate by."""

    def __init__(self, parameters: Any, lr: float = 0.1, k: int = 0, power: int = 0) -> None:
        super().__init__(parameters, {"lr": lr, "k": k, "power": power, "weight_decay": 0.0})

    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            group["k"] += 1
            for p in group["params"]:
                p.data.sub_(p.grad, alpha=group["lr"] / group["k"] ** group["power"])


def of_net(module: nn.Module) -> torch.optim.Optimizer:
    first, *rest = module.parameters()
    return torch.optim.RMSprop([{"params": [first], "alpha": 0.7}, {"params": rest}], lr=0.01, alpha=0.95)


STEERED: list[tuple[Any, str, float]] = [
    ("RMSprop", "alpha", 0.5),
    ("RMSprop", "weight_decay", 0.5),
    ("Adagrad", "lr_decay", 0.25),  # an int, 0, by default
    ("ASGD", "t0", 2.0),
    ("NAdam", "momentum_decay", 0.1),
    (Counting, "power", 0.5),
    (Counting, "k", 3.0),
    (of_net, "alpha", 0.5),
]


@pytest.mark.parametrize("every", [1, 50])
@pytest.mark.parametrize(("optimizer", "name", "value"), STEERED, ids=word)
def test_a_number_of_its_own_is_steered_as_in_the_plain_loop(
    optimizer: Any, name: str, value: float, every: int
) -> None:
    torch.manual_seed(6)
    first = net()
    twin = copy.deepcopy(first)
    made: list[torch.optim.Optimizer] = []

    def make(module: nn.Module) -> torch.optim.Optimizer:
        kind = getattr(torch.optim, optimizer) if isinstance(optimizer, str) else optimizer
        made.append(kind(module if kind is of_net else module.parameters()))
        return made[-1]

    def factor(step: int) -> float:
        if step in (8, 16):
            for group in made[-1].param_groups:
                group[name] = value if step == 8 else made[-1].defaults[name]
        return 1.0

    plain_loop(twin, nn.CrossEntropyLoss(), make, 20, factor)
    training = tr.train((X, Y), first, optimizer=optimizer, steps=20, batch_size="full", every=every)
    training.set(name, value, 8)
    training.set(name, make(first).defaults[name], 16)
    half = None
    for tick in training:
        half = half or (training.save() if tick.step == 12 else None)
    assert same(training.net(0), twin)
    if half is not None:
        again = tr.train((X, Y), first, optimizer=optimizer, steps=20, batch_size="full")
        again.load(*half)
        list(again)
        assert same(again.net(0), twin)


UNSTEERED: list[tuple[Any, str, Any, str]] = [
    ("RMSprop", "alph", 0.5, "not_steerable"),
    ("RMSprop", "centered", True, "not_steerable"),
    ("RMSprop", "betas", (0.5, 0.6), "betas_unread"),
    ("RMSprop", "alpha", "high", "number_wanted"),
    ("RMSprop", "alpha", float("nan"), "number_wanted"),
    ("RMSprop", "alpha", -1.0, "own_optimizer_value"),  # says its class
    ("RMSprop", "momentum", 0.9, "own_optimizer_value"),  # it began without a buffer
    ("Muon", "ns_steps", 2.5, "own_optimizer_value"),
    ("Rprop", "etas", (0.1, 0.2), "not_steerable"),
    (of_net, "beta1", 0.5, "not_steerable"),
    ("adam", "alpha", 0.5, "hyper-parameter_unknown"),
]


@pytest.mark.parametrize(("optimizer", "name", "value", "rule"), UNSTEERED, ids=word)
def test_what_cannot_be_steered_is_refused_with_what_can(
    optimizer: Any, name: str, value: Any, rule: str
) -> None:
    training = tr.train((X, Y), nn.Linear(5, 3, bias=False), optimizer=optimizer, steps=3)
    refusal = refusal_of(training.set, name, value)
    assert refusal.rule == rule
    if rule == "not_steerable":
        assert ", ".join(training.steerable) in refusal.hint


def test_an_optimizer_that_fails_on_its_way_says_in_which_update() -> None:
    class Tired(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            if self.param_groups[0]["lr"] == 0:
                raise RuntimeError("asleep")
            return super().step(closure)

    training = tr.train((X, Y), net(), optimizer=Tired, schedule=lambda step, steps: 1 - step // 5, steps=6)
    refusal = refusal_of(list, training)
    assert refusal.rule == "own_optimizer_update"
    assert "update 6" in refusal.message
    assert "asleep" in refusal.message


BAD_OPTIMIZERS: list[tuple[Any, str]] = [
    ("RMSprp", "optimizer_unknown"),
    ("LBFGS", "own_optimizer_fails"),
    ("SparseAdam", "own_optimizer_fails"),
    (lambda module: module, "own_optimizer_kind"),
    (lambda module: torch.optim.SGD(module[0].parameters(), 0.1), "own_optimizer_parameters"),
    (partial(torch.optim.RMSprop, beta=3), "own_optimizer_fails"),
    (partial(torch.optim.RMSprop, lr="fast"), "own_optimizer_fails"),
]


@pytest.mark.parametrize(("optimizer", "rule"), BAD_OPTIMIZERS, ids=word)
def test_a_bad_optimizer_is_refused(optimizer: Any, rule: str) -> None:
    assert refusal_of(tr.train, (X, Y), net(), optimizer=optimizer, steps=3).rule == rule


@pytest.mark.parametrize(
    ("schedule", "factor"),
    [
        (lambda step, steps: 1 - step / steps, lambda step: 1 - step / 12),
        (partial(torch.optim.lr_scheduler.StepLR, step_size=4), lambda step: 0.1 ** (step // 4)),
        ("CosineAnnealingLR", lambda step: (1 + math.cos(math.pi * step / 12)) / 2),
    ],
    ids=word,
)
def test_a_schedule_sets_each_steps_rate(schedule: Any, factor: Callable[[int], float]) -> None:
    factors = trained(net(), schedule=schedule).plan.factors(0, 12)[0]
    assert factors == pytest.approx([factor(step) for step in range(12)], abs=1e-6)


@pytest.mark.parametrize(
    ("schedule", "rule"),
    [
        (lambda step: 1.0, "own_schedule_fails"),
        (lambda step, steps: -1.0, "own_schedule_factor"),
        (lambda step, steps: float("nan"), "own_schedule_factor"),
        ("ReduceLROnPlateau", "own_schedule_fails"),
        ("cosin", "schedule_unknown"),
    ],
    ids=word,
)
def test_a_bad_schedule_is_refused(schedule: Any, rule: str) -> None:
    assert refusal_of(tr.train, (X, Y), net(), schedule=schedule, steps=3).rule == rule


# ---- metrics


def f2(y_true: Any, y_pred: Any) -> float:
    return float(sk.fbeta_score(y_true, y_pred, beta=2, average="macro"))


OF_CLASSES: list[tuple[Any, Callable[[Any, Any], float]]] = [
    ("balanced_accuracy", sk.balanced_accuracy_score),
    ("matthews_corrcoef", sk.matthews_corrcoef),
    ("cohen_kappa", sk.cohen_kappa_score),
    (f2, f2),
    (sk.make_scorer(sk.fbeta_score, beta=2, average="macro"), f2),
]


@pytest.mark.slow
@pytest.mark.parametrize(("metric", "oracle"), OF_CLASSES, ids=word)
def test_a_metric_of_classes_is_what_its_function_says(
    metric: Any, oracle: Callable[..., float], tmp_path: Path
) -> None:
    run: Any = tr.fit("iris", metric=metric, epochs=2, parent=tmp_path)
    name = run.settings["metric"]
    rows = run.data.test
    guess = run.module(rows.x).argmax(-1)
    assert run.metrics["test"][name] == pytest.approx(oracle(rows.y.numpy(), guess.numpy()))
    low, high = run.result.intervals.finite[name]
    assert low < high


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["log_loss", "neg_log_loss", "neg_brier_score", "roc_auc"])
def test_a_metric_of_probabilities_is_what_its_function_or_scorer_says(metric: str, tmp_path: Path) -> None:
    run: Any = tr.fit("breast_cancer", metric=metric, epochs=2, parent=tmp_path)
    rows = run.data.test
    p, truth = torch.softmax(run.module(rows.x).double(), -1)[:, 1].detach().numpy(), rows.y.numpy()
    wanted = {
        "log_loss": lambda: sk.log_loss(truth, p),
        "neg_log_loss": lambda: -sk.log_loss(truth, p),
        "neg_brier_score": lambda: -sk.brier_score_loss(truth, p),
        "roc_auc": lambda: sk.roc_auc_score(truth, p),
    }
    assert run.metrics["test"][metric] == pytest.approx(wanted[metric](), rel=1e-5)


@pytest.mark.parametrize(
    ("data", "metric"),
    [
        ("iris", "mape"),
        ("iris", "neg_mean_absolute_error"),
        ("iris", sk.max_error),
        ("diabetes", "balanced_accuracy"),
        ("diabetes", "cohen_kappa"),
    ],
    ids=word,
)
def test_scikit_learns_metric_of_the_other_task_is_refused(data: str, metric: Any) -> None:
    assert refusal_of(tr.fit, data, metric=metric, epochs=2).rule == "metric_task"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "oracle"),
    [
        ("mape", sk.mean_absolute_percentage_error),
        ("pinball", sk.mean_pinball_loss),
        ("max_error", sk.max_error),
    ],
)
def test_a_metric_of_numbers_is_in_the_targets_unit(
    metric: str, oracle: Callable[..., float], tmp_path: Path
) -> None:
    run: Any = tr.fit("diabetes", metric=metric, epochs=2, parent=tmp_path)
    rows, values = run.data.test, run.preparation.values
    pair = (values(rows.y)[:, 0].numpy(), values(run.module(rows.x).detach())[:, 0].numpy())
    assert run.metrics["test"][metric] == pytest.approx(oracle(*pair), rel=1e-4)


def test_the_smallest_error_decides_and_the_largest_score() -> None:
    from treino.engine import METRICS

    for name in ("mape", "pinball", "max_error", "mean_absolute_error"):
        assert METRICS[name].better == -1, name
    for name in ("balanced_accuracy", "average_precision", "explained_variance", "neg_log_loss"):
        assert METRICS[name].better == 1, name


BAD_METRICS: list[tuple[Any, str]] = [
    ("balancd_accuracy", "metric_unknown"),
    (lambda y_true, y_pred: [1, 2], "own_metric_result"),
    (lambda y_true: 1.0, "own_metric_fails"),
    ("metric@12345678", "own_absent"),
]


@pytest.mark.parametrize(("metric", "rule"), BAD_METRICS, ids=word)
def test_a_bad_metric_is_refused(metric: Any, rule: str) -> None:
    assert refusal_of(tr.fit, "iris", metric=metric, epochs=2).rule == rule


# ---- names


@pytest.mark.parametrize("engine", ["batched", "module"])
def test_a_loss_of_several_targets_is_the_mean_of_each_targets(engine: str) -> None:
    """An own loss equal in formula to cross-entropy trains to the same weights."""
    how: dict[str, Any] = {"epochs": 4, "lr": 0.02, "dtype": torch.float64, "keep": "last", "engine": engine}
    frame = pd.DataFrame(X.numpy(), columns=[*"abcde"]).assign(y=Y.numpy().astype(str), z=X[:, 3].numpy() > 0)
    data = tr.load(frame, target="y,z", validation=0.0, test=0.0)
    own, usual = (
        tr.train(data, tr.mlp(8), loss=loss, **how)
        for loss in (lambda output, target: F.cross_entropy(output, target), "cross_entropy")
    )
    for loop in (own, usual):
        list(loop)
    pairs = zip(own.net().parameters(), usual.net().parameters(), strict=True)
    assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in pairs)


@pytest.mark.parametrize("name", ["Mish", "ELU", "Hardswish", "Softplus"])
def test_an_activation_of_torch_trains_as_torch_trains_it(name: str) -> None:
    """Its derivative is autograd's, alone and in company; the kernel ``module`` runs its own module."""
    how: dict[str, Any] = {"epochs": 4, "lr": 0.02, "dtype": torch.float64, "keep": "last", "data_seed": 0}
    layers = tr.mlp(8, 6, activation=name)
    together, *others = (
        tr.train((X, Y), layers, seeds=seeds, engine=engine, **how)
        for seeds, engine in (((3, 4, 5), "batched"), (4, "batched"), (4, "module"))
    )
    for loop in (together, *others):
        list(loop)
    state = together.net(1).state_dict()
    alone, module = (loop.net().state_dict() for loop in others)
    assert all(torch.equal(state[key], alone[key]) for key in state)
    assert all(torch.allclose(state[key], module[key], rtol=1e-9, atol=1e-12) for key in state)
    assert type(others[0].net()[1]).__name__ == name


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Softmax", "own_activation_form"),
        ("PReLU", "own_activation_form"),
        ("RReLU", "own_activation_form"),
        ("LSTM", "own_activation_fails"),
        ("Mishh", "activation_unknown"),
    ],
)
def test_a_module_that_is_no_function_of_each_number_is_no_activation(name: str, rule: str) -> None:
    assert refusal_of(tr.mlp, 8, activation=name).rule == rule
