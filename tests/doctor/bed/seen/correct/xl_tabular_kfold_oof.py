# expect: nothing
# Kaggle-style kernel: tabular regression, 5 folds, out-of-fold score and averaged submission
import random

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import make_friedman1
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset


class CFG:
    seed = 2021
    n_folds = 5
    epochs = 30
    batch_size = 64
    lr = 1e-2
    weight_decay = 1e-4
    hidden = 48


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def read_data():
    X, y = make_friedman1(n_samples=1400, n_features=8, noise=0.5, random_state=CFG.seed)
    df = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    df.insert(0, "id", np.arange(len(df)))
    df["target"] = y
    return df.iloc[:1000].reset_index(drop=True), df.iloc[1000:].reset_index(drop=True)


class TabDataset(Dataset):
    def __init__(self, X, y=None):
        self.X = torch.tensor(X, dtype=torch.float32)
        self.y = None if y is None else torch.tensor(y, dtype=torch.float32)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i] if self.y is None else (self.X[i], self.y[i])


class Net(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, CFG.hidden), nn.SiLU(),
            nn.Linear(CFG.hidden, CFG.hidden), nn.SiLU(),
            nn.Linear(CFG.hidden, 1),
        )

    def forward(self, x):
        return self.layers(x).squeeze(-1)


def train_fn(model, loader, optimizer, scheduler, loss_fn):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
        scheduler.step()


def inference_fn(model, X):
    model.eval()
    preds = []
    for x in DataLoader(TabDataset(X), batch_size=256):
        with torch.no_grad():
            preds.append(model(x).numpy())
    return np.concatenate(preds)


def rmse(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


seed_everything(CFG.seed)
train, test = read_data()
features = [c for c in train.columns if c.startswith("f")]
oof = np.zeros(len(train))
test_preds = np.zeros(len(test))

kf = KFold(n_splits=CFG.n_folds, shuffle=True, random_state=CFG.seed)
for fold, (trn_idx, val_idx) in enumerate(kf.split(train)):
    trn, val = train.iloc[trn_idx], train.iloc[val_idx]
    sx = StandardScaler().fit(trn[features].values)
    mu, sd = trn["target"].mean(), trn["target"].std()

    loader = DataLoader(TabDataset(sx.transform(trn[features].values), ((trn["target"] - mu) / sd).values),
                        batch_size=CFG.batch_size, shuffle=True)
    model = Net(len(features))
    optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=CFG.weight_decay)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=CFG.epochs * len(loader))
    for epoch in range(CFG.epochs):
        train_fn(model, loader, optimizer, scheduler, nn.MSELoss())

    oof[val_idx] = inference_fn(model, sx.transform(val[features].values)) * sd + mu
    test_preds += (inference_fn(model, sx.transform(test[features].values)) * sd + mu) / CFG.n_folds
    print(f"fold {fold}: rmse {rmse(oof[val_idx], val['target'].values):.4f}")

print(f"OOF rmse {rmse(oof, train['target'].values):.4f}  (target std {train['target'].std():.4f})")
print(f"test rmse of the averaged prediction {rmse(test_preds, test['target'].values):.4f}")
submission = pd.DataFrame({"id": test["id"], "target": test_preds})
print(submission.head(3).to_string(index=False))
