# expect: target_broadcast @ 38
# allowed: target_broadcast @ 24
# allowed: target_broadcast @ 25
"""Quantile regression of delivery times with a hand-written pinball loss."""
import pandas as pd
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(17)
df = pd.DataFrame({"km": rng.uniform(0, 3, 900), "load": rng.uniform(0, 1, 900), "rain": rng.integers(0, 2, 900)})
df["hours"] = 1.5 * df["km"] + df["load"] + 0.8 * df["rain"] + rng.exponential(0.3, 900)
cols = ["km", "load", "rain"]
train, test = df.iloc[:700], df.iloc[700:]
mean, std = train[cols].mean(), train[cols].std()


def to_tensors(frame):
    feats = torch.tensor(((frame[cols] - mean) / std).to_numpy(), dtype=torch.float32)
    return feats, torch.tensor(frame["hours"].to_numpy(), dtype=torch.float32)


def pinball(pred, target, q):
    err = target - pred
    return torch.maximum(q * err, (q - 1) * err).mean()


x_tr, y_tr = to_tensors(train)
x_te, y_te = to_tensors(test)
torch.manual_seed(17)
results = {}
for q in (0.5, 0.9):
    net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(25):
        net.train()
        for idx in torch.randperm(len(x_tr)).split(50):
            loss = pinball(net(x_tr[idx]), y_tr[idx], q)
            opt.zero_grad()
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        p = net(x_te).squeeze(1)
        results[q] = (pinball(p, y_te, q).item(), (y_te <= p).float().mean().item())
for q, (l, cover) in results.items():
    print(f"q={q}: pinball {l:.4f} coverage {cover:.3f}")
