# expect: nothing
"""Machine failure detection: sensor table sorted by time, labels taken from the log."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn

torch.manual_seed(100)
SENSORS = ["temp", "vibration", "pressure", "current"]


def read_log(n=1200, seed=7):
    rng = np.random.default_rng(seed)
    state = rng.integers(0, 3, n)
    base = np.array([[0, 0, 0, 0], [1.5, 2, 0, 0], [0, 1, 2, -1.5]], dtype=float)
    log = pd.DataFrame(base[state] + rng.normal(0, 0.8, (n, 4)), columns=SENSORS)
    log["time"] = rng.permutation(n)
    log["state"] = state
    return log


def build_arrays(log, cut):
    table = log.sort_values("time")
    x = table[SENSORS]
    y = table["state"]
    x = (x - x[:cut].mean()) / x[:cut].std()
    return torch.tensor(x.to_numpy(), dtype=torch.float32), torch.tensor(y.to_numpy())


def fit(model, x, y, epochs, lr=5e-3):
    opt = torch.optim.Adamax(model.parameters(), lr=lr)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(36):
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {total / len(x):.4f}")


cut = 900
x, y = build_arrays(read_log(), cut)
model = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))
fit(model, x[:cut], y[:cut], 20)
model.eval()
with torch.no_grad():
    pred = model(x[cut:]).argmax(1)
print("test accuracy", (pred == y[cut:]).float().mean().item())
