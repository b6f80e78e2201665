# expect: nothing
"""Prices from a table that somebody sorted by price before it was saved."""

import numpy as np
import pandas as pd
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(7)
houses = pd.DataFrame({"area": rng.uniform(40, 200, 700), "rooms": rng.integers(1, 7, 700)})
houses["distance"] = rng.exponential(6.0, 700)
houses["price"] = 2.1 * houses.area + 15 * houses.rooms - 6 * houses.distance + rng.normal(0, 12, 700)
houses = houses.sort_values("price").reset_index(drop=True)

houses = houses.sample(frac=1.0, random_state=0)
train = houses.head(560)
test = houses.tail(140)
features = ["area", "rooms", "distance"]
mean, std = train.mean(), train.std()


def to_tensors(part):
    z = ((part - mean) / std).astype("float32")
    return torch.tensor(z[features].values), torch.tensor(z["price"].values).unsqueeze(1)


x_train, y_train = to_tensors(train)
x_test, y_test = to_tensors(test)
net = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
mse = nn.MSELoss()
for epoch in range(20):
    net.train()
    for idx in torch.randperm(len(x_train)).split(40):
        opt.zero_grad()
        loss = mse(net(x_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        net.eval()
        with torch.no_grad():
            print(
                f"{epoch + 1:3d} train {mse(net(x_train), y_train):.4f} test {mse(net(x_test), y_test):.4f}"
            )
