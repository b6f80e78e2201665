# expect: grad_cleared_before_step @ 73
# allowed: grad_cleared_before_step @ 28
# allowed: grad_cleared_before_step @ 74
# Chiffres bruités, réseau convolutif et copie lissée (moyenne glissante des poids).
import copy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(31)


class CopieLissee:
    """garde une moyenne exponentielle des poids du modèle suivi"""

    def __init__(self, modele, inertie=0.97):
        self.copie = copy.deepcopy(modele).eval()
        for p in self.copie.parameters():
            p.requires_grad_(False)
        self.inertie = inertie

    @torch.no_grad()
    def suivre(self, modele):
        for lente, vive in zip(self.copie.parameters(), modele.parameters()):
            lente.lerp_(vive, 1 - self.inertie)
        modele.zero_grad(set_to_none=True)

    def __call__(self, x):
        return self.copie(x)


def bruiter(x, force=0.25):
    return (x + force * torch.randn_like(x)).clamp(0, 1)


def construire():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(32 * 16, 10),
    )


@torch.no_grad()
def justesse(reseau, chargeur):
    bons = total = 0
    for x, y in chargeur:
        bons += (reseau(x).argmax(1) == y).sum().item()
        total += len(y)
    return bons / total


d = load_digits()
xa, xt, ya, yt = train_test_split(d.images / 16.0, d.target, test_size=0.25, stratify=d.target, random_state=6)
en_tenseur = lambda x: torch.tensor(x, dtype=torch.float32).unsqueeze(1)
apprentissage = DataLoader(TensorDataset(en_tenseur(xa), torch.tensor(ya)), batch_size=32, shuffle=True)
controle = DataLoader(TensorDataset(en_tenseur(xt), torch.tensor(yt)), batch_size=150)

modele = construire()
lissee = CopieLissee(modele)
critere = nn.CrossEntropyLoss()
optimiseur = torch.optim.SGD(modele.parameters(), lr=0.03, momentum=0.9)

for epoque in range(6):
    modele.train()
    cumul = 0.0
    for x, y in apprentissage:
        perte = critere(modele(bruiter(x)), y)
        perte.backward()
        nn.utils.clip_grad_norm_(modele.parameters(), 5.0)
        lissee.suivre(modele)
        optimiseur.step()
        cumul += perte.item() * len(y)
    print(f"époque {epoque + 1}: perte {cumul / len(xa):.4f}")

modele.eval()
print(f"modèle : {justesse(modele, controle):.3f}")
print(f"copie lissée : {justesse(lissee, controle):.3f}")
