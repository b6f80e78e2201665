# expect: nothing
"""GRU width by k-fold on the development rows, one look at the holdout, input saliency."""
import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch import nn

torch.manual_seed(23)
rng = np.random.default_rng(23)


def pulses(n, length=18):
    """Label: a wide bump (1) or two narrow bumps (0) somewhere in noise."""
    y = rng.permutation(np.arange(n) % 2)
    t = np.arange(length)
    x = rng.normal(0, 0.25, (n, length))
    for i in range(n):
        c = rng.uniform(4, length - 5)
        if y[i]:
            x[i] += np.exp(-((t - c) / 2.5) ** 2)
        else:
            x[i] += np.exp(-(t - c + 3) ** 2) + np.exp(-(t - c - 3) ** 2)
    return x.astype(np.float32)[..., None], y


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gru = nn.GRU(1, width, batch_first=True)
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        return self.out(self.gru(x)[0].amax(1))


def fit(x, y, width, epochs=9):
    mean, std = x.mean(), x.std()
    xt, yt = torch.from_numpy((x - mean) / std), torch.from_numpy(y)
    net = Net(width).train()
    opt = torch.optim.Adadelta(net.parameters(), lr=1.0)
    for _ in range(epochs):
        for rows in torch.randperm(len(xt)).split(20):
            opt.zero_grad()
            nn.functional.cross_entropy(net(xt[rows]), yt[rows]).backward()
            opt.step()
    return net.eval(), lambda a: torch.from_numpy((a - mean) / std)


def accuracy(net, scale, x, y):
    with torch.no_grad():
        return (net(scale(x)).argmax(1).numpy() == y).mean()


X, Y = pulses(560)
X_dev, X_final, y_dev, y_final = train_test_split(X, Y, test_size=0.3, stratify=Y, random_state=0)

table = {}
for width in (4, 16):
    folds = StratifiedKFold(3, shuffle=True, random_state=1)
    accs = []
    for tr, te in folds.split(X_dev, y_dev):
        net, scale = fit(X_dev[tr], y_dev[tr], width)
        accs.append(accuracy(net, scale, X_dev[te], y_dev[te]))
    table[width] = float(np.mean(accs))
    print(f"width {width:2d}: cv accuracy {table[width]:.3f}")

best = max(table, key=table.get)
net, scale = fit(X_dev, y_dev, best)
print(f"width {best} refit on all {len(X_dev)} development rows")
print(f"holdout accuracy {accuracy(net, scale, X_final, y_final):.3f}")

probe = scale(X_final[:50]).requires_grad_(True)
logits = net(probe)
(grad,) = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), probe)
weight = (grad * probe).detach().abs().mean(0).squeeze(-1)
print("saliency by time step", [round(v, 2) for v in weight.tolist()])
