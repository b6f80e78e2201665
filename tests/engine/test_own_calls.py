"""What is the user's own gets copies, leaves the process as it was, and is repeatable; else it is refused."""

import math
import os
import random
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from tests.conftest import refusal_of
from torch import Tensor, nn

import treino as tr
from treino.base.own_objects import keep
from treino.engine.metrics import METRICS

X, Y = load_wine(return_X_y=True)
ROWS = torch.tensor(X).float(), torch.tensor(Y)
QUICK: dict[str, Any] = {"epochs": 2, "seed": 3}
WRITES: dict[str, Callable[[Any], object]] = {
    "fill": lambda a: a.__setitem__(slice(None), 1),
    "merge": lambda a: a.__setitem__(a == 2, 1),
    "double": lambda a: a.__imul__(1.5) if a.dtype.is_floating_point else a.clamp_(0, 1),
    "order": lambda a: a.__setitem__(slice(None), a[list(range(len(a) - 1, -1, -1))]),
}


def leave(first: Any, second: Any) -> None:
    """Leave everything otherwise than it was."""
    os.chdir("/")
    torch.rand(3), np.random.rand(3), random.random()
    torch.set_default_dtype(torch.float64)


RAISES = [SystemExit, GeneratorExit, StopIteration, type("Own", (BaseException,), {}), KeyError]


def process() -> list[object]:
    """What a function could leave otherwise."""
    chance = torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate()
    return [os.getcwd(), *chance, torch.get_default_dtype(), torch.is_grad_enabled()]


def loss_that(act: Callable[..., object]) -> Any:
    def loss(output: Tensor, target: Tensor) -> Tensor:
        act(output, target)
        return F.cross_entropy(output, target)

    return loss


def metric_that(act: Callable[..., object]) -> Any:
    def metric(truth: Any, prediction: Any) -> float:
        act(torch.from_numpy(truth), torch.from_numpy(prediction))
        return float((truth == prediction).mean())

    return metric


def net_that(act: Callable[..., object]) -> Any:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(13, 3)

        def forward(self, x: Tensor) -> Tensor:
            act(x, x)
            output: Tensor = self.layer(x)
            return output

    return Net


def optimizer_that(act: Callable[..., object]) -> Any:
    class Own(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            super().step(closure)
            act(torch.zeros(3), torch.zeros(3))

    return partial(Own, lr=0.1)


def schedule_that(act: Callable[..., object]) -> Any:
    def schedule(step: int, steps: int) -> float:
        act(np.zeros(3), np.zeros(3))
        return 1 - step / steps

    return schedule


KINDS: dict[str, Callable[..., Any]] = {
    "loss": loss_that,
    "metric": metric_that,
    "net": net_that,
    "optimizer": optimizer_that,
    "schedule": schedule_that,
}


def figures(run: Any) -> Any:
    return run.metrics, [p.tolist() for p in run.module.parameters()], [*run.losses]


def fitted(kind: str, act: Callable[..., object], folder: Path, **settings: Any) -> Any:
    return tr.fit((X, Y), parent=folder, **{**QUICK, kind: KINDS[kind](act), **settings})


class Copying(nn.Module):
    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net()

    def forward(self, x: Tensor) -> Any:
        return self.net(x.clone())


WRITING = [("loss", "merge"), ("metric", "fill"), ("net", "double")]
FURTHER = [pair for pair in product(["loss", "metric", "net"], WRITES) if pair not in WRITING]


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize(
    ("kind", "write"), [*WRITING, *(pytest.param(*pair, marks=pytest.mark.release) for pair in FURTHER)]
)
def test_a_function_that_writes_into_its_arguments_is_as_one_that_writes_into_copies(
    kind: str, write: str, sides: int, tmp_path: Path
) -> None:
    def act(*arguments: Any) -> None:
        for each in arguments[:sides]:
            WRITES[write](each)

    wrote, function = fitted(kind, act, tmp_path), KINDS[kind](act)
    copies: dict[str, Any] = {
        "loss": lambda output, target: function(output.clone(), target.clone()),
        "metric": lambda truth, prediction: function(truth.copy(), prediction.copy()),
        "net": partial(Copying, function),
    }
    plain: Any = tr.fit((X, Y), parent=tmp_path, **{**QUICK, kind: copies[kind]})
    assert [*wrote.losses] == [*plain.losses]
    assert [p.tolist() for p in wrote.module.parameters()] == [p.tolist() for p in plain.module.parameters()]
    assert [[*m.values()] for m in wrote.metrics.values()] == [[*m.values()] for m in plain.metrics.values()]
    assert wrote.predict(X[:5]).tolist() == plain.predict(X[:5]).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_the_process_is_as_before_and_the_run_repeatable(kind: str, tmp_path: Path) -> None:
    before = process()
    run = fitted(kind, leave, tmp_path, keep="last")
    run.predict(X[:3])
    assert process() == before
    torch.manual_seed(7)
    np.random.seed(7)
    again = fitted(kind, leave, tmp_path, keep="last")
    assert [*again.losses] == [*run.losses]
    assert again.metrics == run.metrics


@pytest.mark.parametrize("raised", RAISES)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_it_raises_is_refused_in_words(
    kind: str, raised: type[BaseException], tmp_path: Path
) -> None:
    def act(first: Any, second: Any) -> None:
        raise raised("of mine")

    refusal = refusal_of(fitted, kind, act, tmp_path)
    assert raised.__name__ in refusal.message
    assert not [*tmp_path.iterdir()]


def test_ctrl_c_passes(tmp_path: Path) -> None:
    def act(first: Any, second: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted("loss", act, tmp_path)


def counted(period: int) -> Any:
    calls = [0]

    def loss(output: Tensor, target: Tensor) -> Tensor:
        calls[0] += 1
        return F.cross_entropy(output, target) * (2 if calls[0] % period == 0 else 1)

    return loss


def counted_metric(period: int) -> Any:
    calls = {"n": 0}

    def metric(truth: Any, prediction: Any) -> float:
        calls["n"] += 1
        return float((truth == prediction).mean()) + (1.0 if calls["n"] % period == 0 else 0.0)

    return metric


@pytest.mark.parametrize("period", [2, 5, 60])
def test_what_depends_on_earlier_calls_is_refused(period: int, tmp_path: Path) -> None:
    assert refusal_of(tr.fit, (X, Y), loss=counted(period), parent=tmp_path).rule == "own_chance"
    assert refusal_of(tr.fit, (X, Y), metric=counted_metric(period), parent=tmp_path).rule == "own_chance"


def test_a_count_that_nothing_depends_on_is_harmless(tmp_path: Path) -> None:
    seen: list[Any] = []
    run = fitted("loss", lambda output, target: seen.append(output.shape), tmp_path)
    assert seen
    assert figures(run) == figures(fitted("loss", lambda output, target: None, tmp_path))


class Scaled(nn.Module):
    def __init__(self, learns: bool = True) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1), requires_grad=learns)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output * self.scale, target)


WEIGHT = torch.ones(3, requires_grad=True)


@pytest.mark.parametrize(
    "loss",
    [Scaled, Scaled(), partial(Scaled()), lambda o, t: F.cross_entropy(o * WEIGHT, t), Scaled().forward],
)
def test_parameters_of_a_loss_are_refused(loss: Any, tmp_path: Path) -> None:
    assert refusal_of(tr.fit, (X, Y), loss=loss, parent=tmp_path).rule == "own_loss_parameters"
    tr.fit((X, Y), loss=Scaled(learns=False), parent=tmp_path, **QUICK)


def half(output: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(output, target, reduction="none").half()


def test_a_loss_in_half_precision_is_measured_as_it_is(tmp_path: Path) -> None:
    run: Any = tr.fit((X, Y), loss=half, parent=tmp_path, **QUICK)
    rows = run.data.test
    with torch.no_grad():
        wanted = half(run.module(rows.x).double(), rows.y).double().mean()
    assert run.metrics["test"]["loss"] == pytest.approx(float(wanted), abs=1e-9)


# ---- optimizers whose state is somewhere


class Attribute(torch.optim.SGD):
    """Its rate follows a count in an attribute."""

    def __init__(self, parameters: Any, lr: float = 0.1) -> None:
        super().__init__(parameters, lr=lr)
        self.count = 0

    def step(self, closure: Any = None) -> Any:
        self.count += 1
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(p.grad, alpha=self.factor(group["lr"]))

    def factor(self, lr: float) -> float:
        return lr / self.count


class Period(Attribute):
    def factor(self, lr: float) -> float:
        return lr * (2 if self.count % 25 == 0 else 1)


class Stored(Attribute):
    """It keeps something in the state of each parameter. kept: as what."""

    kept: Any = staticmethod(lambda count: [count])

    def factor(self, lr: float) -> float:
        for group in self.param_groups:
            for p in group["params"]:
                before = self.state[p].get("past")
                self.state[p]["past"] = self.kept(self.count if before is None else self.number(before) + 1)
        return float(lr / self.number(self.state[self.param_groups[0]["params"][0]]["past"]))

    number: Any = staticmethod(lambda kept: int(kept[0]))


class Text(Stored):
    kept = staticmethod(str)
    number = staticmethod(int)


class Late(Attribute):
    """A tensor appears in its state in the fourth update."""

    def factor(self, lr: float) -> float:
        if self.count == 4:
            self.state[self.param_groups[0]["params"][0]]["slow"] = torch.ones(3)
        return lr


class Harmless(Attribute):
    """Nothing depends on its count."""

    def factor(self, lr: float) -> float:
        return lr


class OwnChance(Attribute):
    def factor(self, lr: float) -> float:
        self.drawn = getattr(self, "drawn", np.random.default_rng(0))
        return lr * float(self.drawn.random())


class GlobalChance(Attribute):
    def factor(self, lr: float) -> float:
        return lr * float(torch.rand(())) * np.random.rand() * random.random()


def counting_module(net: nn.Module) -> torch.optim.Optimizer:
    """Its count is the network's."""

    class Own(Attribute):
        def factor(self, lr: float) -> float:
            net.count = getattr(net, "count", 0) + 1  # type: ignore
            return lr / net.count  # type: ignore

    return Own(net.parameters())


UNSAVED = [Attribute, Period, Stored, Text, Late, OwnChance, counting_module]


@pytest.mark.parametrize("optimizer", UNSAVED)
def test_a_state_that_is_not_saved_is_refused_before_training(optimizer: Any) -> None:
    assert refusal_of(tr.train, ROWS, tr.mlp(4), optimizer=optimizer).rule == "own_optimizer_state"


def first_group(**values: Any) -> Any:
    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        first, *rest = net.parameters()
        return torch.optim.AdamW([{"params": [first], **values}, {"params": rest}], lr=0.1)

    return optimizer


@pytest.mark.parametrize(
    "optimizer", [Harmless, GlobalChance, "NAdam", "Rprop", "Adafactor", first_group(lr=0.01)]
)
def test_what_is_accepted_goes_on_bit_for_bit(optimizer: Any) -> None:
    make = lambda: tr.train(ROWS, tr.mlp(4), optimizer=optimizer, steps=30, batch_size=50)  # noqa: E731
    whole, half, again = make(), make(), make()
    list(whole)
    np.random.rand(), torch.rand(1)
    while half.step < 13:
        half.advance(13 - half.step)
    again.load(*half.save())
    list(again)
    pairs = zip(whole.net(0).parameters(), again.net(0).parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("values", [{"lr": 0.0}, {"lr": math.inf}, {"weight_decay": 1e9}, {"eps": 0.0}])
@pytest.mark.parametrize("typed", [{}, {"lr": 0.05}])
def test_a_first_group_whose_values_no_setting_can_have_is_refused(values: Any, typed: Any) -> None:
    refusal = refusal_of(tr.train, ROWS, tr.mlp(4), optimizer=first_group(**values), **typed)
    assert refusal.rule == "own_optimizer_default"
    assert all(name in refusal.message for name in values)


# ---- metrics: which way is better


def mean_distance(truth: Any, prediction: Any) -> float:
    return float(abs(truth - prediction).mean())


def agreement(truth: Any, prediction: Any) -> float:
    return float((truth == prediction).mean())


def sure_error(truth: Any, y_score: Any) -> float:
    """Larger is better, whatever its name ends in."""
    return float(1 - abs(truth - y_score).mean())


def spread(truth: Any, prediction: Any) -> float:
    """Right answers and the mean get the same: it looks at the truth alone."""
    return float(truth.std())


def spread_loss(truth: Any, prediction: Any) -> float:
    return float(truth.std())


def declared(metric: Any, larger: bool) -> Any:
    said = lambda truth, prediction: metric(truth, prediction)  # noqa: E731
    said.greater_is_better = larger  # type: ignore[attr-defined]
    return said


DIRECTIONS = [
    (mean_distance, -1, "right answers got 0"),
    (partial(mean_distance), -1, "right answers got 0"),
    (agreement, 1, "right answers got 1"),
    (sure_error, 1, "right answers got 1"),
    (spread, 1, "by its name alone"),
    (spread_loss, -1, "by its name alone"),
    (declared(agreement, True), 1, "as its attribute greater_is_better says."),
    (declared(spread, False), -1, "as its attribute greater_is_better says."),
    (declared(mean_distance, True), 1, "says, but right answers got"),
    (declared(agreement, False), -1, "says, but right answers got"),
]


@pytest.mark.parametrize(("metric", "better", "why"), DIRECTIONS)
def test_which_way_is_better_is_tried_declared_or_guessed_aloud(metric: Any, better: int, why: str) -> None:
    found = METRICS[keep(metric)]
    assert found.better == better
    assert why in found.of.reason  # type: ignore[union-attr]


def test_a_distance_keeps_the_best_epoch_and_says_so(tmp_path: Path) -> None:
    run: Any = tr.fit("diabetes", metric=mean_distance, epochs=8, parent=tmp_path)
    same_figure: Any = tr.fit("diabetes", metric="mae", epochs=8, parent=tmp_path)
    assert run.document["kept_epoch"] == same_figure.document["kept_epoch"]
    assert any("the smallest value is the best" in reason for reason in run.document["reasons"])
    assert not any("worse than one answer for all rows" in note for note in run.document["notes"])


def far(truth: Any, prediction: Any) -> float:
    """The share of large errors. In a trial of small numbers there are none."""
    return float((abs(truth - prediction) > 90).mean())


@pytest.mark.parametrize(
    ("metric", "data"), [(declared(mean_distance, True), "diabetes"), (far, "diabetes"),
                         (declared(agreement, False), "wine")]
)  # fmt: skip
def test_a_run_doubts_a_direction_by_which_it_is_worse_than_a_constant(
    tmp_path: Path, metric: Any, data: str
) -> None:
    run: Any = tr.fit(data, metric=metric, keep="last", epochs=8, parent=tmp_path)
    name = run.document["settings"]["metric"]
    (note,) = (note for note in run.document["notes"] if "worse than one answer for all rows" in note)
    assert name in note
    assert f"({run.metrics['test'][name]:.4g})" in note


# ---- every door


def zero(truth: Any, prediction: Any) -> float:
    value = float((truth == prediction).mean())
    truth[:] = prediction
    return value


def writes(output: Tensor, target: Tensor) -> Tensor:
    value = F.cross_entropy(output, target.clone())
    target[:] = 0
    return value


def plain(output: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(output, target)


@pytest.mark.slow
def test_writing_changes_nothing_in_a_sweep_and_an_estimator(tmp_path: Path) -> None:
    many: dict[str, Any] = {"parent": tmp_path, "fresh": 0, "epochs": 2, "members": 2}
    rates = []
    for loss in (writes, plain):
        swept: Any = tr.sweep((X, Y), {"loss": [loss], "lr": [0.01, 0.1]}, **many)
        model: Any = tr.Classifier(loss=loss, metric=zero, epochs=2).fit(X, Y)
        rates.append(([*swept.frame["best"]], model.predict_proba(X).tolist()))
    assert rates[0] == rates[1]
