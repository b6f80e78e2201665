# expect: nothing
# Kaggle-style kernel: StratifiedKFold, entity embeddings, out-of-fold AUC, averaged test predictions
import gc
import random

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset


class CFG:
    seed = 2023
    n_folds = 4
    epochs = 5
    batch_size = 64
    lr = 4e-3
    weight_decay = 1e-5


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


seed_everything(CFG.seed)
CATS = ['region', 'channel', 'product']
NUMS = ['amount', 'age', 'visits']


def load_tables(n=2600, n_test=600):
    df = pd.DataFrame({
        'region': np.random.randint(0, 8, n), 'channel': np.random.randint(0, 4, n),
        'product': np.random.randint(0, 12, n), 'amount': np.random.lognormal(3, 0.7, n),
        'age': np.random.uniform(18, 80, n), 'visits': np.random.poisson(4, n),
    })
    eff = {c: np.random.normal(0, 0.9, df[c].nunique()) for c in CATS}
    z = sum(e[df[c].to_numpy()] for c, e in eff.items())
    z = z + np.log(df['amount']) - 3 + 0.25 * (df['visits'] - 4)
    z = z - np.median(z)
    df['target'] = (np.random.rand(n) < 1 / (1 + np.exp(-1.5 * z))).astype(int)
    df['amount'] = np.log1p(df['amount'])
    return df.iloc[:-n_test].reset_index(drop=True), df.iloc[-n_test:].reset_index(drop=True)


class TableDataset(Dataset):
    def __init__(self, df, scaler):
        self.cats = torch.tensor(df[CATS].to_numpy(), dtype=torch.long)
        self.nums = torch.tensor(scaler.transform(df[NUMS]), dtype=torch.float32)
        self.y = torch.tensor(df['target'].to_numpy(), dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.cats[i], self.nums[i], self.y[i]


class Model(nn.Module):
    def __init__(self, cards):
        super().__init__()
        dims = [min(50, (c + 1) // 2) for c in cards]
        self.embs = nn.ModuleList([nn.Embedding(c, d) for c, d in zip(cards, dims)])
        self.mlp = nn.Sequential(nn.Linear(sum(dims) + len(NUMS), 48), nn.BatchNorm1d(48), nn.ReLU(),
                                 nn.Dropout(0.2), nn.Linear(48, 1))

    def forward(self, cats, nums):
        x = torch.cat([e(cats[:, i]) for i, e in enumerate(self.embs)] + [nums], dim=1)
        return self.mlp(x).squeeze(-1)


def train_fn(model, loader, optimizer, criterion):
    model.train()
    total = 0.0
    for cats, nums, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(cats, nums), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * y.size(0)
    return total / len(loader.dataset)


def predict_fn(model, loader):
    model.eval()
    preds = []
    with torch.no_grad():
        for cats, nums, _ in loader:
            preds.append(model(cats, nums).sigmoid().numpy())
    return np.concatenate(preds)


train, test = load_tables()
cards = [8, 4, 12]
oof = np.zeros(len(train))
test_pred = np.zeros(len(test))
skf = StratifiedKFold(n_splits=CFG.n_folds, shuffle=True, random_state=CFG.seed)
for fold, (tr_idx, va_idx) in enumerate(skf.split(train, train['target'])):
    scaler = StandardScaler().fit(train.loc[tr_idx, NUMS])
    tr_loader = DataLoader(TableDataset(train.loc[tr_idx], scaler), batch_size=CFG.batch_size, shuffle=True,
                           drop_last=False)
    va_loader = DataLoader(TableDataset(train.loc[va_idx], scaler), batch_size=256, shuffle=False)
    te_loader = DataLoader(TableDataset(test, scaler), batch_size=256, shuffle=False)

    model = Model(cards)
    optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=CFG.weight_decay)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(CFG.epochs):
        loss = train_fn(model, tr_loader, optimizer, criterion)
    oof[va_idx] = predict_fn(model, va_loader)
    test_pred += predict_fn(model, te_loader) / CFG.n_folds
    print(f"fold {fold} | train loss {loss:.4f} | AUC {roc_auc_score(train.loc[va_idx, 'target'], oof[va_idx]):.4f}")
    del model, optimizer
    gc.collect()

print(f"OOF AUC  : {roc_auc_score(train['target'], oof):.4f}")
print(f"test AUC : {roc_auc_score(test['target'], test_pred):.4f}")
