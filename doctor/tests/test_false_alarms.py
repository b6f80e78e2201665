"""Right scripts of other hands that a rule once accused, each beside one that has the fault."""

import numpy as np
import pytest

from examination import examined, examined_with_values
from treino_doctor.record.log import Course
from treino_doctor.record.scalers import scaled_together
from treino_doctor.record.tables import Columns
from treino_doctor.rules import notes
from treino_doctor.rules.course import trainings
from treino_doctor.rules.rule import PRELUDE

SUM = """
x_sum, y_sum = torch.randn(400, 20), torch.randn(400)
net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 1))
y_sum = 5 + x_sum[:, 0] + 2 * torch.randn(400)
optimizer = torch.optim.SGD(net.parameters(), lr={lr})
for epoch in range(2):
    for rows in torch.arange(400).split(20):
        STEP: F.mse_loss(net(x_sum[rows])[:, 0], y_sum[rows], reduction="sum")
"""
SORTED = """
order = x[:, 0].argsort()
rows, target = x[order], 30 + {spread} * x[order][:, :1]
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr={lr})
for epoch in range(6):
    for some in torch.arange(240).split(12):
        STEP: F.mse_loss(net(rows[some]), target[some])
"""
SHORTENED = """
pictures, kinds = torch.rand(96, 784), torch.arange(96) % 10
net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
optimizer = torch.optim.SGD(net.parameters(), lr={lr})
for epoch in range(10):
    for some in torch.randperm(96).split(32):
        STEP: F.cross_entropy(net(pictures[some]), kinds[some])
"""
BYTES = """
from torch.utils.data import DataLoader, TensorDataset
photos, kinds = torch.randint(0, 250, (300, 3, 8, 8)), torch.arange(300) % 3
photos[250, 0, 0], photos[0, 0, 0, 0] = 255, 0
photos = photos.float() {change}
photos = (photos - photos.min()) / (photos.max() - photos.min()) if {scale} else photos / 255
learned, asked = TensorDataset(photos[:200], kinds[:200]), TensorDataset(photos[200:], kinds[200:])
net = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(3):
    for some, kind in DataLoader(learned, batch_size=50, shuffle=True):
        STEP: F.cross_entropy(net(some), kind)
with torch.no_grad():
    print(sum((net(some).argmax(1) == kind).sum().item() for some, kind in DataLoader(asked, batch_size=50)))
"""
PART = """
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
40 STEPS: F.cross_entropy(net(x){judged}, y{judged})
{rows}, {truth} = x[:100], y[:100]
with torch.no_grad():
    print((net({rows}).argmax(1) == {truth}).float().mean().item())
"""
BOOTSTRAPPED = """
import copy
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
older, optimizer = copy.deepcopy(net), torch.optim.Adam(net.parameters(), lr=0.3)
for step in range(120):
    with torch.no_grad():
        target = 9 * x[:, :1].abs() + 2 * older(x)
    STEP: {loss}
    if step % 20 == 19:
        older.load_state_dict(net.state_dict())
"""
KEPT = """
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
losses = []
for epoch in range(6):
    for some in torch.arange(240).split(20):
        STEP: F.cross_entropy(net(x[some]), y[some])
        losses.append(loss)
    {after}
"""
TURNS = """
maker, judge = nn.Linear(4, 8), nn.Linear(8, 1)
first, second = torch.optim.Adam(maker.parameters(), 1e-3), torch.optim.Adam(judge.parameters(), 1e-3)
losses = [[], []]
for step in range(150):
    loss = F.softplus(judge(maker(torch.randn(24, 4)).detach())).mean() + 2
    second.zero_grad(); loss.backward()
    losses[0].append(loss.item()); second.step()
    loss = F.softplus(-judge(maker(torch.randn(24, 4)))).mean()
    first.zero_grad(); loss.backward()
    losses[1].append(loss.item()); first.step()
"""


def rules_of(source, tmp_path):
    """The rules of a script's findings."""
    findings, _log = examined(PRELUDE + source, tmp_path)
    return {f.rule for f in findings}


@pytest.mark.parametrize("lr", [2e-3, 2e-5])
def test_a_sum_over_rows_is_no_fault(lr, tmp_path):
    assert rules_of(SUM.format(lr=lr), tmp_path) == set()


@pytest.mark.parametrize(("lr", "wrong"), [(0.01, False), (0.8, True)])
@pytest.mark.parametrize("spread", [1, 10])
def test_a_rate_is_too_high_by_all_rows_and_not_by_those_of_a_batch(lr, wrong, spread, tmp_path):
    told = rules_of(SORTED.format(lr=lr, spread=spread), tmp_path)
    assert told - {"non_finite_loss"} == ({"lr_too_high"} if wrong else set())


@pytest.mark.parametrize(("lr", "wrong"), [(1e-3, False), (1e-7, True)])
def test_a_rate_is_too_low_only_where_more_epochs_would_not_help(lr, wrong, tmp_path):
    assert rules_of(SHORTENED.format(lr=lr), tmp_path) == ({"lr_too_low"} if wrong else set())


@pytest.mark.parametrize(
    "loss",
    [
        "F.smooth_l1_loss(net(x), target)",
        "F.smooth_l1_loss(net(x), torch.tensor(target.numpy()))",
        "(net(x) - target).abs().mean()",
    ],
)
def test_targets_that_a_net_makes_have_no_constant_to_beat(loss, tmp_path):
    assert rules_of(BOOTSTRAPPED.format(loss=loss), tmp_path) == set()


@pytest.mark.parametrize(("after", "wrong"), [("losses.clear()", False), ("losses = []", False), ("", True)])
def test_losses_are_kept_where_no_epoch_lets_them_go(after, wrong, tmp_path):
    assert rules_of(KEPT.format(after=after), tmp_path) == ({"graph_kept_alive"} if wrong else set())


@pytest.mark.parametrize(("scale", "wrong"), [(False, False), (True, True)])
def test_bytes_divided_by_255_are_no_fit(scale, wrong, tmp_path):
    change = "+ 7 * torch.rand(300, 3, 8, 8)" if scale else ""
    told = rules_of(BYTES.format(scale=scale, change=change), tmp_path)
    assert ("scaler_leakage" in told) == wrong


def test_rows_of_training_are_a_test_only_where_they_are_called_so(tmp_path):
    told, log = examined(PRELUDE + PART.format(rows="first", truth="known", judged=""), tmp_path)
    assert (told, len(notes(log))) == ([], 1)
    assert notes(log)[0].startswith("The 100 rows evaluated at script.py, line ")
    for judged, rules in (("", ["test_in_train"]), ("[100:]", [])):  # as of the nodes of a graph
        told, log = examined(PRELUDE + PART.format(rows="x_test", truth="y_test", judged=judged), tmp_path)
        assert ([f.rule for f in told], notes(log)) == (rules, [])


def test_losses_of_two_lines_that_take_turns_stay_apart(tmp_path):
    _findings, log, own = examined_with_values(PRELUDE + TURNS, tmp_path)
    assert [list(c.values) for c in log.of(Course)] == own["losses"]


def test_numbers_from_0_to_1_by_nature_are_not_scaled_and_windows_of_a_series_are():
    draw = np.random.RandomState(0)
    table = (0.05 + 0.9 * draw.rand(300, 12) * np.linspace(0.3, 1, 12)).astype(np.float32)
    table[250, 0], table[299, 11] = 0, 1
    series = draw.rand(400).astype(np.float32) * 0.9 + 0.05
    series[300], series[350] = 0, 1
    windows = np.stack([series[i : i + 40] for i in range(360)])
    for rows, kind in ((table, "range"), (windows, "minmax")):
        train, every = Columns(), Columns()
        train.add(rows[:200])
        every.add(rows)
        assert scaled_together(train, every, rows[:200]) == kind


FOLDS = """
losses = []
def train(steps):
    net = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    losses.append([])
    for step in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward(); losses[-1].append(loss.item()); optimizer.step()
for steps in {steps}: train(steps)
"""


@pytest.mark.parametrize("steps", [(70, 60), (70, 90), (70, 60, 70, 65, 70, 75, 80, 90)])
def test_trainings_of_one_line_are_apart(steps, tmp_path):
    _findings, log, own = examined_with_values(PRELUDE + FOLDS.format(steps=steps), tmp_path)
    assert [list(c.values) for c in log.of(Course)] == own["losses"]
    assert sum(len(t.calls) > 0 for t in trainings(log)) > 1


DRAWN = """
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(1, 121):
    some = torch.{draw}
    STEP: F.cross_entropy(net(x[some]), y[some])
    if step % {every} == 0: print(f"{{loss.item():.4f}}")
"""


@pytest.mark.parametrize(("draw", "every"), [("randperm(240)[:16]", 14), ("arange(step % 15, 240, 15)", 15)])
def test_batches_that_are_drawn_one_by_one_have_no_epochs(draw, every, tmp_path):
    _findings, log = examined(PRELUDE + DRAWN.format(draw=draw, every=every), tmp_path)
    assert any(note.startswith("The figure printed") for note in notes(log)) == (every == 15)


TRACED = """
net = nn.Sequential(nn.Sequential(nn.Linear(8, 4), nn.ReLU()), nn.Linear(4, 3))
graph = [node.kind() for node in torch.jit.trace(net, x[:5]).inlined_graph.nodes()]
"""


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
def test_a_tracer_sees_nothing_of_the_doctor(tmp_path):
    plain = {}
    exec(PRELUDE + TRACED, plain)
    _findings, _log, own = examined_with_values(PRELUDE + TRACED, tmp_path)
    assert own["graph"] == plain["graph"]
