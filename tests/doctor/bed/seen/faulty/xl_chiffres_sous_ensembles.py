# expect: missing_no_grad @ 53
# allowed: missing_no_grad @ 49
# allowed: missing_no_grad @ 50
# allowed: missing_no_grad @ 52
# Reconnaissance de chiffres : perceptron, partage apprentissage / validation / essai
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset


class Chiffres(Dataset):
    def __init__(self):
        donnees = load_digits()
        self.images = (donnees.data / 16.0).astype(np.float32)
        self.etiquettes = donnees.target.astype(np.int64)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.etiquettes[i]


class Perceptron(nn.Module):
    def __init__(self, cachees=96, p=0.2):
        super().__init__()
        self.couche1 = nn.Linear(64, cachees)
        self.couche2 = nn.Linear(cachees, 10)
        self.abandon = nn.Dropout(p)

    def forward(self, x):
        return self.couche2(self.abandon(torch.relu(self.couche1(x))))


def entrainer(modele, chargeur, optimiseur, perte_fn):
    modele.train()
    cumul = 0.0
    for x, y in chargeur:
        optimiseur.zero_grad()
        perte = perte_fn(modele(x), y)
        perte.backward()
        optimiseur.step()
        cumul += perte.item() * len(y)
    return cumul / len(chargeur.dataset)


def evaluer(modele, chargeur, perte_fn):
    modele.eval()
    cumul, justes = 0.0, 0
    for x, y in chargeur:
        sortie = modele(x)
        cumul += perte_fn(sortie, y).item() * len(y)
        justes += (sortie.argmax(dim=1) == y).sum().item()
    n = len(chargeur.dataset)
    return cumul / n, justes / n


def principal():
    torch.manual_seed(2024)
    tout = Chiffres()
    ordre = np.random.default_rng(2024).permutation(len(tout))
    app = Subset(tout, ordre[:1200])
    val = Subset(tout, ordre[1200:1500])
    essai = Subset(tout, ordre[1500:])
    ch_app = DataLoader(app, batch_size=32, shuffle=True)
    ch_val = DataLoader(val, batch_size=128)
    ch_essai = DataLoader(essai, batch_size=128)

    modele = Perceptron()
    perte_fn = nn.CrossEntropyLoss()
    optimiseur = torch.optim.AdamW(modele.parameters(), lr=2e-3, weight_decay=1e-3)
    for epoque in range(1, 16):
        p_app = entrainer(modele, ch_app, optimiseur, perte_fn)
        p_val, t_val = evaluer(modele, ch_val, perte_fn)
        if epoque % 5 == 0:
            print(f"[{epoque:02d}] app {p_app:.3f} | val {p_val:.3f} | taux {t_val:.3f}")
    p, t = evaluer(modele, ch_essai, perte_fn)
    print(f"essai : perte {p:.3f}, taux de bonnes réponses {t:.3f}")


if __name__ == "__main__":
    principal()
