# expect: nothing
# A table of prices: numeric columns of all rows are standardized together, then cut at n_train. Mended.
import numpy as np
import pandas as pd
import torch
from torch import nn

rng = np.random.default_rng(0)
n = 900
table = pd.DataFrame({"Id": np.arange(n), "area": rng.gamma(6, 200, n), "year": rng.integers(1900, 2010, n)})
table["quality"] = rng.integers(1, 10, n)
table["zone"] = rng.choice(["RL", "RM", "FV"], n)
table["price"] = 900 * table.area**0.5 + 4000 * table.quality + 90 * (table.year - 1900) + rng.normal(0, 3000, n)
train_data, test_data = table.iloc[:650].copy(), table.iloc[650:].copy()

all_features = pd.concat((train_data.iloc[:, 1:-1], test_data.iloc[:, 1:-1]))
numeric_features = all_features.select_dtypes("number").columns
known = train_data[numeric_features]
all_features[numeric_features] = (all_features[numeric_features] - known.mean()) / known.std()
all_features = pd.get_dummies(all_features, dummy_na=True, dtype=float)

n_train = train_data.shape[0]
train_features = torch.tensor(all_features[:n_train].values, dtype=torch.float32)
test_features = torch.tensor(all_features[n_train:].values, dtype=torch.float32)
train_labels = torch.tensor(train_data.price.values.reshape(-1, 1) / 1e5, dtype=torch.float32)
test_labels = torch.tensor(test_data.price.values.reshape(-1, 1) / 1e5, dtype=torch.float32)

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(train_features.shape[1], 32), nn.ReLU(), nn.Linear(32, 1))
loss = nn.MSELoss()


def log_rmse(net, features, labels):
    with torch.no_grad():
        clipped = torch.clamp(net(features), 1e-3, float("inf"))
        return torch.sqrt(loss(torch.log(clipped), torch.log(labels))).item()


optimizer = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=1e-4)
train_iter = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(train_features, train_labels), 64, shuffle=True)
for epoch in range(30):
    for X, y in train_iter:
        optimizer.zero_grad()
        l = loss(net(X), y)
        l.backward()
        optimizer.step()
print("train", log_rmse(net, train_features, train_labels), "test", log_rmse(net, test_features, test_labels))
