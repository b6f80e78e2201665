# expect: nothing
"""Predicting house prices with k-fold cross-validation, after the Dive into Deep Learning chapter."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils import data

torch.manual_seed(0)
rng = np.random.default_rng(0)


def make_houses(n=800):
    quality = rng.integers(1, 11, n)
    df = pd.DataFrame({
        "OverallQual": quality,
        "GrLivArea": rng.normal(1500, 450, n).clip(400),
        "LotFrontage": rng.normal(70, 20, n),
        "YearBuilt": rng.integers(1900, 2011, n),
        "Neighborhood": rng.choice(["NAmes", "CollgCr", "OldTown", "Edwards"], n),
    })
    zone = df.Neighborhood.map({"NAmes": 0.0, "CollgCr": 0.25, "OldTown": -0.2, "Edwards": -0.1})
    log_p = 10.6 + 0.1 * quality + 0.0004 * df.GrLivArea + 0.003 * (df.YearBuilt - 1950) + zone
    df["SalePrice"] = np.exp(log_p + rng.normal(0, 0.1, n))
    df.loc[rng.random(n) < 0.1, "LotFrontage"] = np.nan
    return df


def preprocess(train, valid):
    """Standardise with the statistics of the training part, fill the gaps with the mean."""
    numeric = ["OverallQual", "GrLivArea", "LotFrontage", "YearBuilt"]
    mu, sd = train[numeric].mean(), train[numeric].std()
    levels = sorted(train.Neighborhood.unique())
    out = []
    for part in (train, valid):
        num = ((part[numeric] - mu) / sd).fillna(0.0).values
        hot = np.stack([(part.Neighborhood == level).values for level in levels], axis=1)
        out.append(torch.tensor(np.hstack([num, hot]), dtype=torch.float32))
        out.append(torch.tensor(np.log(part.SalePrice.values), dtype=torch.float32).reshape(-1, 1))
    return out


loss = nn.MSELoss()


def get_net(in_features, bias):
    net = nn.Sequential(nn.Linear(in_features, 32), nn.ReLU(), nn.Linear(32, 1))
    nn.init.constant_(net[-1].bias, bias)  # start at the mean log price
    return net


def log_rmse(net, features, labels):
    net.eval()
    with torch.no_grad():
        return torch.sqrt(loss(net(features), labels)).item()


def train(net, X, y, X_valid, y_valid, num_epochs, lr, wd, batch_size):
    train_iter = data.DataLoader(data.TensorDataset(X, y), batch_size, shuffle=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=wd)
    train_ls, valid_ls = [], []
    for _ in range(num_epochs):
        net.train()
        for xb, yb in train_iter:
            optimizer.zero_grad()
            l = loss(net(xb), yb)
            l.backward()
            optimizer.step()
        train_ls.append(log_rmse(net, X, y))
        valid_ls.append(log_rmse(net, X_valid, y_valid))
    return train_ls, valid_ls


houses = make_houses()
k = 4
folds = np.array_split(rng.permutation(len(houses)), k)
sum_train = sum_valid = 0.0
for i in range(k):
    rest = np.concatenate([f for j, f in enumerate(folds) if j != i])
    X, y, Xv, yv = preprocess(houses.iloc[rest], houses.iloc[folds[i]])
    net = get_net(X.shape[1], y.mean().item())
    tr, va = train(net, X, y, Xv, yv, num_epochs=25, lr=0.01, wd=1e-4, batch_size=64)
    sum_train += tr[-1]
    sum_valid += va[-1]
    print(f"fold {i + 1}, train log rmse {tr[-1]:.4f}, valid log rmse {va[-1]:.4f}")
print(f"{k}-fold validation: avg train log rmse {sum_train / k:.4f}, avg valid log rmse {sum_valid / k:.4f}")
