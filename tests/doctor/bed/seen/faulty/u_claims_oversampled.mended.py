# expect: nothing
"""Rare insurance claims: claims are repeated until both outcomes are equally frequent, then a network learns to spot them."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

COLUMNS = ["age", "power", "bonus", "km", "value", "density", "town", "tenure"]


def policies(n, seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, len(COLUMNS))), columns=COLUMNS)
    risk = 1.1 * table["power"] - 1.0 * table["bonus"] + 0.9 * table["km"] + rng.normal(0, 1.0, n)
    table["claim"] = (risk > np.quantile(risk, 0.85)).astype(int)
    return table


def balance(table, seed):
    rare = table[table.claim == 1]
    extra = rare.sample(len(table) - 2 * len(rare), replace=True, random_state=seed)
    return pd.concat([table, extra], ignore_index=True)


def tensors(table):
    x = torch.tensor(table[COLUMNS].to_numpy(), dtype=torch.float32)
    return x, torch.tensor(table["claim"].to_numpy(), dtype=torch.float32)


torch.manual_seed(12)
table = policies(900, seed=12)
train, test = train_test_split(table, test_size=0.3, stratify=table["claim"], random_state=12)
train = balance(train, seed=12)

x_train, y_train = tensors(train)
x_test, y_test = tensors(test)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)

model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Dropout(0.1), nn.Linear(24, 1), nn.Flatten(0))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

for epoch in range(15):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1} loss {total / len(train):.4f}")

model.eval()
with torch.no_grad():
    flagged = model(x_test) > 0
claims = y_test == 1
print(f"test rows {len(test)}, claims {int(claims.sum())}")
print(f"recall of claims {flagged[claims].float().mean().item():.3f}")
print(f"specificity {(~flagged[~claims]).float().mean().item():.3f}")
