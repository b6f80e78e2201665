"""The course of a loss, what a constant answer gets, and what the rules of settings make of it."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch.nn import functional

from examination import examined, examined_with_values
from treino_doctor.output.coverage import commonest, evaluation, is_beaten, right, summary
from treino_doctor.record.row_log import Evaluated
from treino_doctor.rules.course import Training, training, trainings

START = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.randn(240, 8)
y = (x[:, 0] * 2 + x[:, 1] > 1.5).long() + (x[:, 2] > 0.5).long()
"""
TRAIN = """
def train(lr=0.1, steps=30, weight=None, before=lambda: None, after=lambda: None, decay=0.0):
    net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, weight_decay=decay)
    for step in range(steps):
        before()
        rows = torch.randperm(240)
        STEP: F.cross_entropy(net(x[rows]), y[rows], weight=weight)
        after()
    return net
"""


def rule_ids(source, tmp_path):
    """The rules of a script's findings."""
    findings, _log = examined(START + TRAIN + source, tmp_path)
    return [f.rule for f in findings]


def test_a_constant_s_loss_is_that_of_the_classes_shares(tmp_path):
    _findings, log, own = examined_with_values(START + TRAIN + "train()", tmp_path)
    course, y = training(log), own["y"].numpy()
    shares = np.bincount(y) / len(y)
    assert course.constant == pytest.approx(log_loss(y, np.tile(shares, (len(y), 1))), rel=1e-6)
    assert len(course.values) == 30


def test_a_constant_s_loss_is_that_of_weighted_classes(tmp_path):
    weights = torch.tensor([1.0, 3.0, 0.5])
    source = START + TRAIN + "train(weight=torch.tensor([1.0, 3.0, 0.5]))"
    _findings, log, own = examined_with_values(source, tmp_path)
    answer = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.LBFGS([answer], max_iter=100)

    def closure():
        optimizer.zero_grad()
        loss = functional.cross_entropy(answer.expand(240, 3), own["y"], weight=weights)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert training(log).constant == pytest.approx(float(closure().detach()), rel=1e-4)


@pytest.mark.parametrize("setting", ["lr", "decay"])
def test_the_extremes_of_a_search_are_no_mistake(setting, tmp_path):
    values = "(1e-3, 0.1, 500.0)" if setting == "lr" else "(0.0, 0.1, 9.0)"
    assert rule_ids(f"for v in {values}:\n    train({setting}=v, steps=60)", tmp_path) == []
    alone = rule_ids(f"train({setting}={'500.0' if setting == 'lr' else '9.0'}, steps=60)", tmp_path)
    assert alone == ["lr_too_high" if setting == "lr" else "weight_decay_too_high"]


SKIPPED = """
net = nn.Linear(8, 3)
o = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    o.zero_grad()
    loss = F.cross_entropy(net(x), y) * (float("inf") if step == 7 else 1.0)
    loss.backward()
    if {steps}:
        o.step()
"""


@pytest.mark.parametrize(("steps", "rules"), [("torch.isfinite(loss)", []), ("True", ["non_finite_loss"])])
def test_a_step_that_a_scaler_skips_is_no_loss_that_is_lost(steps, rules, tmp_path):
    assert rule_ids(SKIPPED.format(steps=steps), tmp_path) == rules


LOOK = """
from torch.utils.data import DataLoader, TensorDataset
net = train(lr=0.5, steps=80)
labels = {labels}
net.eval()
with torch.no_grad():
    {look}
"""
BATCHES = """loader = DataLoader(TensorDataset(x, labels), batch_size=32)
    right = 0
    for rows, truth in loader:
        right += (net(rows).argmax(1) == truth).sum().item()
    print(right / 240)"""
LOOKS = {
    "a mean": "print((net(x).argmax(1) == labels).float().mean().item())",
    "a count that is divided by the rows": "print(((net(x).argmax(1) == labels).sum() / 240).item())",
    "counts of batches": BATCHES,
    "a count of the last batch": BATCHES.replace("+=", "="),
    "answers that are joined": """
    answers = torch.cat([net(part).argmax(1) for part in x.split(50)])
    print((answers == labels).sum().item() / 240)""",
}


@pytest.mark.parametrize(
    ("look", "labels"), [("a mean", "y"), *((look, "y[torch.randperm(240)]") for look in LOOKS)]
)
def test_the_newest_whole_evaluation_is_at_chance_or_is_not(look, labels, tmp_path):
    source = START + TRAIN + LOOK.format(look=LOOKS[look], labels=labels)
    _findings, log, own = examined_with_values(source, tmp_path)
    whole = [e for e in log.of(Evaluated) if e.whole and e.rows == e.judged == 240]
    share = float((own["net"](own["x"]).argmax(1) == own["labels"]).float().mean())
    assert [right(e) for e in whole] == [pytest.approx(share)]
    assert commonest(whole[0]) == pytest.approx(float((own["y"].bincount() / 240).max()))
    told = [s for s in summary(log) if s.startswith("After")]
    assert bool(told) == (labels != "y")
    if told:
        assert told[0].startswith(f"After 80 of 80 steps, {100 * share:.1f} % of the 240 rows")


def test_the_best_of_each_column_says_of_no_row_that_it_is_right(tmp_path):
    look = BATCHES.replace("argmax(1)", "argmax(0)").replace("32", "3")
    _findings, log = examined(START + TRAIN + LOOK.format(look=look, labels="y"), tmp_path)
    assert evaluation(log) is None


SEVERAL = """
for first, more in ((80, 0), (1, 79)):
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    for steps in (first, more):
        for _ in range(steps):
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
        if steps == first:
            with torch.no_grad():
                print((net(x).argmax(1) == y).float().mean().item())
"""


def test_a_look_at_the_last_of_several_nets_is_late_only_by_its_own_steps(tmp_path):
    _findings, log = examined(START + "y = (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()" + SEVERAL, tmp_path)
    first, early = (e for e in log.of(Evaluated) if e.whole)
    assert (first.step, early.step) == (80, 81)
    assert evaluation(log) is first


HEART = """
net = nn.Sequential(nn.Linear(8, 200), nn.ReLU(), nn.Linear(200, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
{labels}
loss_of = {loss}
for epoch in range({epochs}):
    for rows in torch.arange(80).split(20):
        STEP: loss_of(net(x[rows]), y[rows])
    with torch.no_grad():
        print(loss_of(net(x[80:]), y[80:]).item())
"""
DRAWN, NUMBERS = "y = y[torch.randperm(240)]", "lambda said, true: F.mse_loss(said[:, 0], true.float())"


@pytest.mark.parametrize(
    ("labels", "epochs", "loss", "told"),
    [
        (DRAWN, 40, "F.cross_entropy", "of the newest training rows were right, and"),
        (DRAWN, 40, NUMBERS, "on the 160 new rows judged at"),
        (DRAWN, 2, "F.cross_entropy", ""),
        ("", 4, "F.cross_entropy", ""),
        ("", 40, NUMBERS, ""),
    ],
)
def test_a_net_that_knows_its_rows_by_heart(labels, epochs, loss, told, tmp_path):
    _findings, log = examined(START + HEART.format(labels=labels, epochs=epochs, loss=loss), tmp_path)
    said = [s for s in summary(log) if "new rows" in s]
    assert len(said) == bool(told)
    assert all(told in s for s in said)


@pytest.mark.parametrize(("constant", "beaten"), [(0.4, True), (7.6e-7, False)])
def test_targets_that_hardly_differ_are_not_compared_with_one_answer(constant, beaten):
    course = Training(None, (1.0,) * 40, constant, (), frozenset())
    assert is_beaten(course) is beaten


LOADED = """
from torch.utils.data import DataLoader, TensorDataset
y = torch.arange(240) % 5 // 3
batches = DataLoader(TensorDataset(x, y), batch_size=24, shuffle=True)
for rate in (0.05, 0.02, 0.01):
    net = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    for epoch in range(12):
        for rows, classes in batches:
            STEP: F.cross_entropy(net(rows), classes)
"""


def test_each_of_several_trainings_by_one_loader_is_compared_with_one_answer(tmp_path):
    _findings, log, own = examined_with_values(START + LOADED, tmp_path)
    shares = np.bincount(own["y"]) / 240
    constant = log_loss(own["y"], np.tile(shares, (240, 1)))
    assert [t.constant for t in trainings(log)] == pytest.approx([constant] * 3, rel=1e-6)
    assert all(map(is_beaten, trainings(log)))


RARE = """
net = nn.Sequential(nn.Linear(8, 3), nn.Linear(3, 8))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
40 STEPS: {loss}
with torch.no_grad():
    far = (net(x[180:]) - x[180:]).pow(2).mean(1)
    print(((far > 100).long() == (y[180:] > 1).long()).float().mean().item())
"""


@pytest.mark.parametrize(
    ("loss", "classes"),
    [
        ("F.mse_loss(net(x[:180]), x[:180])", False),
        ("((net(x[:180]) - x[:180]) ** 2).mean()", False),
        ("F.cross_entropy(net(x[:180]), y[:180])", True),
    ],
)
def test_what_an_autoencoder_is_far_from_is_no_answer_of_a_class(tmp_path, loss, classes):
    _findings, log = examined(START + RARE.format(loss=loss), tmp_path)
    assert (evaluation(log) is not None) == classes
    assert any("commonest class" in sentence for sentence in summary(log)) == classes
