# expect: nothing
"""Store sales: GRU with store embedding, expanding-window folds, out-of-fold RMSLE-like score, final hold-out."""
import gc
import random

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import TimeSeriesSplit
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset


class CFG:
    seed = 2022
    lookback = 14
    n_stores = 6
    n_days = 440
    holdout_days = 60
    n_folds = 2
    epochs = 8
    batch_size = 64
    lr = 1.5e-2
    weight_decay = 1e-4


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


seed_everything(CFG.seed)

# ---- "train.csv" ----
frames = []
for store in range(CFG.n_stores):
    day = np.arange(CFG.n_days)
    promo = (np.random.rand(CFG.n_days) < 0.3).astype(float)
    week = np.array([0.0, -0.1, -0.1, 0.0, 0.3, 0.6, -0.5])[(day + store) % 7]
    log_sales = 4 + 0.3 * store + week + 0.4 * promo + 0.2 * np.sin(day / 50) + np.random.randn(CFG.n_days) * 0.08
    frames.append(pd.DataFrame({"store": store, "day": day, "promo": promo, "sales": np.expm1(log_sales)}))
df = pd.concat(frames, ignore_index=True)
df["log_sales"] = np.log1p(df["sales"])
df["dow_sin"] = np.sin(2 * np.pi * df["day"] / 7)
df["dow_cos"] = np.cos(2 * np.pi * df["day"] / 7)


class SalesDataset(Dataset):
    def __init__(self, df, days, scaler):
        self.items = []
        df = df.assign(y=scaler.transform(df[["log_sales"]].to_numpy())[:, 0])
        for store, part in df.groupby("store"):
            part = part.sort_values("day")
            feats = part[["y", "promo", "dow_sin", "dow_cos"]].to_numpy(np.float32)
            for d in days:
                if d < CFG.lookback:
                    continue
                past = feats[d - CFG.lookback:d]
                known = feats[d, 1:]
                self.items.append((past, known, store, feats[d, 0]))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class SalesGRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.store = nn.Embedding(CFG.n_stores, 4)
        self.gru = nn.GRU(4, 24, batch_first=True)
        self.head = nn.Sequential(nn.Linear(24 + 4 + 3, 32), nn.GELU(), nn.Linear(32, 1))

    def forward(self, past, known, store):
        _, h = self.gru(past)
        return self.head(torch.cat([h[-1], self.store(store), known], dim=1)).squeeze(1)


def train_fn(model, loader, optimizer, scheduler):
    model.train()
    losses = []
    for past, known, store, y in loader:
        loss = nn.functional.mse_loss(model(past, known, store), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict_fn(model, loader):
    model.eval()
    out = [(model(past, known, store), y) for past, known, store, y in loader]
    return tuple(torch.cat(v).numpy() for v in zip(*out))


def fit_and_predict(df, fit_days, eval_days):
    scaler = StandardScaler().fit(df.loc[df["day"].isin(fit_days), ["log_sales"]].to_numpy())
    train_loader = DataLoader(SalesDataset(df, fit_days, scaler), batch_size=CFG.batch_size, shuffle=True)
    eval_loader = DataLoader(SalesDataset(df, eval_days, scaler), batch_size=512)
    model = SalesGRU()
    optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=CFG.weight_decay)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=CFG.epochs * len(train_loader))
    for _ in range(CFG.epochs):
        loss = train_fn(model, train_loader, optimizer, scheduler)
    pred, truth = predict_fn(model, eval_loader)
    del model, optimizer
    gc.collect()
    return loss, (pred - truth) * scaler.scale_[0]


all_days = np.arange(CFG.n_days - CFG.holdout_days)
oof = []
for fold, (tr, va) in enumerate(TimeSeriesSplit(n_splits=CFG.n_folds, test_size=60).split(all_days)):
    loss, err = fit_and_predict(df, all_days[tr], all_days[va])
    oof.append(err)
    print(f"fold {fold}: last train loss {loss:.4f}  rmsle {np.sqrt(np.mean(err ** 2)):.4f}")
print(f"CV rmsle {np.sqrt(np.mean(np.concatenate(oof) ** 2)):.4f}")

_, err = fit_and_predict(df, all_days, np.arange(CFG.n_days - CFG.holdout_days, CFG.n_days))
print(f"hold-out rmsle {np.sqrt(np.mean(err ** 2)):.4f}  (noise in the data 0.08)")
