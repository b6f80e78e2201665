"""The course of a loss, what a constant answer gets, and what the rules of settings make of it."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch.nn import functional

from examination import examined, examined_with_values
from treino_doctor.record.learning import ScheduleEnded
from treino_doctor.record.row_log import Evaluated
from treino_doctor.rules import notes
from treino_doctor.rules.course import optimizers, training
from treino_doctor.rules.figures import commonest, right, summary

START = """
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

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


SQUARES = """
target = x[:, :2] * 3
net = nn.Linear(8, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
20 STEPS: F.mse_loss(net(x), target, reduction="sum")
"""


def test_a_constant_s_loss_of_a_sum_of_squares(tmp_path):
    _findings, log, own = examined_with_values(START + SQUARES, tmp_path)
    best = float(own["target"].var(0, correction=0).sum() * 240)
    assert training(log).constant == pytest.approx(best, rel=1e-5)


def test_how_far_weights_went_is_known_of_nets_that_are_gone(tmp_path):
    _findings, log = examined(START + TRAIN + "train()\nimport gc\ngc.collect()", tmp_path)
    (steps,) = optimizers(log)
    assert 0 < steps.movement < 10
    assert steps.steps == 30


@pytest.mark.parametrize("setting", ["lr", "decay"])
def test_the_extremes_of_a_search_are_no_mistake(setting, tmp_path):
    values = "(1e-3, 0.1, 500.0)" if setting == "lr" else "(0.0, 0.1, 9.0)"
    assert rule_ids(f"for v in {values}:\n    train({setting}=v, steps=60)", tmp_path) == []
    alone = rule_ids(f"train({setting}={'500.0' if setting == 'lr' else '9.0'}, steps=60)", tmp_path)
    assert alone == ["lr_too_high" if setting == "lr" else "weight_decay_too_high"]


SEEDED = {
    "the same seed before each epoch": ("train(before=lambda: torch.manual_seed(3))", True),
    "another seed before each": (
        "seeds = iter(range(99))\ntrain(before=lambda: torch.manual_seed(next(seeds)))",
        False,
    ),
    "the same seed for each fold": ("for fold in range(4):\n    torch.manual_seed(3)\n    train()", False),
    "the same seed for figures": (
        "import numpy as np\nnet = nn.Linear(8, 2)\n"
        "def draw():\n    rng = np.random.default_rng(0)\n    with torch.no_grad():\n"
        "        net(x[rng.permutation(240)])\n"
        "train(after=draw)",
        False,
    ),
    "one order from a generator that is made anew": (
        "train(before=lambda: torch.randperm(240, generator=torch.Generator().manual_seed(1)))",
        True,
    ),
}


@pytest.mark.parametrize("case", list(SEEDED))
def test_seeds_that_are_set_again(case, tmp_path):
    source, wrong = SEEDED[case]
    assert rule_ids(source, tmp_path) == (["seed_reset_each_epoch"] if wrong else [])


SCHEDULES = """
net = nn.Linear(8, 3)
o = optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
schedule = lr_scheduler.{kind}
for step in range(30):
    STEP: F.cross_entropy(net(x), y)
    if {when}:
        schedule.step()
"""
SCHEDULED = {
    "OneCycleLR(o, 0.1, total_steps=30)": ("step % 10 == 9", True),
    "OneCycleLR(o, 0.1, total_steps=31)": ("True", False),
    "StepLR(o, 2, gamma=0.1)": ("True", True),
    "StepLR(o, 20, gamma=0.1)": ("True", False),
    "ExponentialLR(o, 0.99)": ("False", False),  # a note
    "CosineAnnealingLR(o, T_max=5)": ("True", True),
    "CosineAnnealingLR(o, T_max=30)": ("True", False),
    "CosineAnnealingWarmRestarts(o, T_0=5)": ("True", False),
    "LinearLR(o, total_iters=5)": ("True", False),
}


@pytest.mark.parametrize("kind", list(SCHEDULED))
def test_schedules_and_their_pace(kind, tmp_path):
    when, wrong = SCHEDULED[kind]
    findings, log = examined(START + SCHEDULES.format(kind=kind, when=when), tmp_path)
    assert [f.rule for f in findings] == (["scheduler_misuse"] if wrong else [])
    (schedule,) = log.of(ScheduleEnded)
    assert schedule.updates == 30
    assert schedule.calls == {"True": 30, "False": 0}.get(when, 3)


def test_a_schedule_that_another_one_leads_is_told_of_once(tmp_path):
    parts = "[lr_scheduler.LinearLR(o, total_iters=5), lr_scheduler.CosineAnnealingLR(o, T_max=25)]"
    kind = f"SequentialLR(o, {parts}, milestones=[5])"
    findings, log = examined(START + SCHEDULES.format(kind=kind, when="True"), tmp_path)
    assert findings == []
    schedules = [(s.kind, s.horizon, s.calls) for s in log.of(ScheduleEnded)]
    assert schedules == [("SequentialLR", 30, 30)]


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


TABLES = """
table = nn.Embedding(40, 6)
other = nn.Embedding(30, 6)
for t in (table, other):
    t.weight.data.{drawn}
optimizer = torch.optim.SGD([*table.parameters(), *other.parameters()], lr=1.0)
i, j = torch.randint(0, 40, (240,)), torch.randint(0, 30, (240,))
12 STEPS: F.mse_loss((table(i) * other(j)).sum(1), x[:, 0])
"""


def test_symmetry_is_that_of_columns_too_and_zeros_at_the_end_are_none(tmp_path):
    assert rule_ids(TABLES.format(drawn="fill_(0.1)"), tmp_path) == ["symmetric_init"]
    zeros = "net = train(steps=1)\nnn.init.zeros_(net[2].weight)\n" + TABLES.format(drawn="normal_()")
    assert rule_ids(zeros, tmp_path) == []


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
    "one row after all": """
    print((net(x).argmax(1) == labels).float().mean().item())
    print(bool(net(x[:1]).argmax(1) == labels[:1]))""",
}


@pytest.mark.parametrize(
    ("look", "labels"), [("a mean", "y"), *((look, "y[torch.randperm(240)]") for look in LOOKS)]
)
def test_the_newest_whole_evaluation_is_at_chance_or_is_not(look, labels, tmp_path):
    _findings, log, own = examined_with_values(
        START + TRAIN + LOOK.format(look=LOOKS[look], labels=labels), tmp_path
    )
    whole = [e for e in log.of(Evaluated) if e.rows == e.judged == 240]
    share = float((own["net"](own["x"]).argmax(1) == own["labels"]).float().mean())
    assert [right(e) for e in whole] == [pytest.approx(share)]
    assert commonest(whole[0]) == pytest.approx(float((own["y"].bincount() / 240).max()))
    told = [s for s in summary(log) if s.startswith("After")]
    assert bool(told) == (labels != "y")
    if told:
        assert told[0].startswith(f"After 80 of 80 steps, {share:.1%} of the 240 rows")


FEW = """
x, y = torch.randn(2000, 20), torch.randint(0, 40, (2000,))
net = nn.Linear(20, 40)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
for epoch in range(2):
    for rows in torch.randperm(2000).split({rows}):
        STEP: F.cross_entropy(net(x[rows]), y[rows])
"""


@pytest.mark.parametrize(("rows", "every"), [(4, False), (100, True)])
def test_a_constant_s_loss_is_printed_only_where_it_is_that_of_all_rows(rows, every, tmp_path):
    _findings, log, own = examined_with_values(START + FEW.format(rows=rows), tmp_path)
    shares = own["y"].bincount() / 2000
    course, constant = training(log), -float((shares * shares.log()).sum())
    assert course.whole == every
    assert course.constant == pytest.approx(constant, rel=1e-6 if every else 0.01)
    said = [s for s in summary(log) if s.startswith("One answer")]
    assert said == ([f"One answer for all rows would get {constant:.4g}."] if every else [])


EARLY = """
net = train(lr=0.5, steps=3)
with torch.no_grad():
    print((net(x).argmax(1) == y[torch.randperm(240)]).float().mean().item())
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
{steps} STEPS: F.cross_entropy(net(x), y)
"""


@pytest.mark.parametrize(("steps", "said"), [(1, True), (30, False)])
def test_an_evaluation_long_before_the_end_is_not_told(steps, said, tmp_path):
    _findings, log = examined(START + TRAIN + EARLY.format(steps=steps), tmp_path)
    assert any(s.startswith("After 3 of") for s in summary(log)) == said


SORTED = """
x, y = torch.randn(105, 8), torch.arange(3).repeat_interleave(35)
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
for epoch in range({epochs}):
    for rows in torch.arange(len(x)).split(32):
        STEP: F.cross_entropy(net(x[rows]), y[rows])
"""


@pytest.mark.parametrize(("epochs", "wrong"), [(12, True), (1, False)])
def test_sorted_batches_that_nothing_is_learned_of_are_found_once_they_come_again(epochs, wrong, tmp_path):
    ids = rule_ids(SORTED.format(epochs=epochs), tmp_path)
    assert ("unshuffled_sorted" in ids) == wrong


SCHEDULE = """
import torch

net = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
{made}
x = torch.randn(40, 3)
for step in range(30):
    STEP: (net(x) - x[:, :1]).pow(2).mean()
{stepped}
"""
MADE = "schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)"
HANDED = f"{MADE}\ndef later(one):\n    one.step()\nkept = {{'rate': schedule}}"
NOTE = "ExponentialLR was never stepped in this run: script.py, line {line}, was not reached{test}."


@pytest.mark.parametrize(
    ("made", "stepped", "line", "test"),
    [
        (MADE, "    if step > 50:\n        schedule.step()", 14, " (step > 50)"),
        (MADE, "    step > 50 and schedule.step()", 13, ""),
        (HANDED, "    if step < 0:\n        later(schedule)", 8, ""),
        (HANDED, "    while step < 0:\n        kept['rate'].step()", 8, ""),
        (MADE, "then = schedule.step if step > 50 else None", 13, " (step > 50)"),
    ],
)
def test_a_schedule_whose_step_was_not_reached_is_a_note(tmp_path, made, stepped, line, test):
    findings, log = examined(SCHEDULE.format(made=made, stepped=stepped), tmp_path)
    assert (findings, notes(log)) == ([], [NOTE.format(line=line, test=test)])


@pytest.mark.parametrize("stepped", ["", "    schedule.step", "    other = schedule.get_last_lr()"])
def test_a_schedule_that_nothing_steps_is_a_fault(tmp_path, stepped):
    findings, log = examined(SCHEDULE.format(made=MADE, stepped=stepped), tmp_path)
    assert [f.rule for f in findings] == ["scheduler_misuse"]
    assert "was never stepped" in findings[0].message
    assert notes(log) == []
