# expect: clip_too_small @ 20
# allowed: clip_too_small @ 38
"""Progression du diabète : un MLP entraîné par SGD, comparé à la régression ridge."""
import argparse

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler


def lire_options():
    p = argparse.ArgumentParser()
    p.add_argument("--epoques", type=int, default=30)
    p.add_argument("--pas", type=float, default=0.02)
    p.add_argument("--borne", type=float, default=1e-3, help="norme maximale du gradient")
    p.add_argument("--taille-lot", type=int, default=32)
    p.add_argument("--graine", type=int, default=4)
    return p.parse_args()


def construire(d):
    return nn.Sequential(nn.Linear(d, 24), nn.Tanh(), nn.Linear(24, 1))


def apprendre(reseau, X, y, opt, options):
    critere = nn.MSELoss()
    for _ in range(options.epoques):
        reseau.train()
        for lot in torch.randperm(len(X)).split(options.taille_lot):
            opt.zero_grad()
            erreur = critere(reseau(X[lot]).squeeze(1), y[lot])
            erreur.backward()
            nn.utils.clip_grad_norm_(reseau.parameters(), options.borne)
            opt.step()


def main():
    options = lire_options()
    torch.manual_seed(options.graine)
    X, y = load_diabetes(return_X_y=True)
    notes_mlp, notes_ridge = [], []
    for tr, te in KFold(5, shuffle=True, random_state=options.graine).split(X):
        sx = StandardScaler().fit(X[tr])
        sy = StandardScaler().fit(y[tr, None])
        X_tr, X_te = sx.transform(X[tr]), sx.transform(X[te])
        y_tr = sy.transform(y[tr, None]).ravel()

        reseau = construire(X.shape[1])
        opt = torch.optim.SGD(reseau.parameters(), lr=options.pas, momentum=0.9)
        apprendre(reseau, torch.tensor(X_tr, dtype=torch.float32),
                  torch.tensor(y_tr, dtype=torch.float32), opt, options)
        reseau.eval()
        with torch.no_grad():
            prevu = reseau(torch.tensor(X_te, dtype=torch.float32)).numpy()
        prevu = sy.inverse_transform(prevu).ravel()
        notes_mlp.append(r2_score(y[te], prevu))
        notes_ridge.append(r2_score(y[te], sy.inverse_transform(
            Ridge(alpha=1.0).fit(X_tr, y_tr).predict(X_te)[:, None]).ravel()))
    print("R2 par pli (MLP)  :", np.round(notes_mlp, 3))
    print("R2 par pli (ridge):", np.round(notes_ridge, 3))
    print(f"moyenne : MLP {np.mean(notes_mlp):.3f}  ridge {np.mean(notes_ridge):.3f}")


if __name__ == "__main__":
    main()
