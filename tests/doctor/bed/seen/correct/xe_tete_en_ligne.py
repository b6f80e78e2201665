# expect: nothing
# Transfert : un corps avec normalisation par lot est appris sur les chiffres 0-4, puis gelé ;
# une tête pour 5-9 est ensuite apprise une image à la fois (flux en ligne).
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(12)


def etage(entree, sortie):
    return nn.Sequential(
        nn.Conv2d(entree, sortie, 3, padding=1, bias=False),
        nn.BatchNorm2d(sortie), nn.ReLU(), nn.MaxPool2d(2),
    )


class Corps(nn.Module):
    def __init__(self):
        super().__init__()
        self.etages = nn.Sequential(etage(1, 16), etage(16, 32), nn.Flatten())
        self.norme = nn.BatchNorm1d(128)

    def forward(self, x):
        return self.norme(self.etages(x))


class AvecTete(nn.Module):
    """corps gelé (toujours en mode évaluation) et tête libre"""

    def __init__(self, corps, sorties=5):
        super().__init__()
        self.corps = corps
        self.tete = nn.Linear(128, sorties)
        for p in corps.parameters():
            p.requires_grad = False

    def train(self, mode=True):
        super().train(mode)
        self.corps.eval()
        return self

    def forward(self, x):
        with torch.no_grad():
            h = self.corps(x)
        return self.tete(h)


def jeu(x, y, base):
    return TensorDataset(torch.tensor(x, dtype=torch.float32).unsqueeze(1) / 16, torch.tensor(y) - base)


def justesse(modele, donnees):
    modele.eval()
    bons = 0
    with torch.no_grad():
        for x, y in DataLoader(donnees, batch_size=128):
            bons += (modele(x).argmax(1) == y).sum().item()
    return bons / len(donnees)


d = load_digits()
petits = d.target < 5
xa, xt, ya, yt = train_test_split(
    d.images[~petits], d.target[~petits], test_size=0.3, stratify=d.target[~petits], random_state=2
)

corps = Corps()
complet = nn.Sequential(corps, nn.Linear(128, 5))
premier = DataLoader(jeu(d.images[petits], d.target[petits], 0), batch_size=50, shuffle=True, drop_last=True)
opt = torch.optim.Adam(complet.parameters(), lr=2e-3)
for tour in range(4):
    complet.train()
    cumul = 0.0
    for x, y in premier:
        perte = nn.functional.cross_entropy(complet(x), y)
        opt.zero_grad()
        perte.backward()
        opt.step()
        cumul += perte.item()
    print(f"corps, tour {tour + 1}: perte {cumul / len(premier):.4f}")

modele = AvecTete(corps)
flux = DataLoader(jeu(xa, ya, 5), batch_size=1, shuffle=True)
opt_tete = torch.optim.SGD(modele.tete.parameters(), lr=3e-3)
for tour in range(3):
    modele.train()
    cumul = 0.0
    for x, y in flux:
        perte = nn.functional.cross_entropy(modele(x), y)
        opt_tete.zero_grad()
        perte.backward()
        opt_tete.step()
        cumul += perte.item()
    print(f"tête, tour {tour + 1}: perte {cumul / len(flux):.4f}")

print(f"justesse sur les images gardées à part : {justesse(modele, jeu(xt, yt, 5)):.3f}")
