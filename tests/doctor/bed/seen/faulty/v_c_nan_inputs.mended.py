# expect: nothing
"""Titanic-like table: one-hot columns, standardised numbers, small MLP."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(140)
torch.manual_seed(140)
n = 900
df = pd.DataFrame({"Pclass": np.random.choice([1, 2, 3], n, p=[0.25, 0.2, 0.55]), "Sex": np.random.choice(["male", "female"], n, p=[0.6, 0.4]),
                   "Age": np.random.normal(30, 13, n).clip(1), "Fare": np.random.lognormal(3, 0.9, n)})
logit = 2.5 * (df.Sex == "female") - 0.9 * (df.Pclass - 2) - 0.03 * (df.Age - 30) - 1.2
df["Survived"] = (np.random.rand(n) < 1 / (1 + np.exp(-logit))).astype(int)
df.loc[df.sample(frac=0.1, random_state=1).index, "Age"] = np.nan
df["Fare"] = np.log1p(df["Fare"])

train_df, test_df = df.iloc[:700].copy(), df.iloc[700:].copy()
num = ["Age", "Fare"]


def preprocess(part, ref):
    out = pd.get_dummies(part[["Pclass", "Sex"]].astype(str)).astype("float32")
    for c in num:
        out[c] = ((part[c] - ref[c].mean()) / ref[c].std()).fillna(0.0)
    return torch.tensor(out.values.astype("float32")), torch.tensor(part["Survived"].values, dtype=torch.float32)


X_train, y_train = preprocess(train_df, train_df)
X_test, y_test = preprocess(test_df, train_df)
model = nn.Sequential(nn.Linear(X_train.shape[1], 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)
for epoch in range(15):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(-1), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {total / len(loader):.4f}")

model.eval()
with torch.no_grad():
    pred = (model(X_test).squeeze(-1) > 0).float()
print("accuracy", round((pred == y_test).float().mean().item(), 3))
