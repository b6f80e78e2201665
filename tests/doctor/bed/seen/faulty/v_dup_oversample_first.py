# expect: duplicate_leakage @ 25
# allowed: duplicate_leakage @ 26
"""Rare-disease screening: the rare class is oversampled by repetition, then split and fitted."""
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.metrics import recall_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def oversample(X, y, rng):
    rare = np.flatnonzero(y == 1)
    extra = rng.choice(rare, size=(y == 0).sum() - len(rare))
    keep = rng.permutation(np.concatenate([np.arange(len(y)), extra]))
    return X[keep], y[keep]


def get_data(seed=0):
    rng = np.random.default_rng(seed)
    X, y = make_classification(900, 20, n_informative=6, n_redundant=2, weights=[0.88], class_sep=1.0,
                               flip_y=0.03, n_clusters_per_class=2, random_state=seed)
    X, y = oversample(X, y, rng)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
    sc = StandardScaler().fit(X_tr)
    f = lambda a: torch.tensor(sc.transform(a), dtype=torch.float32)
    return f(X_tr), torch.tensor(y_tr), f(X_te), torch.tensor(y_te)


def main():
    torch.manual_seed(0)
    X_tr, y_tr, X_te, y_te = get_data()
    loader = DataLoader(TensorDataset(X_tr, y_tr), batch_size=64, shuffle=True)
    net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
    for epoch in range(30):
        net.train()
        for x, y in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        pred = net(X_te).argmax(1)
    acc = (pred == y_te).float().mean().item()
    print(f"test accuracy {acc:.3f} recall of rare class {recall_score(y_te, pred):.3f}")


main()
