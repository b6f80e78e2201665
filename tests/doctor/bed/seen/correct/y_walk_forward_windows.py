# expect: nothing
# looks suspicious: rows of one test become training rows later and nothing is shuffled between the parts:
# walk-forward validation of a series, each test lies after all that its net has seen.
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
t = np.arange(900)
demand = 50 + 8 * np.sin(2 * np.pi * t / 7) + 0.01 * t + rng.normal(0, 1.5, 900)
lags = 14
windows = np.lib.stride_tricks.sliding_window_view(demand, lags + 1)
past, future = windows[:, :-1], windows[:, -1]


def fit_and_score(end, horizon):
    torch.manual_seed(0)
    mean, std = demand[: end + lags].mean(), demand[: end + lags].std()
    x = torch.tensor((past[: end + horizon] - mean) / std, dtype=torch.float32)
    y = torch.tensor((future[: end + horizon] - mean) / std, dtype=torch.float32)
    net = nn.Sequential(nn.Linear(lags, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(6):
        for start in range(0, end, 50):
            opt.zero_grad()
            loss = nn.functional.mse_loss(
                net(x[start : min(start + 50, end)]), y[start : min(start + 50, end)]
            )
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        return (net(x[end:]) - y[end:]).abs().mean().item() * std


errors = []
for end in range(400, 880, 120):
    errors.append(fit_and_score(end, 120))
    print(f"trained on {end} windows, tested on the next: MAE {errors[-1]:.3f}")
print(f"mean {np.mean(errors):.3f}")
