# expect: test_in_train @ 59
# allowed: test_in_train @ 62
# allowed: test_in_train @ 63
"""K-fold cross-validation of a small network on a medical table, one Dataset class for all folds."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold
from torch.utils.data import DataLoader, Dataset, Subset

torch.manual_seed(8)
np.random.seed(8)
X, y = make_classification(n_samples=400, n_features=15, n_informative=5, flip_y=0.25, random_state=8)


class PatientDataset(Dataset):
    def __init__(self, X, y, mean, std):
        self.X = torch.tensor((X - mean) / std, dtype=torch.float32)
        self.y = torch.tensor(y, dtype=torch.long)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.X[i], self.y[i]


def build_model():
    return nn.Sequential(nn.Linear(15, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def train_fold(model, loader, epochs=25):
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    crit = nn.CrossEntropyLoss()
    for _ in range(epochs):
        model.train()
        for xb, yb in loader:
            opt.zero_grad()
            loss = crit(model(xb), yb)
            loss.backward()
            opt.step()


def evaluate(model, loader):
    model.eval()
    ok = n = 0
    with torch.no_grad():
        for xb, yb in loader:
            ok += (model(xb).argmax(1) == yb).sum().item()
            n += len(yb)
    return ok / n


scores = []
skf = StratifiedKFold(n_splits=4, shuffle=True, random_state=8)
for fold, (tr_idx, va_idx) in enumerate(skf.split(X, y)):
    dataset = PatientDataset(X, y, X[tr_idx].mean(0), X[tr_idx].std(0))
    train_loader = DataLoader(dataset, batch_size=32, shuffle=True)
    val_loader = DataLoader(Subset(dataset, va_idx.tolist()), batch_size=64)
    model = build_model()
    train_fold(model, train_loader)
    acc = evaluate(model, val_loader)
    scores.append(acc)
    print(f"fold {fold}: validation accuracy {acc:.3f}")
print(f"mean {np.mean(scores):.3f} +- {np.std(scores):.3f}")
