# expect: nothing
import random

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class CFG:
    seed = 2024
    n_folds = 4
    epochs = 18
    batch_size = 64
    lr = 5e-3
    num_cols = ["area", "age", "rooms", "distance"]
    cat_cols = ["district", "heating"]
    target = "price"


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def make_frame(n, rng):
    df = pd.DataFrame({
        "area": rng.gamma(6, 15, n), "age": rng.uniform(0, 80, n),
        "rooms": rng.integers(1, 7, n), "distance": rng.exponential(6, n),
        "district": rng.integers(0, 12, n), "heating": rng.integers(0, 4, n),
    })
    level = np.sin(np.arange(12) * 1.7) * 0.5
    df["price"] = (0.9 * np.log(df.area) - 0.006 * df.age - 0.04 * df.distance
                   + level[df.district] * (1 + 0.1 * df.heating) + rng.normal(0, 0.12, n))
    return df


class TabularNet(nn.Module):
    def __init__(self, cardinalities, n_num):
        super().__init__()
        self.embs = nn.ModuleList([nn.Embedding(c, min(8, (c + 1) // 2)) for c in cardinalities])
        width = n_num + sum(e.embedding_dim for e in self.embs)
        self.layers = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, num, cat):
        embedded = [e(cat[:, i]) for i, e in enumerate(self.embs)]
        return self.layers(torch.cat([num] + embedded, dim=1)).squeeze(1)


def to_dataset(df, x_scaler, y_scaler):
    num = x_scaler.transform(df[CFG.num_cols])
    y = y_scaler.transform(df[[CFG.target]]).ravel()
    return TensorDataset(torch.tensor(num, dtype=torch.float32),
                         torch.tensor(df[CFG.cat_cols].values, dtype=torch.long),
                         torch.tensor(y, dtype=torch.float32))


@torch.no_grad()
def predict(model, dataset, y_scaler):
    model.eval()
    out = [model(num, cat) for num, cat, _ in DataLoader(dataset, batch_size=512)]
    return y_scaler.inverse_transform(torch.cat(out).numpy()[:, None]).ravel()


def fit_fold(train_df, other_dfs, fold):
    seed_everything(CFG.seed + fold)
    x_scaler = StandardScaler().fit(train_df[CFG.num_cols])
    y_scaler = StandardScaler().fit(train_df[[CFG.target]])
    loader = DataLoader(to_dataset(train_df, x_scaler, y_scaler), CFG.batch_size, shuffle=True)
    model = TabularNet(cardinalities=[12, 4], n_num=len(CFG.num_cols))
    opt = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=1e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=CFG.epochs)
    loss_fn = nn.MSELoss()
    for _ in range(CFG.epochs):
        model.train()
        for num, cat, y in loader:
            opt.zero_grad()
            loss = loss_fn(model(num, cat), y)
            loss.backward()
            opt.step()
        sched.step()
    return [predict(model, to_dataset(df, x_scaler, y_scaler), y_scaler) for df in other_dfs]


def rmse(y, p):
    return mean_squared_error(y, p) ** 0.5


seed_everything(CFG.seed)
df = make_frame(1600, np.random.default_rng(CFG.seed))
train, test = df.iloc[:1200].reset_index(drop=True), df.iloc[1200:].reset_index(drop=True)
oof, test_pred = np.zeros(len(train)), np.zeros(len(test))

for fold, (trn_idx, val_idx) in enumerate(KFold(CFG.n_folds, shuffle=True, random_state=CFG.seed).split(train)):
    val_p, test_p = fit_fold(train.iloc[trn_idx], [train.iloc[val_idx], test], fold)
    oof[val_idx] = val_p
    test_pred += test_p / CFG.n_folds
    print(f"fold {fold}  rmse {rmse(train.price.iloc[val_idx], val_p):.4f}")

print(f"out-of-fold rmse {rmse(train.price, oof):.4f}   target std {train.price.std():.4f}")
print(f"test rmse (mean of folds) {rmse(test.price, test_pred):.4f}")
