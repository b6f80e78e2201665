# expect: nothing
# looks suspicious: the learning rate climbs to 10 and the loss explodes: on a throw-away copy, to find a
# good rate (lr range test); the real training uses a tenth of the best.
import copy
import math

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
perm = torch.randperm(len(y))
tr, te = perm[:1500], perm[1500:]
net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))


def batches(size):
    return tr[torch.randperm(len(tr))].split(size)


def range_test(model, low=1e-3, high=10.0, count=60):
    model = copy.deepcopy(model)
    opt = torch.optim.SGD(model.parameters(), lr=low, momentum=0.9)
    lrs, losses, smooth = [], [], None
    rows_of = [r for _ in range(3) for r in batches(64)][:count]
    for i, rows in enumerate(rows_of):
        lr = low * (high / low) ** (i / (count - 1))
        opt.param_groups[0]["lr"] = lr
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        if not math.isfinite(loss.item()) or (smooth is not None and loss.item() > 4 * min(losses)):
            break
        smooth = loss.item() if smooth is None else 0.8 * smooth + 0.2 * loss.item()
        lrs.append(lr)
        losses.append(smooth)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return lrs[losses.index(min(losses))] / 10


lr = range_test(net)
print(f"suggested lr {lr:.4f}")
opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
for epoch in range(5):
    for rows in batches(64):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("accuracy", (net(x[te]).argmax(1) == y[te]).float().mean().item())
