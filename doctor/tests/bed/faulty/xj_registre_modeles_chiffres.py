# expect: softmax_before_cross_entropy @ 29
# allowed: softmax_before_cross_entropy @ 53
# mend: 29 →         return self.fc2(x)
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

MODELES = {}


def enregistrer(nom):
    def deco(cls):
        MODELES[nom] = cls
        return cls
    return deco


@enregistrer("mlp")
class Perceptron(nn.Module):
    def __init__(self, n_entrees, n_classes, largeur=48):
        super().__init__()
        self.fc1 = nn.Linear(n_entrees, largeur)
        self.fc2 = nn.Linear(largeur, n_classes)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return F.softmax(self.fc2(x), dim=-1)


@enregistrer("profond")
class Profond(nn.Module):
    def __init__(self, n_entrees, n_classes, largeur=48):
        super().__init__()
        self.couches = nn.Sequential(
            nn.Linear(n_entrees, largeur), nn.ReLU(),
            nn.Linear(largeur, largeur), nn.ReLU(),
            nn.Linear(largeur, n_classes))

    def forward(self, x):
        return self.couches(x)


def entrainer(modele, x, y, epoques, taille_lot, taux, gen):
    opt = torch.optim.SGD(modele.parameters(), lr=taux, momentum=0.9)
    modele.train()
    for ep in range(epoques):
        ordre = torch.randperm(len(x), generator=gen)
        cumul = 0.0
        for lot in ordre.split(taille_lot):
            sortie = modele(x[lot])
            perte = F.cross_entropy(sortie, y[lot])
            opt.zero_grad()
            perte.backward()
            opt.step()
            cumul += perte.item() * len(lot)
        if (ep + 1) % 5 == 0:
            print(f"époque {ep + 1}: perte {cumul / len(x):.4f}")


@torch.no_grad()
def tester(modele, x, y):
    modele.eval()
    sortie = modele(x)
    return F.cross_entropy(sortie, y).item(), (sortie.argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(3)
    gen = torch.Generator().manual_seed(3)
    X, y = load_digits(return_X_y=True)
    Xa, Xt, ya, yt = train_test_split(X, y, test_size=0.25, random_state=3, stratify=y)
    Xa = torch.tensor(Xa / 16.0, dtype=torch.float32)
    Xt = torch.tensor(Xt / 16.0, dtype=torch.float32)
    ya, yt = torch.tensor(ya), torch.tensor(yt)
    modele = MODELES["mlp"](64, 10)
    entrainer(modele, Xa, ya, 20, 32, 0.05, gen)
    perte, exactitude = tester(modele, Xt, yt)
    print(f"test: perte {perte:.4f}, exactitude {exactitude:.4f}")
