# expect: nothing
# Kernel: 5-fold MLP baseline, out-of-fold predictions
import random
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class CFG:
    seed = 42
    n_fold = 5
    epochs = 10
    bs = 32
    lr = 2e-3
    wd = 1e-3


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class TabModel(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.layers(x).squeeze(1)


def train_fn(model, loader, optimizer, loss_fn):
    model.train()
    total, n = 0.0, 0
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
        n += len(y)
    return total / n


def inference_fn(model, x):
    model.eval()
    with torch.no_grad():
        return model(x).sigmoid().numpy()


def run_fold(df, features, trn_idx, val_idx):
    seed_everything(CFG.seed)
    trn, val = df.iloc[trn_idx], df.iloc[val_idx]
    scaler = StandardScaler().fit(trn[features])
    x_trn = torch.tensor(scaler.transform(trn[features]), dtype=torch.float32)
    x_val = torch.tensor(scaler.transform(val[features]), dtype=torch.float32)
    y_trn = torch.tensor(trn["target"].to_numpy(), dtype=torch.float32)
    loader = DataLoader(TensorDataset(x_trn, y_trn), batch_size=CFG.bs, shuffle=True, drop_last=True)
    model = TabModel(len(features))
    optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=CFG.wd)
    for _ in range(CFG.epochs):
        loss = train_fn(model, loader, optimizer, nn.BCEWithLogitsLoss())
    return loss, inference_fn(model, x_val)


df = load_breast_cancer(as_frame=True).frame
features = [c for c in df.columns if c != "target"]
oof = np.zeros(len(df))
folds = StratifiedKFold(CFG.n_fold, shuffle=True, random_state=CFG.seed)
for f, (trn_idx, val_idx) in enumerate(folds.split(df, df["target"])):
    loss, oof[val_idx] = run_fold(df, features, trn_idx, val_idx)
    print(f"fold {f}: loss {loss:.4f} auc {roc_auc_score(df['target'].iloc[val_idx], oof[val_idx]):.4f}")
print(f"OOF auc {roc_auc_score(df['target'], oof):.4f} "
      f"balanced acc {balanced_accuracy_score(df['target'], oof > 0.5):.4f}")
