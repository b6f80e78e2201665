# expect: metric_wrong_axis @ 31
# allowed: metric_wrong_axis @ 32
# allowed: metric_wrong_axis @ 61
# allowed: metric_wrong_axis @ 73
# Kleines Ensemble auf dem Brustkrebs-Datensatz, ein Netz je Fold
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(11)
np.random.seed(11)

daten = load_breast_cancer()
X_rest, X_test, y_rest, y_test = train_test_split(
    daten.data.astype(np.float32), daten.target, test_size=0.2, random_state=11, stratify=daten.target)


def baue_netz(n_ein):
    return nn.Sequential(
        nn.Linear(n_ein, 24), nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(24, 1),
    )


def genauigkeit(logits, ziel):
    """Anteil richtiger Vorhersagen."""
    vorhersage = (logits > 0).float()
    return (vorhersage == ziel).float().mean().item()


def trainiere(netz, X, y, epochen=30, batch=32):
    opt = torch.optim.Adam(netz.parameters(), lr=3e-3, weight_decay=1e-4)
    verlust = nn.BCEWithLogitsLoss()
    netz.train()
    for _ in range(epochen):
        perm = torch.randperm(len(X))
        for i in range(0, len(X), batch):
            idx = perm[i:i + batch]
            opt.zero_grad()
            v = verlust(netz(X[idx]).squeeze(1), y[idx])
            v.backward()
            opt.step()
    return netz


netze, skalierer, werte = [], [], []
for fold, (tr, va) in enumerate(KFold(5, shuffle=True, random_state=11).split(X_rest)):
    sk = StandardScaler().fit(X_rest[tr])
    X_tr = torch.from_numpy(sk.transform(X_rest[tr]).astype(np.float32))
    X_va = torch.from_numpy(sk.transform(X_rest[va]).astype(np.float32))
    y_tr = torch.from_numpy(y_rest[tr]).float()
    y_va = torch.from_numpy(y_rest[va]).float()

    netz = trainiere(baue_netz(X_tr.shape[1]), X_tr, y_tr)
    netz.eval()
    with torch.no_grad():
        g = genauigkeit(netz(X_va), y_va)
    werte.append(g)
    netze.append(netz)
    skalierer.append(sk)
    print(f"Fold {fold}: Genauigkeit {g:.3f}")

print(f"Mittel über die Folds: {np.mean(werte):.3f} ± {np.std(werte):.3f}")

with torch.no_grad():
    logits = torch.stack([
        n(torch.from_numpy(s.transform(X_test).astype(np.float32))) for n, s in zip(netze, skalierer)
    ]).mean(dim=0)
print(f"Ensemble auf Testdaten: {genauigkeit(logits, torch.from_numpy(y_test).float()):.3f}")
