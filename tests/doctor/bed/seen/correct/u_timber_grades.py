# expect: nothing
"""Breaking load of timber beams from workshop measurements; loads are learned with raw tensors and a hand-made two-layer net."""
import numpy as np
import pandas as pd
import torch

GRADES = {"C16": 16.0, "C18": 18.0, "C24": 24.0, "C30": 30.0, "C40": 40.0}
FEATURES = ["density", "moisture", "knots", "span", "height"]


def workshop_log(n, seed):
    rng = np.random.default_rng(seed)
    grade = rng.choice(list(GRADES), n)
    base = np.array([GRADES[g] for g in grade])
    log = pd.DataFrame({
        "grade": grade,
        "density": 300 + 5 * base + rng.normal(0, 15, n),
        "moisture": rng.normal(14, 2, n),
        "knots": rng.poisson(60 / base),
        "span": rng.uniform(2, 5, n),
        "height": rng.choice([120, 160, 200], n),
    })
    log["load"] = 0.03 * base ** 1.6 * log.height / log.span ** 0.5 - 2 * (log.moisture - 14) + rng.normal(0, 15, n)
    return log


def clean(log):
    """Drops, grade by grade, the beams whose load lies far from its grade's median."""
    kept = []
    for _, beams in log.groupby("grade"):
        off = (beams["load"] - beams["load"].median()).abs()
        kept.append(beams[off < 4 * off.median()])
    return pd.concat(kept).reset_index(drop=True)


def part(log, test_share=0.2):
    log = log.sample(frac=1.0, random_state=40)
    cut = round(len(log) * (1 - test_share))
    return log.iloc[:cut], log.iloc[cut:]


def net(p, x):
    return torch.relu(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]


torch.manual_seed(40)
train, test = part(clean(workshop_log(900, seed=40)))
mean, std = train[FEATURES].mean(), train[FEATURES].std()
y_mean, y_std = train["load"].mean(), train["load"].std()
x = torch.tensor(((train[FEATURES] - mean) / std).to_numpy(), dtype=torch.float32)
y = torch.tensor(((train["load"] - y_mean) / y_std).to_numpy(), dtype=torch.float32)
x_test = torch.tensor(((test[FEATURES] - mean) / std).to_numpy(), dtype=torch.float32)

hidden = 24
params = {
    "w1": torch.randn(len(FEATURES), hidden) * (2 / len(FEATURES)) ** 0.5,
    "b1": torch.zeros(hidden),
    "w2": torch.randn(hidden, 1) * (1 / hidden) ** 0.5,
    "b2": torch.zeros(1),
}
for p in params.values():
    p.requires_grad_()
optimizer = torch.optim.Adam(params.values(), lr=5e-3)

for epoch in range(1, 21):
    total = 0.0
    for rows in torch.randperm(len(x)).split(32):
        loss = (net(params, x[rows]).squeeze(1) - y[rows]).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d} training mse {total / len(x):.4f}")

with torch.no_grad():
    predicted = net(params, x_test).squeeze(1).numpy() * y_std + y_mean
error = predicted - test["load"].to_numpy()
print(f"beams: {len(train)} train, {len(test)} test")
print(f"test RMSE {np.sqrt((error ** 2).mean()):.1f}, spread of all training loads {y_std:.1f}")
