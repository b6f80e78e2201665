# expect: nothing
# Tabular kernel: K-fold with out-of-fold predictions, missing values and a categorical embedding
import random

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from torch.utils.data import DataLoader, Dataset


class CFG:
    seed = 2024
    n_folds = 4
    epochs = 6
    batch_size = 64
    lr = 5e-3
    num_cols = [f"num_{i}" for i in range(8)]
    cat_col = "city"


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def make_frame(n, rng):
    df = pd.DataFrame(rng.normal(size=(n, 8)) * [1, 5, 20, 1, 3, 1, 100, 1], columns=CFG.num_cols)
    df["city"] = rng.integers(0, 6, n)
    effect = np.array([-1.2, -0.6, 0.0, 0.3, 0.7, 1.1])
    score = 1.5 * df["num_0"] + 0.2 * df["num_1"] - 0.05 * df["num_2"] + effect[df["city"]] + 0.3 * rng.normal(size=n)
    df["target"] = (score > 0).astype(int)
    holes = rng.random((n, 8)) < 0.04
    df[CFG.num_cols] = df[CFG.num_cols].mask(holes)
    return df


class Prep:
    """Median imputation and standardisation, fitted on the training part of a fold."""

    def fit(self, df):
        self.median = df[CFG.num_cols].median()
        filled = df[CFG.num_cols].fillna(self.median)
        self.mean, self.std = filled.mean(), filled.std()
        return self

    def transform(self, df):
        num = (df[CFG.num_cols].fillna(self.median) - self.mean) / self.std
        return num.to_numpy(np.float32), df[CFG.cat_col].to_numpy(np.int64)


class TabDataset(Dataset):
    def __init__(self, num, cat, target=None):
        self.num, self.cat, self.target = num, cat, target

    def __len__(self):
        return len(self.num)

    def __getitem__(self, i):
        label = 0.0 if self.target is None else self.target[i]
        return torch.tensor(self.num[i]), torch.tensor(self.cat[i]), torch.tensor(label, dtype=torch.float32)


class TabModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(6, 4)
        self.mlp = nn.Sequential(nn.Linear(12, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 1))

    def forward(self, num, cat):
        return self.mlp(torch.cat([num, self.emb(cat)], dim=1)).squeeze(-1)


def train_fn(model, loader, optimizer, criterion):
    model.train()
    losses = []
    for num, cat, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(num, cat), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


def predict_fn(model, loader):
    model.eval()
    preds = []
    with torch.no_grad():
        for num, cat, _ in loader:
            preds.append(model(num, cat).sigmoid().numpy())
    return np.concatenate(preds)


def main():
    seed_everything(CFG.seed)
    rng = np.random.default_rng(CFG.seed)
    train, test = make_frame(800, rng), make_frame(400, rng)
    oof, test_pred = np.zeros(len(train)), np.zeros(len(test))
    folds = StratifiedKFold(CFG.n_folds, shuffle=True, random_state=CFG.seed)
    for fold, (trn_idx, val_idx) in enumerate(folds.split(train, train["target"])):
        trn_df, val_df = train.iloc[trn_idx], train.iloc[val_idx]
        prep = Prep().fit(trn_df)
        trn_loader = DataLoader(TabDataset(*prep.transform(trn_df), trn_df["target"].to_numpy()),
                                batch_size=CFG.batch_size, shuffle=True, drop_last=True)
        val_loader = DataLoader(TabDataset(*prep.transform(val_df)), batch_size=256)
        test_loader = DataLoader(TabDataset(*prep.transform(test)), batch_size=256)

        model = TabModel()
        optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=1e-2)
        for epoch in range(CFG.epochs):
            loss = train_fn(model, trn_loader, optimizer, nn.BCEWithLogitsLoss())
        oof[val_idx] = predict_fn(model, val_loader)
        test_pred += predict_fn(model, test_loader) / CFG.n_folds
        print(f"fold {fold}: train loss {loss:.4f}, val AUC {roc_auc_score(val_df['target'], oof[val_idx]):.4f}")

    print(f"OOF AUC {roc_auc_score(train['target'], oof):.4f}, log loss {log_loss(train['target'], oof):.4f}")
    print(f"test AUC {roc_auc_score(test['target'], test_pred):.4f}")


if __name__ == "__main__":
    main()
