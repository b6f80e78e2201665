# expect: nothing
"""Churn model on a customer table: numeric columns plus how common the customer's city is."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 11
rng = np.random.default_rng(SEED)
torch.manual_seed(SEED)


def make_customers(n=2400):
    # a few big cities and a long tail of small towns
    sizes = 1.0 / np.arange(1, 1501) ** 0.8
    city = rng.choice(1500, size=n, p=sizes / sizes.sum())
    months = rng.integers(1, 60, n)
    bill = rng.gamma(4.0, 12.0, n)
    tickets = rng.poisson(1.5, n)
    z = 0.06 * (bill - 48) - 0.05 * (months - 30) + 0.7 * (tickets - 1.5) + 0.5 * (city > 150)
    z = z - np.median(z)
    churn = (rng.random(n) < 1 / (1 + np.exp(-1.5 * z))).astype(int)
    return pd.DataFrame({
        "city": [f"c{c:04d}" for c in city],
        "months": months, "bill": bill, "tickets": tickets, "churn": churn,
    })


class CityShare:
    """Replaces the name of the city by its share of the training customers."""

    def fit(self, frame):
        self.share_ = frame["city"].value_counts(normalize=True)
        return self

    def transform(self, frame):
        out = frame.drop(columns=["city", "churn"]).copy()
        out["city_share"] = np.sqrt(frame["city"].map(self.share_).fillna(0.0))
        return out


customers = make_customers()
train, test = train_test_split(customers, test_size=0.3, random_state=SEED, stratify=customers["churn"])

enc = CityShare().fit(train)
scaler = StandardScaler().fit(enc.transform(train))


def tensors(frame):
    x = scaler.transform(enc.transform(frame))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(frame["churn"].to_numpy(), dtype=torch.float32)


Xtr, ytr = tensors(train)
Xte, yte = tensors(test)
loader = DataLoader(TensorDataset(Xtr, ytr), batch_size=64, shuffle=True)

net = nn.Sequential(nn.Linear(Xtr.shape[1], 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
bce = nn.BCEWithLogitsLoss()

for epoch in range(1, 21):
    net.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = bce(net(xb).squeeze(1), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d}  train loss {total / len(Xtr):.4f}")

net.eval()
with torch.no_grad():
    guess = (net(Xte).squeeze(1) > 0).float()
hit = (guess == yte).float().mean().item()
caught = guess[yte == 1].mean().item()
print(f"share of churners: {yte.mean():.3f}")
print(f"test accuracy {hit:.3f}   churners caught {caught:.3f}")
