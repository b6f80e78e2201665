# expect: nothing
"""Kundenabwanderung: features and churn labels come from two tables that share a customer id."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def tabellen(n=1500):
    rng = np.random.default_rng(8)
    ids = rng.permutation(n) + 1000
    x = rng.normal(size=(n, 6))
    churn = (x[:, 0] - x[:, 1] + x[:, 2] * x[:, 3] + 0.3 * rng.normal(size=n) > 0).astype(int)
    merkmale = pd.DataFrame(x, columns=list("abcdef")).assign(kunde=ids)
    labels = pd.DataFrame({"kunde": ids, "churn": churn})
    return merkmale, labels


def zusammenfuehren():
    merkmale, labels = tabellen()
    merkmale = merkmale.sort_values("kunde").reset_index(drop=True)
    y = labels.set_index("kunde").loc[merkmale["kunde"], "churn"].to_numpy()
    x = merkmale.drop(columns="kunde").to_numpy(dtype=np.float32)
    return torch.tensor(x), torch.tensor(y, dtype=torch.float32)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return ((model(x).squeeze(1) > 0).float() == y).float().mean().item()


torch.manual_seed(0)
x, y = zusammenfuehren()
reihenfolge = torch.randperm(len(x))
tr, te = reihenfolge[:1200], reihenfolge[1200:]
loader = DataLoader(TensorDataset(x[tr], y[tr]), batch_size=60, shuffle=True)
model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(20):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch} loss {total / len(loader):.4f} test acc {evaluate(model, x[te], y[te]):.3f}")
