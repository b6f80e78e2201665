# expect: nothing
"""Five-fold breast tumour classifier with gradient accumulation; prints out-of-fold accuracy and AUC."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

N_FOLDS, EPOCHS, BATCH, ACCUM, LR = 5, 8, 16, 2, 0.05


class TabNet(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


def train_fn(loader, model, criterion, optimizer):
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for i, (xb, yb) in enumerate(loader):
        loss = criterion(model(xb), yb)
        (loss / ACCUM).backward()
        total += loss.item()
        if (i + 1) % ACCUM == 0:
            optimizer.step()
            optimizer.zero_grad()
    return total / len(loader)


@torch.no_grad()
def infer_fn(X, model):
    model.eval()
    return torch.sigmoid(model(torch.from_numpy(X))).numpy()


def run_fold(fold, X, y, tr, va):
    scaler = StandardScaler().fit(X[tr])
    Xtr = scaler.transform(X[tr]).astype(np.float32)
    Xva = scaler.transform(X[va]).astype(np.float32)
    n_keep = len(Xtr) // (BATCH * ACCUM) * ACCUM
    ds = TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(y[tr]))
    loader = DataLoader(ds, batch_size=BATCH, shuffle=True, drop_last=True)
    model = TabNet(X.shape[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
    criterion = nn.BCEWithLogitsLoss()
    for _ in range(EPOCHS):
        loss = train_fn(loader, model, criterion, optimizer)
    p = infer_fn(Xva, model)
    print(f"fold {fold}  steps/epoch {n_keep // ACCUM}  train loss {loss:.4f}  "
          f"acc {((p > 0.5) == y[va]).mean():.4f}")
    return p


def main():
    torch.manual_seed(2021)
    X, y = load_breast_cancer(return_X_y=True)
    y = y.astype(np.float32)
    oof = np.zeros(len(y), dtype=np.float32)
    skf = StratifiedKFold(N_FOLDS, shuffle=True, random_state=2021)
    for fold, (tr, va) in enumerate(skf.split(X, y)):
        oof[va] = run_fold(fold, X, y, tr, va)
    print(f"OOF acc {((oof > 0.5) == y).mean():.4f}  AUC {roc_auc_score(y, oof):.4f}")


if __name__ == "__main__":
    main()
