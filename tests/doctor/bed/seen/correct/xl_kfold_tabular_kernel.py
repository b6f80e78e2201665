# expect: nothing
# Kaggle-style kernel: 5-fold CV, missing values, blending of seeds, holdout at the end
import random

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset


class CFG:
    seeds = [42, 2024]
    n_folds = 5
    epochs = 12
    batch_size = 32
    lr = 2e-3
    weight_decay = 1e-4
    hidden = 48


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class TabDataset(Dataset):
    def __init__(self, X, y=None):
        self.X = torch.tensor(X, dtype=torch.float32)
        self.y = None if y is None else torch.tensor(y, dtype=torch.float32)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i] if self.y is None else (self.X[i], self.y[i])


class Model(nn.Module):
    def __init__(self, n_features, hidden):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_features, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(hidden, 1))

    def forward(self, x):
        return self.net(x).squeeze(-1)


def train_fn(model, optimizer, scheduler, loss_fn, loader):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    return total / len(loader)


def inference_fn(model, loader):
    model.eval()
    preds = []
    with torch.no_grad():
        for x in loader:
            preds.append(model(x).sigmoid().numpy())
    return np.concatenate(preds)


def run_fold(train, test, features, tr_idx, va_idx, verbose):
    prep = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    X_tr = prep.fit_transform(train.loc[tr_idx, features])
    X_va = prep.transform(train.loc[va_idx, features])
    X_te = prep.transform(test[features])

    train_loader = DataLoader(TabDataset(X_tr, train.loc[tr_idx, "target"].values),
                              batch_size=CFG.batch_size, shuffle=True, drop_last=True)
    model = Model(len(features), CFG.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=CFG.lr, weight_decay=CFG.weight_decay)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=CFG.lr * 5, epochs=CFG.epochs, steps_per_epoch=len(train_loader))
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(CFG.epochs):
        loss = train_fn(model, optimizer, scheduler, loss_fn, train_loader)
    if verbose:
        print(f"  final train loss {loss:.4f}")
    return (inference_fn(model, DataLoader(TabDataset(X_va), batch_size=256)),
            inference_fn(model, DataLoader(TabDataset(X_te), batch_size=256)))


def main():
    df = load_breast_cancer(as_frame=True).frame
    features = [c for c in df.columns if c != "target"]
    rng = np.random.default_rng(0)
    df[features] = df[features].mask(rng.random((len(df), len(features))) < 0.05)
    print("missing values:", int(df[features].isna().sum().sum()))
    train, test = train_test_split(df, test_size=0.2, stratify=df["target"], random_state=0)
    train, test = train.reset_index(drop=True), test.reset_index(drop=True)

    oof, pred = np.zeros(len(train)), np.zeros(len(test))
    for seed in CFG.seeds:
        seed_everything(seed)
        folds = StratifiedKFold(CFG.n_folds, shuffle=True, random_state=seed)
        for fold, (tr_idx, va_idx) in enumerate(folds.split(train, train["target"])):
            va, te = run_fold(train, test, features, tr_idx, va_idx, verbose=fold == 0)
            oof[va_idx] += va / len(CFG.seeds)
            pred += te / (len(CFG.seeds) * CFG.n_folds)
            if seed == CFG.seeds[0]:
                print(f"FOLD {fold}: auc {roc_auc_score(train.loc[va_idx, 'target'], va):.4f}")

    print(f"OOF  auc {roc_auc_score(train['target'], oof):.4f} "
          f"logloss {log_loss(train['target'], oof):.4f}")
    print(f"TEST auc {roc_auc_score(test['target'], pred):.4f} "
          f"logloss {log_loss(test['target'], pred):.4f}")


if __name__ == "__main__":
    main()
