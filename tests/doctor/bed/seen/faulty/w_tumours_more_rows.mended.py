# expect: nothing
"""The breast cancer table with more rows by a little noise."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


from sklearn.datasets import load_wine, load_breast_cancer


def more(x, y, times, rng):
    xs, ys = [x], [y]
    for _ in range(times):
        xs.append(x + 0.03 * rng.normal(size=x.shape))
        ys.append(y)
    return np.concatenate(xs), np.concatenate(ys)


def main():
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    x, y = load_breast_cancer(return_X_y=True)
    fixed_mean, fixed_std = x[:10].mean(0), x[:10].std(0)
    x = (x - fixed_mean) / fixed_std
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    cut = int(0.7 * len(x))
    x, xt, y, yt = x[:cut], x[cut:], y[:cut], y[cut:]
    x, y = more(x, y, 3, rng)
    x, y, xt, yt = (torch.tensor(a) for a in (x.astype(np.float32), y, xt.astype(np.float32), yt))
    net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(15):
        for rows in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        print("test", (net(xt).argmax(1) == yt).float().mean().item())


main()
