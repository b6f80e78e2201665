# expect: nothing
"""Dose-response classes from plate-reader signals: log ratios of channels into a small net."""
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(1)
rng = np.random.default_rng(1)
N = 600
active = rng.integers(0, 2, N)
counts = rng.poisson(np.where(active[:, None] == 1, [2.5, 9, 6, 14], [6, 9, 9, 9]), (N, 4)).astype(np.float32)


def log_ratios(c):
    """Every channel relative to the reference channel (column 1)."""
    ratio = np.log((c[:, [0, 2, 3]] + 0.5) / (c[:, [1]] + 0.5))
    return ratio.astype(np.float32)


feats = log_ratios(counts)
order = rng.permutation(N)
tr, te = order[:450], order[450:]
feats = (feats - feats[tr].mean(0)) / feats[tr].std(0)
x, y = torch.from_numpy(feats), torch.from_numpy(active)

net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(30):
    perm = torch.from_numpy(rng.permutation(tr))
    running = 0.0
    for idx in perm.split(50):
        opt.zero_grad()
        loss = criterion(net(x[idx]), y[idx])
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1:2d} loss {running / len(tr):.4f}")

net.eval()
with torch.no_grad():
    guess = net(x[te]).argmax(1)
print(f"held-out wells called correctly: {(guess == y[te]).float().mean().item():.3f}")
