"""Faults of data, outputs and kept values: each is found, and its right twin, a few words away, is silent."""

import pytest

from examination import examined
from treino_doctor.output.fix import patch
from treino_doctor.rules import notes
from treino_doctor.rules.rule import PRELUDE

for package in ("pandas", "sklearn"):
    pytest.importorskip(package, reason=f"needs {package}")

LOADERS = """
from torch.utils.data import DataLoader, Dataset, TensorDataset

y = ((x[:, 0] + 0.5 * torch.randn(240)) > 0).long() + (x[:, 1] > 0.5).long()

class Rows(Dataset):
    def __init__(self, train):
        self.x, self.y = (x[:180], y[:180]) if train else (x[180:], y[180:])
    def __len__(self):
        return len(self.x)
    def __getitem__(self, i):
        return self.x[i], self.y[i]

train_loader = DataLoader(TensorDataset(x[:180], y[:180]), batch_size=30, shuffle=True)
test_loader = DataLoader(TensorDataset(x[180:], y[180:]), batch_size=30)
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

def train(net, loader):
    net.train()
    for rows, labels in loader:
        STEP: F.cross_entropy(net(rows), labels)
    return loss

def right(net, loader):
    net.eval()
    with torch.no_grad():
        return sum((net(rows).argmax(1) == labels).sum().item() for rows, labels in loader)
"""

EPOCHS = """
for epoch in range(6):
    train(net, train_loader)
    print(right(net, test_loader))
"""

WRITTEN = "said = x[:1]\nfor _ in range(60):\n    said = x[net(said).argmax().item() :][:1]\n"
TABLE = """
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

frame = pd.DataFrame(x.numpy() * 3 + 1, columns=list("abcdefgh"))
frame["c"] = (frame["c"] > 1).astype(float)
some = ["a", "b", "e", "g"]
{scale}
x_train, x_test, y_train, y_test = train_test_split({rows}, y.numpy(), test_size=0.25, random_state=0)
{after}
x_train, x_test = (torch.tensor(t, dtype=torch.float32) for t in (x_train, x_test))
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
net = nn.Sequential(nn.Linear(x_train.shape[1], 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
40 STEPS: F.cross_entropy(net(x_train), y_train)
with torch.no_grad():
    print((net(x_test).argmax(1) == y_test).float().mean().item())
"""


def table(scale="", rows="frame.values", after=""):
    return TABLE.format(scale=scale, rows=rows, after=after)


def output(last, steps=20):
    """A net trained by cross entropy of ``last``, an expression of its output ``z``."""
    return f"""
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range({steps}):
    optimizer.zero_grad()
    z = net(x)
    F.cross_entropy({last}, y).backward()
    optimizer.step()
"""


def inputs(x, y, loss="F.cross_entropy(net(x), y)"):
    """A net trained on a table that NumPy made, as files do."""
    return f"""
import numpy as np
import math
goal = (x[:, 0] + x[:, 1] * x[:, 2]).numpy()
table, classes = x.numpy(), y.numpy()
x, y = torch.tensor({x}, dtype=torch.float32), torch.tensor({y})
net = nn.Sequential(nn.Linear(x.shape[1], 16), nn.ReLU(), nn.Linear(16, {1 if "mse" in loss else 3}))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
20 STEPS: {loss}
"""


def kept(state, use="net.load_state_dict(best)", epochs=8):
    return f"""
import copy, io
best = None
for epoch in range({epochs}):
    train(net, train_loader)
    if epoch < 4:
        best = {state}
    right(net, test_loader)
{use}
"""


DROPOUT = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 16), nn.Linear(16, 3)
    def forward(self, rows):
        return self.two(F.dropout(F.relu(self.one(rows)), 0.3{training}))  # here

net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(4):
    train(net, train_loader)
net.eval()
with torch.no_grad():
    answers = net(x[180:]).numpy().argmax(1)
print((answers == y[180:].numpy()).mean())
"""

TO_NUMPY = """
for epoch in range(4):
    train(net, train_loader)
    net.eval()
    for rows, labels in test_loader:
        {guard}
            answers = net(rows).detach().numpy().argmax(1)
        print((answers == labels.numpy()).mean())
"""

STOPPER = """
class Stopper:
    def __init__(self):
        self.best = 0
    def __call__(self, figure, net):
        if figure > self.best:
            self.best = figure
            self.weights = {{k: v.clone() for k, v in net.state_dict().items()}}

val_loader, stopper = test_loader, Stopper()
for epoch in range(5):
    train(net, train_loader)
    {name}_right = right(net, {name}_loader)
    stopper({name}_right, net)
"""

FILES = """
pairs = sorted(((i, int(x[i, 0] > 0)) for i in range(240)), key=lambda pair: {order})
class Files(Dataset):
    def __init__(self, pairs):
        self.pairs = pairs
    def __len__(self):
        return len(self.pairs)
    def __getitem__(self, i):
        return x[self.pairs[i][0]], self.pairs[i][1]
train_loader = DataLoader(Files(pairs[:200]), batch_size=20, shuffle=True)
test_loader = DataLoader(Files(pairs[200:]), batch_size=20)
"""

JITTERED = """
import random
class Jittered(Dataset):
    def __init__(self, x, y, random):
        self.x, self.y, self.random = x, y, random
    def __len__(self):
        return len(self.x)
    def __getitem__(self, i):
        return self.x[i] * (random.uniform(0.5, 1.5) if self.random else 1.0), self.y[i]
train_loader = DataLoader(Jittered(x[:180], y[:180], True), batch_size=30, shuffle=True)
test_loader = DataLoader(Jittered(x[180:], y[180:], {again}), batch_size=30)
for epoch in range(4):
    train(net, train_loader)
print(right(net, test_loader))
"""

FOLDS = """
import copy
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

table, classes = load_breast_cancer(return_X_y=True)
net = nn.Sequential(nn.Linear(30, 8), nn.ReLU(), nn.Linear(8, 2))
start = copy.deepcopy(net.state_dict())
for learn, test in StratifiedKFold(3, shuffle=True, random_state=0).split(table, classes):
    net.load_state_dict(start)
    scaler = StandardScaler().fit(table[learn])
    one, two = (torch.tensor(scaler.transform(table[i]), dtype=torch.float32) for i in (learn, test))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    40 STEPS: F.cross_entropy(net(one), torch.tensor(classes[learn]))
    with torch.no_grad():
        print((net(two).argmax(1) == torch.tensor(classes[test])).float().mean().item())
"""

SITES = """
table, site = x.numpy(), np.repeat(np.arange(3), 80)
classes = (table[:, 0] > 0).astype(int)
x_train, x_test, y_train, y_test, _, _ = train_test_split(table, classes, site, test_size=80, shuffle=False)
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
40 STEPS: F.cross_entropy(net(torch.tensor(x_train)), torch.tensor(y_train))
with torch.no_grad():
    print((net(torch.tensor(x_test)).argmax(1).numpy() == y_test).mean())
"""

KEPT_LOSSES = """
losses = []
for epoch in range(14):
    losses.append(train(net, train_loader){number})
"""

STEPS = """
def step_and_count(net, loader):
    count = 0
    for rows, labels in loader:
        optimizer.zero_grad()
        answers = net(rows)
        F.cross_entropy(answers, labels).backward()
        {step}
        count += (answers.argmax(1) == labels).sum().item()
    return count

for epoch in range(4):
    train(net, train_loader)
    print(step_and_count(net, test_loader))
"""

MEAN = "frame[some] = (frame[some] - frame[some]{part}.mean()) / frame[some]{part}.std()"
HOLES = "frame['a'] = frame['a'].where(frame['a'] < 4)\n"
FILL = "mean = x_train.mean()\nx_train, x_test = (t.fillna(mean).values for t in (x_train, x_test))"
AGAIN = "scaler = StandardScaler()\nx_train = scaler.fit_transform(x_train)\nx_test = scaler.{}(x_test)"
MSE = "F.mse_loss(net(x), y.float().reshape(-1, 1))"
TANH, DROPPED = MSE.replace("net(x)", "net(x).tanh()"), MSE.replace("net(x)", "F.dropout(net(x))")
SAVE = "torch.save({'model': best}, io.BytesIO())"

FAULTY = [
    ("test_in_train", LOADERS + "test_loader = DataLoader(Rows(True), batch_size=20)" + EPOCHS),
    ("test_in_train", LOADERS + STEPS.format(step="optimizer.step()")),
    ("scaler_leakage", table(scale=MEAN.format(part=""))),
    ("scaler_leakage", table(scale=HOLES + "frame = frame.fillna(frame.mean())")),
    ("scaler_leakage", table(after=AGAIN.format("fit_transform"))),
    ("activation_before_cross_entropy", inputs("table", "goal", DROPPED)),
    ("targets_out_of_reach", inputs("table", "goal", TANH)),
    ("activation_before_cross_entropy", output("torch.tanh(z).view(-1, 3)")),
    ("activation_before_cross_entropy", output("torch.cat([z[:, :1].relu(), z[:, 1:].relu()], 1)")),
    ("missing_no_grad", LOADERS + EPOCHS + WRITTEN),
    ("best_state_not_copied", LOADERS + kept("net.state_dict()")),
    ("best_state_not_copied", LOADERS + kept("net.state_dict()", SAVE)),
    ("graph_kept_alive", LOADERS + KEPT_LOSSES.format(number="")),
    ("missing_no_grad", LOADERS + TO_NUMPY.format(guard="if True:")),
    ("selection_on_test", LOADERS + STOPPER.format(name="test")),
    ("sorted_split", LOADERS + FILES.format(order="pair[1]") + EPOCHS),
    ("augment_on_test", LOADERS + JITTERED.format(again=True)),
]

RIGHT = [
    LOADERS + "test_loader = DataLoader(Rows(False), batch_size=20)" + EPOCHS,
    LOADERS + STEPS.format(step=""),
    table(scale=MEAN.format(part=".iloc[:120]")),
    table(after=AGAIN.format("transform")),
    table(scale=HOLES, rows="frame", after=FILL),
    output("3 * torch.tanh(z)"),
    output("F.leaky_relu(z)"),
    inputs("table", "np.clip(goal, -1, 1)", TANH),
    output("torch.cat([z[:, :1].relu(), z[:, 1:]], 1)"),
    inputs("table", "classes"),
    LOADERS + kept("{k: v.clone() for k, v in net.state_dict().items()}"),
    LOADERS + EPOCHS + WRITTEN.replace("for", "for p in net.parameters():\n    p.requires_grad_(False)\nfor"),
    LOADERS + kept("net.state_dict()", "state = net.state_dict()\nnet.load_state_dict(state)"),
    LOADERS + kept("net.state_dict()", "torch.save(net.state_dict(), io.BytesIO())"),
    LOADERS + "best = net.state_dict()\n" + kept("best", SAVE),  # follows the net on purpose
    LOADERS + KEPT_LOSSES.format(number=".item()"),
    LOADERS + DROPOUT.format(training=", training=self.training"),
    LOADERS + TO_NUMPY.format(guard="with torch.no_grad():"),
    LOADERS + STOPPER.format(name="val"),
    LOADERS + FILES.format(order="pair[0]") + EPOCHS,
    LOADERS + JITTERED.format(again=False),
    FOLDS,  # the rows of earlier folds were trained on later
    "import numpy as np\nfrom sklearn.model_selection import train_test_split\n" + SITES,  # sorted by site
]


CASES = [*FAULTY, *(("", text) for text in RIGHT)]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("rule", "text"), CASES, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(CASES)])
def test_a_fault_is_found_and_its_right_twin_is_silent(rule, text, tmp_path):
    findings, _ = examined(PRELUDE + text, tmp_path)
    assert rule in {f.rule for f in findings} if rule else findings == []


LOOK = EPOCHS.replace("print(right(net, test_loader))", "print(right(net, train_loader))")
COUNTED = STEPS.format(step="optimizer.step()").replace("test_loader", "train_loader")
ALONE = EPOCHS.replace("print(right(net, test_loader))", "pass")
TAKEN = ("net.state_dict()", "print([p.tolist() for p in net.parameters()])", "torch.save(net, io.BytesIO())")


@pytest.mark.parametrize(
    ("text", "said"),
    [(LOOK, "180 rows"), (COUNTED, "180 rows"), (ALONE, "no rows but those of its training")],
)
def test_a_figure_of_the_training_rows_alone_is_noted(text, said, tmp_path):
    findings, log = examined(PRELUDE + LOADERS + text, tmp_path)
    assert findings == []
    assert any(said in note for note in notes(log))
    assert notes(examined(PRELUDE + LOADERS + text + EPOCHS, tmp_path)[1]) == []


@pytest.mark.parametrize("use", TAKEN)
def test_a_net_whose_weights_are_used_otherwise_may_be_judged_there(use, tmp_path):
    assert notes(examined(f"{PRELUDE}import io\n{LOADERS}{ALONE}{use}", tmp_path)[1]) == []


def test_dropout_that_eval_does_not_reach_is_named(tmp_path):
    findings, _ = examined(PRELUDE + LOADERS + DROPOUT.format(training=""), tmp_path)
    lines = (tmp_path / "script.py").read_text().splitlines()
    [finding] = [f for f in findings if f.rule == "missing_eval"]
    assert "# here" in lines[finding.line - 1]
    mended, _ = examined(patch([finding]).sources[finding.file], tmp_path)
    assert mended == []
