# expect: clip_too_small @ 46
# allowed: clip_too_small @ 36
"""Kaggle-like credit scoring kernel: tabular MLP with SGD and gradient clipping."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(42)
torch.manual_seed(42)

N = 1500
df = pd.DataFrame({
    "age": np.random.randint(18, 75, N),
    "income": np.random.lognormal(10, 0.5, N),
    "debt": np.random.lognormal(8, 0.8, N),
    "n_loans": np.random.poisson(1.5, N),
})
score = 1.2 * (np.log(df.debt) - 8) - 1.5 * (np.log(df.income) - 10) + 0.7 * (df.n_loans - 1.5) - 0.02 * (df.age - 45)
df["default"] = (score + np.random.randn(N) * 0.3 > 0).astype(int)

features = ["age", "income", "debt", "n_loans"]
train_df, test_df = train_test_split(df, test_size=0.2, random_state=42, stratify=df["default"])
scaler = StandardScaler().fit(train_df[features])
to_t = lambda d: torch.tensor(scaler.transform(d[features]), dtype=torch.float32)
X_train, y_train = to_t(train_df), torch.tensor(train_df["default"].values, dtype=torch.float32)
X_test, y_test = to_t(test_df), torch.tensor(test_df["default"].values, dtype=torch.float32)

loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
MAX_NORM = 1e-4


def fit_one_epoch():
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        total += loss.item() * len(xb)
    return total / len(y_train)


for epoch in range(12):
    tr = fit_one_epoch()
    print(f"epoch {epoch + 1:2d} train loss {tr:.4f}")

model.eval()
with torch.no_grad():
    prob = torch.sigmoid(model(X_test).squeeze(1))
acc = ((prob > 0.5).float() == y_test).float().mean().item()
print(f"test accuracy {acc:.3f}")
