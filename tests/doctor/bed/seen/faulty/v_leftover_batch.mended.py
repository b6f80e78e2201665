# expect: nothing
"""Breast cancer classifier with batch norm; the table is split 80/20."""
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

BATCH = 42


def prepare(seed=3):
    X, y = load_breast_cancer(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=seed, stratify=y)
    X_tr, X_val, y_tr, y_val = train_test_split(X_tr, y_tr, test_size=34, random_state=seed, stratify=y_tr)
    sc = StandardScaler().fit(X_tr)
    sets = []
    for a, b in ((X_tr, y_tr), (X_val, y_val), (X_te, y_te)):
        sets.append(TensorDataset(torch.tensor(sc.transform(a), dtype=torch.float32),
                                  torch.tensor(b, dtype=torch.float32)))
    return sets


def train_loader(ds):
    return DataLoader(ds, batch_size=BATCH, shuffle=True, drop_last=True)


class MLP(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(d, 32), nn.BatchNorm1d(32), nn.ReLU(),
            nn.Linear(32, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.body(x)).squeeze(1)


def score(model, ds):
    model.eval()
    x, y = ds.tensors
    with torch.no_grad():
        return ((model(x) > 0).float() == y).float().mean().item()


def main():
    torch.manual_seed(3)
    tr, val, te = prepare()
    print("train rows", len(tr))
    model = MLP(30)
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    lossf = nn.BCEWithLogitsLoss()
    for epoch in range(12):
        model.train()
        for x, y in train_loader(tr):
            opt.zero_grad()
            loss = lossf(model(x), y)
            loss.backward()
            opt.step()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1} val acc {score(model, val):.3f}")
    print(f"test acc {score(model, te):.3f}")


if __name__ == "__main__":
    main()
