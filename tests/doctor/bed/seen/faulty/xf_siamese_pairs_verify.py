# expect: bad_label_values @ 33
# allowed: bad_label_values @ 78
# allowed: bad_label_values @ 40
# allowed: bad_label_values @ 71
# Vérification de paires : un réseau siamois dit si deux chiffres sont le même
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(2)

chiffres = load_digits()
img_a, img_t, cls_a, cls_t = train_test_split(
    chiffres.images.astype("float32") / 16, chiffres.target,
    test_size=0.35, stratify=chiffres.target, random_state=2)


class Paires(Dataset):
    """Autant de paires semblables que de paires différentes."""

    def __init__(self, images, classes, par_image=2, graine=0):
        rng = np.random.default_rng(graine)
        self.images = torch.from_numpy(images).unsqueeze(1)
        self.paires = []
        for i, c in enumerate(classes):
            meme = np.flatnonzero(classes == c)
            autre = np.flatnonzero(classes != c)
            for _ in range(par_image // 2):
                self.paires.append((i, rng.choice(meme[meme != i]), 1))
                self.paires.append((i, rng.choice(autre), -1))

    def __len__(self):
        return len(self.paires)

    def __getitem__(self, k):
        i, j, signe = self.paires[k]
        return self.images[i], self.images[j], torch.tensor(signe, dtype=torch.float32)


class Siamois(nn.Module):
    def __init__(self):
        super().__init__()
        self.tronc = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.ReLU(),
            nn.Conv2d(16, 24, 3), nn.ReLU(),
            nn.Flatten(), nn.Linear(24 * 16, 32))
        self.tete = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, a, b):
        ecart = (self.tronc(a) - self.tronc(b)).abs()
        return self.tete(ecart).squeeze(-1)


def justesse(modele, chargeur):
    modele.eval()
    bons = vus = 0
    with torch.no_grad():
        for a, b, s in chargeur:
            bons += ((modele(a, b) > 0) == (s > 0)).sum().item()
            vus += len(s)
    return bons / vus


apprentissage = DataLoader(Paires(img_a, cls_a, 4, graine=1), batch_size=48, shuffle=True)
essai = DataLoader(Paires(img_t, cls_t, 2, graine=2), batch_size=256)

modele = Siamois()
critere = nn.BCEWithLogitsLoss()
optimiseur = torch.optim.Adam(modele.parameters(), lr=1e-3)

for tour in range(5):
    modele.train()
    somme = 0.0
    for a, b, s in apprentissage:
        perte = critere(modele(a, b), s)
        optimiseur.zero_grad()
        perte.backward()
        optimiseur.step()
        somme += perte.item() * len(s)
    print(f"tour {tour} : perte {somme / len(apprentissage.dataset):.4f}")

print(f"justesse d'apprentissage {justesse(modele, apprentissage):.4f}")
print(f"justesse d'essai         {justesse(modele, essai):.4f}")
