# expect: seed_reset_each_epoch @ 40
# allowed: seed_reset_each_epoch @ 39
# allowed: seed_reset_each_epoch @ 68
# mend: 39 → def une_epoque(modele, opt, perte, x, y):
# mend: 40 →
# Classifieur de chiffres avec augmentation (bruit + decalage) a chaque epoque
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

GRAINE = 1


def fixer_graine(graine):
    random.seed(graine)
    np.random.seed(graine)
    torch.manual_seed(graine)


def charger():
    images, cibles = load_digits(return_X_y=True)
    images = torch.tensor(images / 16.0, dtype=torch.float32).view(-1, 1, 8, 8)
    cibles = torch.tensor(cibles)
    a, b = train_test_split(np.arange(len(images)), train_size=300,
                            stratify=cibles, random_state=GRAINE)
    return images[a], cibles[a], images[b], cibles[b]


def augmenter(lot):
    dx, dy = random.randint(-1, 1), random.randint(-1, 1)
    lot = torch.roll(lot, shifts=(dy, dx), dims=(2, 3))
    return lot + 0.15 * torch.randn_like(lot)


def une_epoque(modele, opt, perte, x, y, graine=GRAINE):
    fixer_graine(graine)
    modele.train()
    total = 0.0
    for idx in torch.randperm(len(x)).split(32):
        opt.zero_grad()
        l = perte(modele(augmenter(x[idx])), y[idx])
        l.backward()
        opt.step()
        total += l.item() * len(idx)
    return total / len(x)


@torch.no_grad()
def evaluer(modele, x, y):
    modele.eval()
    return (modele(x).argmax(dim=1) == y).float().mean().item()


def main():
    fixer_graine(GRAINE)
    x_app, y_app, x_test, y_test = charger()
    modele = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 16, 10))
    opt = torch.optim.Adam(modele.parameters(), lr=3e-3)
    perte = nn.CrossEntropyLoss()
    for epoque in range(18):
        l = une_epoque(modele, opt, perte, x_app, y_app)
        if epoque % 3 == 2:
            print(f"epoque {epoque + 1:2d}  perte {l:.4f}")
    print(f"precision test : {evaluer(modele, x_test, y_test):.4f}")


if __name__ == "__main__":
    main()
