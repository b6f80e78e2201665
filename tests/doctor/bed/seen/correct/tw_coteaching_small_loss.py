# expect: nothing
"""Co-teaching against wrong labels: two nets pick each other's rows by small loss.

A third of the training labels are wrong (clickworkers); validation and test labels are an expert's. In
every batch each net names the rows it believes, the other one learns from these; how many are kept falls
over the first epochs. The epoch is chosen on the validation rows.
"""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

NOISE, RAMP, EPOCHS, BATCH = 0.33, 5, 16, 64


def make_net():
    return nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, 10))


def spoil(labels, share, g):
    wrong = torch.rand(len(labels), generator=g) < share
    shift = torch.randint(1, 10, labels.shape, generator=g)
    return torch.where(wrong, (labels + shift) % 10, labels), wrong


@torch.no_grad()
def trusted(net, x, y, n):
    """Rows with the smallest losses; selection only, in evaluation mode."""
    net.eval()
    order = F.cross_entropy(net(x), y, reduction="none").argsort()
    net.train()
    return order[:n]


def learn(net, opt, x, y):
    opt.zero_grad(set_to_none=True)
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
    return loss.item()


@torch.no_grad()
def joint_accuracy(nets, x, y):
    for net in nets:
        net.eval()
    prob = sum(net(x).softmax(dim=1) for net in nets)
    return (prob.argmax(dim=1) == y).float().mean().item()


torch.manual_seed(35)
g = torch.Generator().manual_seed(36)
pixels, digit = load_digits(return_X_y=True)
x_dev, x_te, y_dev, y_te = train_test_split(pixels / 16.0, digit, test_size=0.2, stratify=digit, random_state=35)
x_tr, x_val, y_tr, y_val = train_test_split(x_dev, y_dev, test_size=0.2, stratify=y_dev, random_state=36)
x_tr, x_val, x_te = (torch.tensor(a, dtype=torch.float32) for a in (x_tr, x_val, x_te))
y_tr, y_val, y_te = (torch.tensor(a) for a in (y_tr, y_val, y_te))
given, wrong = spoil(y_tr, NOISE, g)
print(f"{int(wrong.sum())} of {len(given)} training labels are wrong")

nets = [make_net(), make_net()]
opts = [torch.optim.Adam(net.parameters(), lr=4e-3) for net in nets]
best = (-1.0, None, None)
for epoch in range(1, EPOCHS + 1):
    keep = 1 - NOISE * min(epoch / RAMP, 1.0)
    for net in nets:
        net.train()
    losses, clean, kept = [0.0, 0.0], 0, 0
    batches = torch.randperm(len(x_tr)).split(BATCH)
    for rows in batches:
        x, y = x_tr[rows], given[rows]
        n = max(1, int(keep * len(rows)))
        picks = [trusted(net, x, y, n) for net in nets]
        for i in (0, 1):
            other = picks[1 - i]
            losses[i] += learn(nets[i], opts[i], x[other], y[other])
            clean += int((~wrong[rows][other]).sum())
            kept += n
    acc = joint_accuracy(nets, x_val, y_val)
    if acc > best[0]:
        best = (acc, epoch, [copy.deepcopy(net.state_dict()) for net in nets])
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}: keeps {keep:.2f}, of these right {clean / kept:.3f}, "
              f"losses {losses[0] / len(batches):.3f} {losses[1] / len(batches):.3f}, validation {acc:.3f}")

for net, state in zip(nets, best[2]):
    net.load_state_dict(state)
print(f"epoch {best[1]} by validation ({best[0]:.3f}), test accuracy {joint_accuracy(nets, x_te, y_te):.3f}")
