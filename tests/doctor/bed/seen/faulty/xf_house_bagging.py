# expect: lr_too_low @ 53
# allowed: lr_too_low @ 41
# Bagging: five small nets on bootstrap rows of a house-price table, averaged at the end.
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import mean_absolute_error
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split


@dataclass
class Settings:
    members: int = 5
    hidden: int = 24
    epochs: int = 12
    batch: int = 32
    lr: float = 5e-3
    decay: float = 1e-6


def make_houses(n, seed):
    r = np.random.default_rng(seed)
    houses = pd.DataFrame({
        "area": r.normal(110, 30, n).clip(35),
        "age": r.uniform(0, 80, n),
        "rooms": r.integers(1, 8, n),
        "distance": r.exponential(6, n),
    })
    houses["price"] = (
        2.4 * houses["area"] * np.exp(-houses["distance"] / 12)
        + 9 * houses["rooms"] - 0.7 * houses["age"] + r.normal(0, 12, n)
    )
    return houses


def adamw_for(net, decay, lr):
    return torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=decay)


def fit_member(data, cfg, seed):
    torch.manual_seed(seed)
    picks = torch.randint(len(data), (len(data),)).tolist()
    loader = DataLoader(Subset(data, picks), batch_size=cfg.batch, shuffle=True)
    net = nn.Sequential(
        nn.Linear(4, cfg.hidden), nn.SiLU(),
        nn.Linear(cfg.hidden, cfg.hidden), nn.SiLU(),
        nn.Linear(cfg.hidden, 1),
    )
    opt = adamw_for(net, cfg.lr, cfg.decay)
    for _ in range(cfg.epochs):
        for xb, yb in loader:
            opt.zero_grad(set_to_none=True)
            loss = nn.functional.mse_loss(net(xb), yb)
            loss.backward()
            opt.step()
    return net.eval(), loss.item()


cfg = Settings()
houses = make_houses(1500, seed=9)
train_rows, test_rows = random_split(range(len(houses)), [1100, 400], generator=torch.Generator().manual_seed(9))
train, test = houses.iloc[list(train_rows)], houses.iloc[list(test_rows)]

features = ["area", "age", "rooms", "distance"]
fx, fy = StandardScaler().fit(train[features]), StandardScaler().fit(train[["price"]])
data = TensorDataset(
    torch.tensor(fx.transform(train[features]), dtype=torch.float32),
    torch.tensor(fy.transform(train[["price"]]), dtype=torch.float32),
)
x_test = torch.tensor(fx.transform(test[features]), dtype=torch.float32)

predictions = []
for k in range(cfg.members):
    net, last = fit_member(data, cfg, seed=k)
    with torch.no_grad():
        predictions.append(fy.inverse_transform(net(x_test).numpy())[:, 0])
    print(f"member {k}: last batch loss {last:.3f}, MAE {mean_absolute_error(test['price'], predictions[-1]):.1f}")

bagged = np.mean(predictions, axis=0)
plain = np.full(len(test), train["price"].mean())
print(f"bagged MAE {mean_absolute_error(test['price'], bagged):.1f} "
      f"(training mean as guess: {mean_absolute_error(test['price'], plain):.1f})")
