# expect: duplicate_leakage @ 15
"""Two exports of one table overlap; joined and split, the same rows land on both sides."""

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(1)
table = pd.DataFrame(rng.normal(size=(500, 5)), columns=list("abcde"))
table["price"] = table.a - 0.5 * table.b * table.c + 0.5 * rng.normal(size=500)
january, february = table.iloc[:350], table.iloc[150:]
joined = pd.concat([january, february]).sample(frac=1.0, random_state=0)
cut = int(0.8 * len(joined))


def loader(part, shuffle):
    x = torch.tensor(part[list("abcde")].to_numpy(), dtype=torch.float32)
    y = torch.tensor(part[["price"]].to_numpy(), dtype=torch.float32)
    return DataLoader(TensorDataset(x, y), batch_size=40, shuffle=shuffle)


train_dl, test_dl = loader(joined[:cut], True), loader(joined[cut:], False)
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
mse = nn.MSELoss()
for _ in range(8):
    net.train()
    for xb, yb in train_dl:
        opt.zero_grad()
        loss = mse(net(xb), yb)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    errors = [mse(net(xb), yb).item() for xb, yb in test_dl]
print(f"train mse {loss.item():.4f} test mse {sum(errors) / len(errors):.4f}")
