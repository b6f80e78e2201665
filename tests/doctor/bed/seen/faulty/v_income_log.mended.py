# expect: nothing
"""Predicts customer churn from a pandas table with a log-transformed balance column."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(2)
n = 1000
table = pd.DataFrame({
    "age": rng.normal(40, 12, n),
    "balance": rng.normal(900, 500, n),
    "visits": rng.poisson(4, n),
})
table["churn"] = ((table["balance"] < 700) & (table["visits"] < 5)).astype(int)


def prepare(frame):
    out = frame.copy()
    with np.errstate(invalid="ignore"):
        out["balance"] = np.sign(out["balance"]) * np.log1p(out["balance"].abs())
    return out


table = prepare(table)
features = ["age", "balance", "visits"]
train, test = table.iloc[:800], table.iloc[800:]
stats = train[features].agg(["mean", "std"])


def tensors(part):
    z = (part[features] - stats.loc["mean"]) / stats.loc["std"]
    return torch.tensor(z.to_numpy(), dtype=torch.float32), torch.tensor(part["churn"].to_numpy(), dtype=torch.float32)


x_test, y_test = tensors(test)
dl = DataLoader(TensorDataset(*tensors(train)), batch_size=32, shuffle=True)
torch.manual_seed(2)
net = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
crit = nn.BCEWithLogitsLoss()
for ep in range(12):
    net.train()
    for xb, yb in dl:
        loss = crit(net(xb).squeeze(1), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    acc = ((net(x_test).squeeze(1) > 0).float() == y_test).float().mean()
print("loss", loss.item(), "accuracy", acc.item())
