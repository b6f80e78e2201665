# expect: nothing
"""Cultivar of Italian wines from 13 chemical assays (small MLP, gradients over two half batches)."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

torch.manual_seed(3)
assays, cultivar = load_wine(return_X_y=True)
a_tr, a_te, c_tr, c_te = train_test_split(assays, cultivar, test_size=0.3, stratify=cultivar, random_state=3)
mu, sd = a_tr.mean(0), a_tr.std(0)


def prepare(a, c):
    return torch.tensor((a - mu) / sd, dtype=torch.float32), torch.tensor(c)


x_tr, y_tr = prepare(a_tr, c_tr)
x_te, y_te = prepare(a_te, c_te)

net = torch.nn.Sequential(torch.nn.Linear(13, 24), torch.nn.Tanh(), torch.nn.Linear(24, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)


def update(x, y, pieces=2):
    """One step from the mean gradient of several pieces of the batch."""
    opt.zero_grad()
    total = 0.0
    for xp, yp in zip(x.chunk(pieces), y.chunk(pieces)):
        loss = F.cross_entropy(net(xp), yp) / pieces
        loss.backward()
        total += loss.item()
    opt.step()
    return total


for epoch in range(30):
    net.train()
    order = torch.randperm(len(x_tr))
    losses = [update(x_tr[i], y_tr[i]) for i in order.split(32)]
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1:3d}  loss {np.mean(losses):.4f}")

net.eval()
with torch.no_grad():
    called = net(x_te).argmax(1)
print(f"test accuracy {(called == y_te).float().mean().item():.3f}")
