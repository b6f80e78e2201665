# expect: weight_decay_too_high @ 17
# allowed: weight_decay_too_high @ 54
"""Digits MLP with regularisation: dropout, weight decay and a step schedule, in a functional style."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(33)

HP = dict(
    hidden=64,
    dropout=0.2,
    lr=3e-3,
    weight_decay=1.0,
    epochs=12,
)


def data():
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X / 16, dtype=torch.float32)
    y = torch.tensor(y)
    return train_test_split(X, y, test_size=0.2, random_state=33, stratify=y)


def make_model():
    return nn.Sequential(nn.Linear(64, HP["hidden"]), nn.ReLU(), nn.Dropout(HP["dropout"]), nn.Linear(HP["hidden"], 10))


def train_epoch(model, dl, opt):
    model.train()
    losses = []
    for xb, yb in dl:
        opt.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def test_accuracy(model, X, y):
    model.eval()
    return (model(X).argmax(1) == y).float().mean().item()


Xtr, Xte, ytr, yte = data()
dl = DataLoader(TensorDataset(Xtr, ytr), batch_size=48, shuffle=True)
model = make_model()
opt = optim.Adam(model.parameters(), lr=HP["lr"], weight_decay=HP["weight_decay"])
sched = optim.lr_scheduler.StepLR(opt, step_size=5, gamma=0.5)
for ep in range(HP["epochs"]):
    l = train_epoch(model, dl, opt)
    sched.step()
    print(f"{ep:02d} loss={l:.4f}")
print("test accuracy", round(test_accuracy(model, Xte, yte), 4))
