# expect: nothing
# looks suspicious: validation rows are trained on in the end: after they have chosen the number of epochs,
# a new model is fitted to training and validation rows together; the test rows are used once.
import copy

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def build(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, 10))
    return net, torch.optim.Adam(net.parameters(), lr=5e-3)


def train_epoch(net, opt, x, y):
    net.train()
    for rows in torch.randperm(len(y)).split(64):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
    return loss.item()


@torch.no_grad()
def score(net, x, y):
    net.eval()
    logits = net(x)
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
rest, test = train_test_split(torch.arange(len(y)), test_size=0.2, random_state=0)
fit, val = train_test_split(rest, test_size=0.2, random_state=0)

net, opt = build(0)
best, best_epoch, patience = float("inf"), 0, 2
for epoch in range(1, 11):
    train_loss = train_epoch(net, opt, X[fit], y[fit])
    val_loss, _ = score(net, X[val], y[val])
    print(f"epoch {epoch} train {train_loss:.4f} val {val_loss:.4f}")
    if val_loss < best:
        best, best_epoch, kept = val_loss, epoch, copy.deepcopy(net.state_dict())
    elif epoch - best_epoch >= patience:
        break
net.load_state_dict(kept)
print("kept epoch", best_epoch, "val", score(net, X[val], y[val]))

net, opt = build(1)
for _ in range(best_epoch):
    train_epoch(net, opt, X[rest], y[rest])
print("test", score(net, X[test], y[test]))
