# expect: nothing
"""Trois manieres de regler le pas : OneCycle par lot, echauffement par lot, plateau par tour (exactitude)."""
import math

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau

TOURS, LOT = 40, 16


def tables():
    X, y = load_wine(return_X_y=True)
    Xa, Xt, ya, yt = train_test_split(X, y, test_size=0.25, stratify=y, random_state=1)
    Xa, Xv, ya, yv = train_test_split(Xa, ya, test_size=0.25, stratify=ya, random_state=1)
    m, s = Xa.mean(0), Xa.std(0)
    return [(torch.tensor((A - m) / s, dtype=torch.float32), torch.tensor(b))
            for A, b in ((Xa, ya), (Xv, yv), (Xt, yt))]


def cycle(opt, lots):
    r = OneCycleLR(opt, max_lr=0.1, total_steps=TOURS * lots)
    return (lambda: r.step()), (lambda exactitude: None)


def chauffe(opt, lots, part=0.1):
    fin = TOURS * lots
    debut = int(part * fin)

    def forme(k):
        if k < debut:
            return (k + 1) / debut
        return 0.5 * (1 + math.cos(math.pi * (k - debut) / (fin - debut)))

    r = LambdaLR(opt, forme)
    return r.step, (lambda exactitude: None)


def plateau(opt, lots):
    r = ReduceLROnPlateau(opt, mode="max", factor=0.5, patience=5)
    return (lambda: None), r.step


@torch.no_grad()
def exact(modele, X, y):
    modele.eval()
    part = (modele(X).argmax(1) == y).float().mean().item()
    modele.train()
    return part


def apprend(recette, apprentissage, validation):
    torch.manual_seed(33)
    X, y = apprentissage
    modele = nn.Sequential(nn.Linear(13, 16), nn.Tanh(), nn.Linear(16, 3))
    opt = SGD(modele.parameters(), lr=0.1, momentum=0.5)
    lots = math.ceil(len(X) / LOT)
    apres_lot, apres_tour = recette(opt, lots)
    critere = nn.CrossEntropyLoss()
    for _ in range(TOURS):
        somme = 0.0
        for i in torch.randperm(len(X)).split(LOT):
            opt.zero_grad()
            perte = critere(modele(X[i]), y[i])
            perte.backward()
            opt.step()
            apres_lot()
            somme += perte.item() * len(i)
        apres_tour(exact(modele, *validation))
    return modele, somme / len(X), opt.param_groups[0]["lr"]


def main():
    appr, val, test = tables()
    essais = []
    for recette in (cycle, chauffe, plateau):
        modele, perte, pas = apprend(recette, appr, val)
        note = exact(modele, *val)
        print(f"{recette.__name__:8s} perte {perte:.4f} pas final {pas:.1e} validation {note:.3f}")
        essais.append((note, -perte, recette.__name__, modele))
    note, _, nom, gagnant = max(essais, key=lambda e: e[:2])
    print(f"retenu : {nom}; test {exact(gagnant, *test):.3f}")


if __name__ == "__main__":
    main()
