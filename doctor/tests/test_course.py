"""The course of a loss, what a constant answer gets, and what the rules of settings make of it."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch.nn import functional

from examination import examined, examined_with_values
from treino_doctor.output.coverage import commonest, evaluation, right, summary
from treino_doctor.record.outcomes import ScheduleEnded
from treino_doctor.record.row_log import Evaluated
from treino_doctor.rules import notes
from treino_doctor.rules.course import training

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


@pytest.mark.parametrize("setting", ["lr", "decay"])
def test_the_extremes_of_a_search_are_no_mistake(setting, tmp_path):
    values = "(1e-3, 0.1, 500.0)" if setting == "lr" else "(0.0, 0.1, 9.0)"
    assert rule_ids(f"for v in {values}:\n    train({setting}=v, steps=60)", tmp_path) == []
    alone = rule_ids(f"train({setting}={'500.0' if setting == 'lr' else '9.0'}, steps=60)", tmp_path)
    assert alone == ["lr_too_high" if setting == "lr" else "weight_decay_too_high"]


SEEDED = {
    "the same seed before each epoch": ("train(before=lambda: torch.manual_seed(3))", True),
    "other seeds": ("seeds = iter(range(99))\ntrain(before=lambda: torch.manual_seed(next(seeds)))", False),
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


SCHEDULE = """
import torch

net = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
{made}
for step in range(30):
    x = torch.randn(40, 3)
    STEP: (net(x) - x[:, :1]).pow(2).mean()
{stepped}
"""
MADE = "schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)"
HANDED = f"{MADE}\ndef later(one):\n    one.step()\nkept = {{'rate': schedule}}"
NOTE = "ExponentialLR was never stepped in this run; not reached: script.py, line {line}{test}."


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
