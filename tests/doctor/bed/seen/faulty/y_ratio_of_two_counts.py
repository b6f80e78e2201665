# expect: nan_inputs @ 20
# allowed: nan_inputs @ 27
# allowed: nan_inputs @ 41
# allowed: non_finite_loss @ 41
"""Purchases predicted from a table of banner counts."""

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
rng = np.random.default_rng(3)
n = 800
df = pd.DataFrame({"shown": rng.poisson(4, n), "age": rng.normal(40, 12, n), "night": rng.integers(0, 2, n)})
df["clicked"] = rng.binomial(df["shown"], 0.15 + 0.5 * df["night"])
df["bought"] = (rng.random(n) < 0.15 + 0.6 * (df["clicked"] > 1)).astype(int)

df["rate"] = df["clicked"] / df["shown"]
columns = ["rate", "age", "night", "clicked"]
train, test = df[:640], df[640:]
mu, sd = train[columns].mean(), train[columns].std()


def tensors(part):
    x = torch.tensor(((part[columns] - mu) / sd).to_numpy(dtype=np.float32))
    return x, torch.tensor(part["bought"].to_numpy(dtype=np.float32))


loader = DataLoader(TensorDataset(*tensors(train)), batch_size=64, shuffle=True)
x_test, y_test = tensors(test)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

for epoch in range(8):
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(xb)
    print(f"epoch {epoch}: loss {running / 640:.4f}")

model.eval()
with torch.no_grad():
    hits = ((model(x_test).squeeze(1) > 0).float() == y_test).float().mean()
print(f"test accuracy {hits:.3f}")
