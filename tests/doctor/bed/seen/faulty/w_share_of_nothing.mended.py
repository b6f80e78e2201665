# expect: nothing
"""Whether a shop visit ends in a sale, from counts of clicks: a Dataset over a table."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def visits(n=1500, seed=4):
    rng = np.random.default_rng(seed)
    seen = rng.poisson(4.0, n)
    liked = rng.binomial(seen, 0.4)
    minutes = rng.gamma(2.0, 3.0, n)
    bought = rng.random(n) < 1 / (1 + np.exp(-(0.9 * liked - 0.2 * seen - 0.1 * minutes)))
    return pd.DataFrame({"seen": seen, "liked": liked, "minutes": minutes, "bought": bought.astype("float32")})


class Visits(Dataset):
    COLUMNS = ["seen", "liked", "share", "minutes"]

    def __init__(self, table, mean=None, std=None):
        table = table.copy()
        table["share"] = table["liked"] / table["seen"].clip(lower=1)
        x = table[self.COLUMNS]
        self.mean, self.std = (x.mean(), x.std()) if mean is None else (mean, std)
        self.x = ((x - self.mean) / self.std).to_numpy(np.float32)
        self.y = table["bought"].to_numpy()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


torch.manual_seed(4)
table = visits()
train = Visits(table[:1100])
test = Visits(table[1100:], train.mean, train.std)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(10):
    net.train()
    for x, y in DataLoader(train, batch_size=50, shuffle=True):
        loss = criterion(net(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    said = net(torch.from_numpy(test.x)).squeeze(1) > 0
print(f"accuracy {(said.numpy() == (test.y > 0.5)).mean():.3f}")
