# expect: missing_eval @ 54
# allowed: missing_eval @ 67
# allowed: missing_eval @ 69
# Chiffres manuscrits (tableau de 64 pixels) : validation croisée, on garde les poids de la meilleure époque de validation,
# puis on mesure sur un pli de test jamais vu.
import copy

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(21)


class Reseau(torch.nn.Module):
    def __init__(self, n_in, n_classes, cache=32, p=0.6):
        super().__init__()
        self.entree = torch.nn.Linear(n_in, cache)
        self.norme = torch.nn.BatchNorm1d(cache)
        self.sortie = torch.nn.Linear(cache, n_classes)
        self.p = p

    def forward(self, x):
        h = F.relu(self.norme(self.entree(x)))
        h = F.dropout(h, self.p, training=self.training)
        return self.sortie(h)


def entrainer(net, Xa, ya, Xv, yv, epoques=15, lot=48):
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    meilleure, garde = float("inf"), None
    for ep in range(epoques):
        net.train()
        ordre = torch.randperm(len(Xa))
        for debut in range(0, len(Xa) - 1, lot):
            idx = ordre[debut:debut + lot]
            opt.zero_grad()
            F.cross_entropy(net(Xa[idx]), ya[idx]).backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            perte = F.cross_entropy(net(Xv), yv).item()
        if perte < meilleure:
            meilleure, garde = perte, copy.deepcopy(net.state_dict())
    return garde, meilleure


def charger(poids, n_in, n_classes):
    net = Reseau(n_in, n_classes)
    net.load_state_dict(poids)
    return net


X, y = load_digits(return_X_y=True)
plis = StratifiedKFold(n_splits=3, shuffle=True, random_state=21)
taux, pertes = [], []
for k, (app, test) in enumerate(plis.split(X, y)):
    app, val = train_test_split(app, test_size=0.2, stratify=y[app], random_state=k)
    norm = StandardScaler().fit(X[app])
    t = lambda i: torch.tensor(norm.transform(X[i]), dtype=torch.float32)
    c = lambda i: torch.tensor(y[i])
    poids, pv = entrainer(Reseau(X.shape[1], 10), t(app), c(app), t(val), c(val))

    final = charger(poids, X.shape[1], 10)
    with torch.no_grad():
        scores = final(t(test))
    pertes.append(F.cross_entropy(scores, c(test)).item())
    taux.append((scores.argmax(1) == c(test)).float().mean().item())
    print(f"pli {k}: perte val {pv:.3f} | perte test {pertes[-1]:.3f}, justesse {taux[-1]:.3f}")

print(f"moyenne: justesse {np.mean(taux):.3f}, perte {np.mean(pertes):.3f}")
