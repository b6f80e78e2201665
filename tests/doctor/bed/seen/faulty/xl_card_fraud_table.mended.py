# expect: nothing
# %% [markdown]
# ## Card transactions: a small neural network that flags fraud

# %%
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(99)
rng = np.random.default_rng(99)

# %% make the table
n = 8000
fraud = (rng.random(n) < 0.025).astype(int)
df = pd.DataFrame({
    "amount": rng.lognormal(3.5 + 0.7 * fraud, 0.8),
    "hour": (rng.normal(14 - 3 * fraud, 5) % 24),
    "km_from_home": rng.gamma(2 + 1.2 * fraud, 6.0),
    "tx_last_day": rng.poisson(3 + 1.5 * fraud),
    "account_months": rng.integers(1, 120, n),
    "is_fraud": fraud,
})
df["amount"] = np.log1p(df["amount"])

# %% split and scale
train_df, test_df = train_test_split(df, test_size=0.25, stratify=df["is_fraud"], random_state=99)
cols = [c for c in df.columns if c != "is_fraud"]
scaler = StandardScaler().fit(train_df[cols])


def to_tensors(frame):
    x = torch.tensor(scaler.transform(frame[cols]), dtype=torch.float32)
    return x, torch.tensor(frame["is_fraud"].to_numpy(), dtype=torch.float32)


x_train, y_train = to_tensors(train_df)
x_test, y_test = to_tensors(test_df)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=128, shuffle=True)

# %% model
model = nn.Sequential(nn.Linear(len(cols), 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
n_pos = y_train.sum()
loss_fn = nn.BCEWithLogitsLoss(pos_weight=(len(y_train) - n_pos) / n_pos)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

# %% train
for epoch in range(10):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1:2d}  train loss {total / len(y_train):.4f}")

# %% evaluate
model.eval()
with torch.no_grad():
    pred = (model(x_test).squeeze(1) > 0).float()
recall = pred[y_test == 1].mean().item()
specificity = 1 - pred[y_test == 0].mean().item()
print(f"test recall {recall:.3f}  specificity {specificity:.3f}  balanced accuracy {(recall + specificity) / 2:.3f}")
print(f"flagged {int(pred.sum())} of {len(pred)} transactions")
