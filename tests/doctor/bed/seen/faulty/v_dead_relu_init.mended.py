# expect: nothing
"""Wine-quality-like scoring net with its own layer class and initial biases."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.preprocessing import StandardScaler

np.random.seed(17)
torch.manual_seed(17)

df = pd.DataFrame({"alcohol": np.random.normal(10.4, 1.1, 1200), "acidity": np.random.normal(0.53, 0.18, 1200),
                   "sulphates": np.random.normal(0.66, 0.17, 1200), "sugar": np.random.lognormal(0.8, 0.4, 1200)})
df["score"] = (0.6 * (df.alcohol - 10.4) - 3 * (df.acidity - 0.53).abs() + 2 * (df.sulphates - 0.66)
               + np.random.normal(0, 0.2, 1200))
feats = ["alcohol", "acidity", "sulphates", "sugar"]
cut = 900
sx, sy = StandardScaler().fit(df.loc[:cut - 1, feats].values), StandardScaler().fit(df.loc[:cut - 1, ["score"]].values)
X = torch.tensor(sx.transform(df[feats].values), dtype=torch.float32)
Y = torch.tensor(sy.transform(df[["score"]].values), dtype=torch.float32)


class Block(nn.Module):
    """Linear + ReLU."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin = nn.Linear(n_in, n_out)
        nn.init.kaiming_normal_(self.lin.weight, nonlinearity="relu")
        nn.init.constant_(self.lin.bias, 0.0)

    def forward(self, x):
        return torch.relu(self.lin(x))


model = nn.Sequential(Block(4, 32), Block(32, 32), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.SmoothL1Loss()

for epoch in range(25):
    model.train()
    total = 0.0
    for idx in torch.randperm(cut).split(30):
        optimizer.zero_grad()
        loss = loss_fn(model(X[idx]), Y[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} train loss {total / cut:.4f}")

model.eval()
with torch.no_grad():
    pred = model(X[cut:])
    r2 = 1 - ((pred - Y[cut:]) ** 2).mean() / Y[cut:].var()
print(f"R2 on held-out rows: {r2.item():.3f}")
