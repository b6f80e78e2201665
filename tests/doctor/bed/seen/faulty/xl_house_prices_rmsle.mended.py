# expect: nothing
"""House prices: train an MLP directly on the competition metric (RMSLE)."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(0)
rng = np.random.default_rng(0)


def make_houses(n=1800):
    df = pd.DataFrame({
        "area": rng.normal(120, 35, n).clip(35, 300),
        "rooms": rng.integers(1, 8, n),
        "age": rng.integers(0, 90, n),
        "km_to_centre": rng.exponential(8, n),
        "garage": rng.integers(0, 3, n),
        "quality": rng.integers(1, 11, n),
    })
    log_price = (0.6 + 0.006 * (df.area - 120) + 0.05 * df.rooms - 0.004 * df.age
                 - 0.03 * df.km_to_centre + 0.06 * df.garage + 0.09 * (df.quality - 5))
    df["price"] = np.exp(log_price + rng.normal(0, 0.1, n))  # in units of 100k
    return df


class PriceNet(nn.Module):
    def __init__(self, n_in, hidden=64):
        super().__init__()
        self.fc1 = nn.Linear(n_in, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return F.softplus(self.out(x).squeeze(-1)) + 1e-4


class RMSLELoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.mse = nn.MSELoss()

    def forward(self, pred, actual):
        return torch.sqrt(self.mse(torch.log(pred), torch.log(actual)))


houses = make_houses()
features = houses.drop(columns="price").to_numpy(dtype="float32")
prices = houses["price"].to_numpy(dtype="float32")
x_train, x_test, y_train, y_test = train_test_split(features, prices, test_size=0.25, random_state=1)
sc = StandardScaler()
x_train = torch.from_numpy(sc.fit_transform(x_train))
x_test = torch.from_numpy(sc.transform(x_test))
y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)

net = PriceNet(x_train.shape[1])
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
criterion = RMSLELoss()

for epoch in range(40):
    net.train()
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(64):
        opt.zero_grad()
        loss = criterion(net(x_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1}: train rmsle {total / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    print(f"test rmsle {criterion(net(x_test), y_test).item():.4f}")
