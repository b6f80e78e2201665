# expect: nothing
"""Distillation : un petit élève apprend d'un professeur convolutif (chiffres 8x8)."""
import torch
from torch import nn, optim
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)

donnees = load_digits()
x = torch.tensor(donnees.images / 16.0, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(donnees.target)
i_app, i_test = train_test_split(range(len(y)), test_size=0.3, stratify=donnees.target,
                                 random_state=21)
app = DataLoader(TensorDataset(x[i_app], y[i_app]), batch_size=64, shuffle=True)
test = DataLoader(TensorDataset(x[i_test], y[i_test]), batch_size=256)

professeur = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(),
    nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(32 * 16, 64), nn.ReLU(), nn.Linear(64, 10))

eleve = nn.Sequential(
    nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.ReLU(),
    nn.Flatten(), nn.Linear(6 * 16, 10))


@torch.no_grad()
def exactitude(reseau):
    reseau.eval()
    bons = sum((reseau(a).argmax(1) == b).sum().item() for a, b in test)
    return bons / len(test.dataset)


# --- 1. le professeur
opt = optim.Adam(professeur.parameters(), lr=2e-3)
for _ in range(8):
    professeur.train()
    for images, cibles in app:
        opt.zero_grad()
        F.cross_entropy(professeur(images), cibles).backward()
        opt.step()
print(f"professeur : {exactitude(professeur):.3f}")

# --- 2. l'élève
T = 3.0
alpha = 0.5
professeur.eval()
for p in professeur.parameters():
    p.requires_grad = False
opt = optim.Adam(eleve.parameters(), lr=5e-3)

for epoque in range(15):
    eleve.train()
    cumul = 0.0
    for images, cibles in app:
        with torch.no_grad():
            sorties_prof = professeur(images)
        sorties = eleve(images)
        douce = F.kl_div(F.log_softmax(sorties / T, dim=1),
                         F.softmax(sorties_prof / T, dim=1),
                         reduction="batchmean") * T * T
        dure = F.cross_entropy(sorties, cibles)
        perte = alpha * douce + (1 - alpha) * dure
        opt.zero_grad()
        perte.backward()
        opt.step()
        cumul += perte.item()
    if (epoque + 1) % 3 == 0:
        print(f"époque {epoque + 1:2d} perte {cumul / len(app):.4f}")

print(f"élève : {exactitude(eleve):.3f}")
