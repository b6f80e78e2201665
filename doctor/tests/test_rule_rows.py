"""Scripts that a beginner writes: which rows are a test is told by what happened, not by names or style."""

import pytest

from examination import examined

pytest.importorskip("sklearn", reason="needs scikit-learn")

IRIS = """
import torch
from sklearn.datasets import load_iris
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_iris(return_X_y=True)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
if {shuffled}:
    order = torch.randperm(len(X))
    X, y = X[order], y[order]
n = int(len(X) * {share})
a = DataLoader({learned}, batch_size=16, shuffle=True)
b = DataLoader({asked}, batch_size=16)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(20):
    for rows, labels in a:
        STEP: nn.functional.cross_entropy(net(rows), labels)
net.eval()
right = 0
with torch.no_grad():
    for rows, labels in b:
        right += (net(rows).argmax(1) == labels).sum().item()
print(right / len(b.dataset))
"""

ARRAYS = """
import numpy as np
import torch
from sklearn.datasets import load_{name}
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X, y = load_{name}(return_X_y=True)
X_train, X_test, y_train, y_test = X[:{n}], X[{n}:], y[:{n}], y[{n}:]
scaler = StandardScaler()
X_train = torch.tensor(scaler.fit_transform(X_train), dtype=torch.float32)
X_test = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
net = nn.Sequential(nn.Linear(X.shape[1], 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
60 STEPS: nn.functional.cross_entropy(net(X_train), torch.tensor(y_train))
print({figure})
"""


def iris(
    share=0.67, shuffled=True, learned="TensorDataset(X[:n], y[:n])", asked="TensorDataset(X[n:], y[n:])"
):
    return IRIS.format(share=share, shuffled=shuffled, learned=learned, asked=asked)


def ids(source, tmp_path):
    """The rules that speak of a script, and their findings."""
    findings, _ = examined(source, tmp_path)
    return {f.rule: f for f in findings}


@pytest.mark.parametrize("share", [0.67, 0.8])
def test_sorted_rows_cut_by_position_are_found_in_loaders(share, tmp_path):
    findings = ids(iris(share, shuffled=False), tmp_path)
    assert "sorted_split" in findings
    assert "0 %" in findings["sorted_split"].message or share == 0.8


def test_shuffled_rows_may_be_cut_by_position(tmp_path):
    assert ids(iris(), tmp_path) == {}


SAID = "np.concatenate([net(part).detach().numpy() for part in X_test.split(8)]).argmax(1)"
FIGURES = {
    "torch": "(net(X_test).argmax(1) == torch.tensor(y_test)).float().mean().item()",
    "NumPy": "(net(X_test).argmax(1).numpy() == torch.tensor(y_test).numpy()).mean()",  # unseen comparison
    **{f"{s} of batches": f"{s}(y_test, {SAID})" for s in ("accuracy_score", "confusion_matrix")},
    "a report of batches": f"classification_report(y_test, {SAID}, zero_division=0)",
}
CUTS = [("iris", 100, f) for f in FIGURES] + [
    (*cut, f) for cut in (("iris", 120), ("wine", 142)) for f in ("torch", "NumPy")
]


@pytest.mark.parametrize(("name", "n", "figure"), CUTS)
def test_a_sorted_split_of_arrays_is_told_once_where_it_was_cut(name, n, figure, tmp_path):
    findings = ids(ARRAYS.format(name=name, n=n, figure=FIGURES[figure]), tmp_path)
    findings.pop("missing_no_grad", None)  # of the figure, where it is of rows enough
    assert {f: findings[f].line for f in findings} == {"sorted_split": 11}


@pytest.mark.parametrize("shuffled", [False, True])
def test_subsets_by_position_of_sorted_rows_are_found(shuffled, tmp_path):
    every = "torch.utils.data.Subset(TensorDataset(X, y), range({}))"
    source = iris(0.8, shuffled, every.format("n"), every.format("n, 150"))
    assert [*ids(source, tmp_path)] == ([] if shuffled else ["sorted_split"])


FOLDS = """
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold
from torch import nn

torch.manual_seed(0)
X, y = load_iris(return_X_y=True)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
def start():
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    return net, torch.optim.Adam(net.parameters(), lr=0.01)
net, optimizer = start()
for train, test in KFold(5, shuffle=True, random_state=0).split(X):
    {anew}
    30 STEPS: nn.functional.cross_entropy(net(X[train]), y[train])
    with torch.no_grad():
        print((net(X[test]).argmax(1) == y[test]).float().mean().item())
"""


@pytest.mark.slow
def test_a_net_that_all_folds_share_is_found(tmp_path):
    findings = ids(FOLDS.format(anew="pass"), tmp_path)
    assert {f: findings[f].line for f in findings} == {"test_in_train": 11}
    assert ids(FOLDS.format(anew="net, optimizer = start()"), tmp_path) == {}


def test_training_on_all_rows_before_a_part_is_judged_is_found(tmp_path):
    assert ids(iris(learned="TensorDataset(X, y)"), tmp_path).keys() == {"test_in_train"}
