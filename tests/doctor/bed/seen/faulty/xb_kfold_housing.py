# expect: test_in_train @ 47
# allowed: test_in_train @ 45
# allowed: test_in_train @ 50
# allowed: test_in_train @ 85
"""K-fold cross-validation on a small housing table (my notes on d2l 5.7, rewritten without d2l)."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils import data

torch.manual_seed(1)
rng = np.random.RandomState(1)


def make_houses(n=240):
    houses = pd.DataFrame({
        "LotArea": rng.lognormal(9, 0.4, n),
        "Quality": rng.randint(1, 11, n),
        "YearBuilt": rng.randint(1900, 2011, n),
        "Rooms": rng.randint(2, 12, n),
        "GarageCars": rng.randint(0, 4, n),
        "Zone": rng.choice(["RL", "RM", "FV", "C"], n),
        "Roof": rng.choice(["Gable", "Hip", "Flat"], n),
    })
    for k in range(12):  # survey answers, mostly noise
        houses[f"Survey{k:02d}"] = rng.randint(1, 6, n)
    log_price = (
        11.2 + 0.09 * houses["Quality"] + 0.03 * houses["Rooms"] + 0.08 * houses["GarageCars"]
        + 0.25 * (np.log(houses["LotArea"]) - 9) + 0.15 * (houses["Zone"] == "FV")
        + rng.normal(0, 0.18, n)
    )
    houses["SalePrice"] = np.exp(log_price)
    return houses.sample(frac=1, random_state=1).reset_index(drop=True)


def get_k_fold_data(k, i, X, y):
    """Part i is for validation, the other k - 1 parts are for training."""
    assert k > 1
    fold_size = len(X) // k
    X_train, y_train = None, None
    for j in range(k):
        idx = slice(j * fold_size, (j + 1) * fold_size)
        X_part, y_part = X[idx], y[idx]
        if j == i:
            X_valid, y_valid = X_part, y_part
        if X_train is None:
            X_train, y_train = X_part, y_part
        else:
            X_train = np.concatenate([X_train, X_part])
            y_train = np.concatenate([y_train, y_part])
    return X_train, y_train, X_valid, y_valid


def standardize(train, valid):
    mean, std = train.mean(0), train.std(0) + 1e-8
    return (train - mean) / std, (valid - mean) / std


def get_net(in_features):
    return nn.Sequential(nn.Linear(in_features, 48), nn.ReLU(), nn.Linear(48, 1))


def log_rmse(net, X, y, scale):
    net.eval()
    with torch.no_grad():
        return scale * nn.functional.mse_loss(net(X), y).sqrt().item()


def train(net, X, y, num_epochs, lr, weight_decay, batch_size):
    loss = nn.MSELoss()
    loader = data.DataLoader(data.TensorDataset(X, y), batch_size, shuffle=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=weight_decay)
    for _ in range(num_epochs):
        net.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            loss(net(xb), yb).backward()
            optimizer.step()


def k_fold(k, features, log_price, **hyper):
    train_sum = valid_sum = 0.0
    for i in range(k):
        X_tr, y_tr, X_va, y_va = get_k_fold_data(k, i, features, log_price)
        scale = float(y_tr.std())
        X_tr, X_va = standardize(X_tr, X_va)
        y_tr, y_va = standardize(y_tr, y_va)
        X_tr, X_va, y_tr, y_va = (torch.tensor(a, dtype=torch.float32) for a in (X_tr, X_va, y_tr, y_va))
        net = get_net(X_tr.shape[1])
        train(net, X_tr, y_tr, **hyper)
        t, v = log_rmse(net, X_tr, y_tr, scale), log_rmse(net, X_va, y_va, scale)
        print(f"fold {i + 1}: train log rmse {t:.4f}, valid log rmse {v:.4f}")
        train_sum += t
        valid_sum += v
    return train_sum / k, valid_sum / k


houses = make_houses()
all_features = pd.get_dummies(houses.drop(columns="SalePrice"), dtype=float).to_numpy()
log_price = np.log(houses[["SalePrice"]].to_numpy())
train_l, valid_l = k_fold(5, all_features, log_price, num_epochs=14, lr=0.01, weight_decay=1e-3, batch_size=32)
print(f"5-fold: avg train log rmse {train_l:.4f}, avg valid log rmse {valid_l:.4f}")
