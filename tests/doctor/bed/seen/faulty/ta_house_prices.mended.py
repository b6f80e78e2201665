# expect: nothing
"""House prices, Kaggle style: look at the table, encode, split, fit a small network, report R2."""
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 77
torch.manual_seed(SEED)


def read_listings(n=1800):
    rng = np.random.default_rng(SEED)
    town = rng.choice(["north", "harbour", "old town", "hills"], n, p=[0.4, 0.2, 0.15, 0.25])
    table = pd.DataFrame({
        "town": town,
        "living_area": rng.gamma(12, 10, n).round(),
        "lot": rng.gamma(4, 120, n).round(),
        "year": rng.integers(1900, 2022, n),
        "bathrooms": rng.integers(1, 4, n),
    })
    factor = table.town.map({"north": 1.0, "harbour": 1.5, "old town": 1.35, "hills": 1.15})
    base = 1.9 * table.living_area + 0.05 * table.lot + 0.6 * (table.year - 1900) + 12 * table.bathrooms
    table["price"] = (factor * base + rng.normal(0, 20, n)).clip(lower=40).round(1)
    return table


houses = read_listings()

# a first look: what do the cheapest and the dearest have in common?
houses = houses.sort_values("price").reset_index(drop=True)
print(houses.head(2).to_string())
print(houses.tail(2).to_string())

X = pd.get_dummies(houses.drop(columns="price"), columns=["town"], dtype=float)
y = houses["price"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=SEED)

scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
offset, unit = y_train.mean(), y_train.std()

train_ds = TensorDataset(
    torch.from_numpy(X_train).float(), torch.from_numpy(((y_train - offset) / unit).to_numpy()).float()
)
train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)


class PriceNet(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        return self.body(x).view(-1)


net = PriceNet(X_train.shape[1])
loss_fn = nn.HuberLoss()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)

for epoch in range(20):
    net.train()
    losses = []
    for xb, yb in train_dl:
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:2d} huber {np.mean(losses):.4f}")

net.eval()
with torch.no_grad():
    predicted = net(torch.from_numpy(X_test).float()).numpy() * unit + offset
actual = y_test.to_numpy()
r2 = 1 - ((actual - predicted) ** 2).sum() / ((actual - actual.mean()) ** 2).sum()
print(f"R2 on the test houses: {r2:.3f}")
print(f"median error: {np.median(np.abs(actual - predicted)):.1f}k")
