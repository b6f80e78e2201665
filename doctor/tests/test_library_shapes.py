"""How libraries train: modules with a hash of their own, steps in closures, nets called by name, loaders and
schedules that a library makes or steps."""

import pytest

from examination import examined

HEAD = """
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
y = torch.arange(240) * 3 // 240
x = torch.randn(240, 8) + 2 * torch.randn(3, 8)[y]
"""


def rules(source, tmp_path):
    """The rule of each finding, and what stands on its line behind ``# ``."""
    findings, _ = examined(HEAD + source, tmp_path)
    lines = (tmp_path / "script.py").read_text().splitlines()
    return [(f.rule, lines[f.line - 1].partition("  # ")[2]) for f in findings]


def test_a_module_may_have_a_hash_that_fails_before_its_init_or_changes(tmp_path):
    source = """\
class Odd(nn.Linear):
    def __init__(self):
        super().__init__(8, 3)
        self.parts = [1]
    def __hash__(self):
        return hash(tuple(self.parts))
    def __eq__(self, other):
        return torch.ones(2) == torch.ones(2)
net = Odd()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    net.parts.append(step)
    STEP: F.cross_entropy(net(x).softmax(1), y)  # here
"""
    assert rules(source, tmp_path) == [("softmax_before_cross_entropy", "here")]


@pytest.mark.parametrize(("learned", "told"), [("whole", [("test_in_train", "here")]), ("train", [])])
def test_rows_that_go_to_a_net_by_name_are_followed(learned, told, tmp_path):
    source = f"""\
class Net(nn.Linear):
    def forward(self, rows=None):
        return super().forward(rows)
net = Net(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
whole = TensorDataset(x, y)
train, test = torch.utils.data.random_split(whole, [180, 60])
loader = DataLoader({learned}, batch_size=20, shuffle=True)  # here
for epoch in range(6):
    for rows, labels in loader:
        STEP: F.cross_entropy(net(rows=rows), labels)
with torch.no_grad():
    right = sum(int((net(rows=r).argmax(1) == t).sum()) for r, t in DataLoader(test, batch_size=30))
"""
    assert rules(source, tmp_path) == told


def test_a_library_s_loader_is_told_of_on_the_line_of_the_one_it_was_made_from(tmp_path):
    library = tmp_path / "site-packages" / "made.py"
    library.parent.mkdir()
    library.write_text(
        "from torch.utils.data import DataLoader\n"
        "def prepare(loader):\n"
        "    return DataLoader(loader.dataset, batch_size=loader.batch_size, sampler=loader.sampler)\n"
        "def train(net, optimizer, loader, loss):\n"
        "    for epoch in range(6):\n"
        "        for rows, labels in loader:\n"
        "            optimizer.zero_grad()\n"
        "            loss(net, rows, labels).backward()\n"
        "            optimizer.step()\n"
    )
    source = f"""\
import sys; sys.path.append({str(library.parent)!r})
import made
def loss(net, rows, labels):
    return F.cross_entropy(net(rows), labels)
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
y = (x @ torch.randn(8, 3)).argmax(1)
data = TensorDataset(x[y.argsort()], y.sort().values)
loader = DataLoader(data, batch_size=20)  # made
# and so are the batches
made.train(net, optimizer, made.prepare(loader), loss)
"""
    assert ("unshuffled_sorted", "made") in rules(source, tmp_path)
