# expect: nothing
# TP 4 : reconnaissance de chiffres 8x8, avec augmentation de données "faite maison"
# (pas de torchvision sur les machines de la salle)
import argparse

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


class Decalage:
    """Décale l'image d'un pixel au plus, en complétant par des zéros."""

    def __init__(self, maxi=1):
        self.maxi = maxi

    def __call__(self, img):
        dx, dy = torch.randint(-self.maxi, self.maxi + 1, (2,)).tolist()
        grand = nn.functional.pad(img, (self.maxi,) * 4)
        i, j = self.maxi + dx, self.maxi + dy
        return grand[:, i:i + 8, j:j + 8]


class Bruit:
    def __init__(self, sigma=0.25):
        self.sigma = sigma

    def __call__(self, img):
        return img + self.sigma * torch.randn_like(img)


class Chaine:
    def __init__(self, *etapes):
        self.etapes = etapes

    def __call__(self, img):
        for e in self.etapes:
            img = e(img)
        return img


class Chiffres(Dataset):
    def __init__(self, images, classes, transformation=None):
        self.images = torch.tensor(images / 16.0, dtype=torch.float32).unsqueeze(1)
        self.classes = torch.tensor(classes, dtype=torch.long)
        self.transformation = transformation

    def __len__(self):
        return len(self.classes)

    def __getitem__(self, k):
        img = self.images[k]
        if self.transformation is not None:
            img = self.transformation(img)
        return img, self.classes[k]


def prepare(args):
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8)
    Xa, Xt, ya, yt = train_test_split(X, y, test_size=0.3, stratify=y, random_state=args.graine)
    options = {"transformation": Chaine(Decalage(args.decalage), Bruit(args.sigma))}
    appr = Chiffres(Xa, ya, **options)
    test = Chiffres(Xt, yt)
    return (DataLoader(appr, batch_size=32, shuffle=True),
            DataLoader(test, batch_size=256))


def reseau():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(32 * 16, 10))


def apprend(modele, chargeur, epoques, pas):
    perte = nn.CrossEntropyLoss()
    opt = torch.optim.Adam(modele.parameters(), lr=pas)
    for e in range(epoques):
        modele.train()
        cumul = []
        for x, c in chargeur:
            opt.zero_grad()
            p = perte(modele(x), c)
            p.backward()
            opt.step()
            cumul.append(p.item())
        print(f"époque {e + 1} : perte {np.mean(cumul):.4f}")


@torch.no_grad()
def exactitude(modele, chargeur):
    modele.eval()
    bons = sum((modele(x).argmax(1) == c).sum().item() for x, c in chargeur)
    return bons / len(chargeur.dataset)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--epoques", type=int, default=8)
    ap.add_argument("--pas", type=float, default=4e-3)
    ap.add_argument("--decalage", type=int, default=1)
    ap.add_argument("--sigma", type=float, default=0.25)
    ap.add_argument("--graine", type=int, default=8)
    args = ap.parse_args()
    torch.manual_seed(args.graine)
    ch_appr, ch_test = prepare(args)
    modele = reseau()
    apprend(modele, ch_appr, args.epoques, args.pas)
    for essai in (1, 2):
        print(f"test, mesure {essai} : exactitude {exactitude(modele, ch_test):.4f}")
