# expect: scheduler_misuse @ 36
# allowed: scheduler_misuse @ 67
# mend: 36 →     plan = optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max", factor=facteur, patience=patience)
"""Petit reseau sur les chiffres de sklearn, le pas est reduit quand la validation stagne."""
import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim


def lire_options():
    p = argparse.ArgumentParser()
    p.add_argument("--tours", type=int, default=30)
    p.add_argument("--lot", type=int, default=64)
    p.add_argument("--pas", type=float, default=0.1)
    p.add_argument("--graine", type=int, default=21)
    return p.parse_args()


def prepare_donnees(graine):
    X, y = load_digits(return_X_y=True)
    Xa, Xt, ya, yt = train_test_split(X, y, test_size=0.25, stratify=y, random_state=graine)
    Xa, Xv, ya, yv = train_test_split(Xa, ya, test_size=0.2, stratify=ya, random_state=graine)
    centre, ecart = Xa.mean(), Xa.std()

    def t(A, b):
        return torch.tensor((A - centre) / ecart, dtype=torch.float32), torch.tensor(b)

    return t(Xa, ya), t(Xv, yv), t(Xt, yt)


def fabrique(reseau, pas, patience=2, facteur=0.2):
    opt = optim.SGD(reseau.parameters(), lr=pas)
    plan = optim.lr_scheduler.ReduceLROnPlateau(opt, factor=facteur, patience=patience)
    return opt, plan


def justesse(reseau, X, y):
    reseau.eval()
    with torch.no_grad():
        bon = (reseau(X).argmax(1) == y).float().mean().item()
    reseau.train()
    return bon


def main():
    o = lire_options()
    torch.manual_seed(o.graine)
    (Xa, ya), (Xv, yv), (Xt, yt) = prepare_donnees(o.graine)
    reseau = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    critere = nn.CrossEntropyLoss()
    opt, plan = fabrique(reseau, o.pas)

    for tour in range(1, o.tours + 1):
        melange = torch.randperm(len(Xa))
        total = 0.0
        for debut in range(0, len(Xa), o.lot):
            lot = melange[debut:debut + o.lot]
            opt.zero_grad()
            perte = critere(reseau(Xa[lot]), ya[lot])
            perte.backward()
            opt.step()
            total += perte.item() * len(lot)
        val = justesse(reseau, Xv, yv)
        plan.step(val)
        if tour % 5 == 0:
            print(f"tour {tour:2d}  perte {total / len(Xa):.4f}  val {val:.3f}  "
                  f"pas {opt.param_groups[0]['lr']:.2e}")
    print(f"test : {justesse(reseau, Xt, yt):.3f}")


if __name__ == "__main__":
    main()
