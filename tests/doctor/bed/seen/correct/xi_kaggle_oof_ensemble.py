# expect: nothing
# Tabular playground: 5-fold OOF, 2 seeds per fold, averaged submission
import os
import random

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset


class CFG:
    n_folds = 5
    seeds = [0, 1]
    epochs = 6
    batch_size = 64
    lr = 1e-2
    hidden = 48
    dropout = 0.1


def seed_everything(seed):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


X, y = make_classification(n_samples=1500, n_features=16, n_informative=8, class_sep=1.0, random_state=9)
features = [f"f_{i:02d}" for i in range(X.shape[1])]
everything = pd.DataFrame(X, columns=features).assign(target=y)
train_df, test_df = everything.iloc[:1200].copy(), everything.iloc[1200:].reset_index(drop=True)


class TabDataset(Dataset):
    def __init__(self, x, y=None):
        self.x = torch.tensor(x, dtype=torch.float32)
        self.y = None if y is None else torch.tensor(y, dtype=torch.float32)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i] if self.y is None else (self.x[i], self.y[i])


def build():
    return nn.Sequential(nn.Linear(len(features), CFG.hidden), nn.BatchNorm1d(CFG.hidden), nn.SiLU(),
                         nn.Dropout(CFG.dropout), nn.Linear(CFG.hidden, 1))


def train_fn(model, loader):
    opt = torch.optim.AdamW(model.parameters(), lr=CFG.lr)
    sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=CFG.epochs * len(loader))
    loss_fn = nn.BCEWithLogitsLoss()
    model.train()
    for _ in range(CFG.epochs):
        for x, t in loader:
            opt.zero_grad()
            loss = loss_fn(model(x).squeeze(-1), t)
            loss.backward()
            opt.step()
            sch.step()


def infer_fn(model, loader):
    model.eval()
    with torch.no_grad():
        return np.concatenate([model(x).sigmoid().squeeze(-1).numpy() for x in loader])


oof, sub = np.zeros(len(train_df)), np.zeros(len(test_df))
skf = StratifiedKFold(CFG.n_folds, shuffle=True, random_state=42)
for fold, (tr, va) in enumerate(skf.split(train_df, train_df.target)):
    scaler = StandardScaler().fit(train_df.iloc[tr][features].values)
    xs = [scaler.transform(d[features].values) for d in (train_df.iloc[tr], train_df.iloc[va], test_df)]
    for seed in CFG.seeds:
        seed_everything(seed + 100 * fold)
        model = build()
        train_fn(model, DataLoader(TabDataset(xs[0], train_df.target.values[tr]), CFG.batch_size,
                                   shuffle=True, drop_last=True))
        oof[va] += infer_fn(model, DataLoader(TabDataset(xs[1]), 256)) / len(CFG.seeds)
        sub += infer_fn(model, DataLoader(TabDataset(xs[2]), 256)) / (CFG.n_folds * len(CFG.seeds))
    print(f"fold {fold}: auc {roc_auc_score(train_df.target.values[va], oof[va]):.4f}")

print(f"OOF auc {roc_auc_score(train_df.target, oof):.4f}  logloss {log_loss(train_df.target, oof):.4f}")
print(f"private auc {roc_auc_score(test_df.target, sub):.4f}")
