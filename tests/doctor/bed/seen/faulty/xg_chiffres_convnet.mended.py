# expect: nothing
# Petit réseau convolutif sur les chiffres 8x8
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset


class Chiffres(Dataset):
    def __init__(self, images, cibles):
        self.images = images
        self.cibles = cibles

    def __len__(self):
        return len(self.cibles)

    def __getitem__(self, i):
        return self.images[i], self.cibles[i]


def bloc(entree, sortie):
    return nn.Sequential(
        nn.Conv2d(entree, sortie, 3, padding=1, bias=False),
        nn.BatchNorm2d(sortie, momentum=0.3),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


def preparer(graine):
    brut = load_digits()
    images = torch.tensor(brut.images, dtype=torch.float32).unsqueeze(1) / 16
    cibles = torch.tensor(brut.target)
    ordre = torch.randperm(len(cibles), generator=torch.Generator().manual_seed(graine))
    coupe = int(0.75 * len(cibles)) - 2
    app, tst = ordre[:coupe], ordre[coupe:]
    return Chiffres(images[app], cibles[app]), Chiffres(images[tst], cibles[tst])


def evaluer(reseau, chargeur):
    reseau.eval()
    bons = 0
    with torch.no_grad():
        for x, y in chargeur:
            bons += (reseau(x).argmax(dim=1) == y).sum().item()
    return bons / len(chargeur.dataset)


def entrainer(graine=1, epoques=6):
    torch.manual_seed(graine)
    app, tst = preparer(graine)
    chargeur = DataLoader(app, batch_size=48, shuffle=True, drop_last=True)
    chargeur_tst = DataLoader(tst, batch_size=128)
    reseau = nn.Sequential(bloc(1, 16), bloc(16, 32), nn.Flatten(), nn.Linear(128, 10))
    critere = nn.CrossEntropyLoss()
    optim = torch.optim.SGD(reseau.parameters(), lr=0.05, momentum=0.9)
    for e in range(epoques):
        reseau.train()
        cumul, vus = 0.0, 0
        for x, y in chargeur:
            optim.zero_grad()
            perte = critere(reseau(x), y)
            perte.backward()
            optim.step()
            cumul += perte.item() * len(y)
            vus += len(y)
        print(f"époque {e + 1} perte {cumul / vus:.4f}")
    print(f"exactitude test {evaluer(reseau, chargeur_tst):.4f}  ({len(app)} images d'apprentissage)")


if __name__ == "__main__":
    entrainer()
