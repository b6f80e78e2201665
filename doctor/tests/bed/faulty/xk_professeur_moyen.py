# expect: selection_on_test @ 63
# allowed: selection_on_test @ 64
# allowed: selection_on_test @ 72
# allowed: selection_on_test @ 65
# mend: 63 →     score = precision(professeur, i_val)
# Professeur moyen (mean teacher) semi-supervise sur les chiffres, EMA des poids
import copy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(4)
ALPHA = 0.9
EPOQUES = 30

x, y = load_digits(return_X_y=True)
x = torch.tensor(x / 16.0, dtype=torch.float32)
y = torch.tensor(y)
indices = np.arange(len(x))
reste, i_test = train_test_split(indices, test_size=80, stratify=y, random_state=1)
reste, i_val = train_test_split(reste, test_size=80, stratify=y[reste], random_state=1)
i_lab, i_non = train_test_split(reste, train_size=60, stratify=y[reste], random_state=1)


def bruit(lot):
    return lot + 0.2 * torch.randn_like(lot)


def precision(modele, idx):
    modele.eval()
    with torch.no_grad():
        return (modele(x[idx]).argmax(1) == y[idx]).float().mean().item()


eleve = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.3), nn.Linear(96, 10))
professeur = copy.deepcopy(eleve)
for p in professeur.parameters():
    p.requires_grad_(False)
opt = torch.optim.Adam(eleve.parameters(), lr=5e-3)

meilleure, meilleur_etat, meilleure_epoque = 0.0, None, -1
for epoque in range(EPOQUES):
    eleve.train()
    professeur.train()
    lab = torch.as_tensor(i_lab)
    for lot_non in torch.as_tensor(i_non)[torch.randperm(len(i_non))].split(200):
        idx = lab[torch.randperm(len(lab))[:32]]
        sup = F.cross_entropy(eleve(bruit(x[idx])), y[idx])
        with torch.no_grad():
            cible = F.softmax(professeur(bruit(x[lot_non])), dim=1)
        coherence = F.mse_loss(F.softmax(eleve(bruit(x[lot_non])), dim=1), cible)
        perte = sup + 5.0 * coherence
        opt.zero_grad()
        perte.backward()
        opt.step()
        with torch.no_grad():
            for pe, pp in zip(eleve.parameters(), professeur.parameters()):
                pp.mul_(ALPHA).add_(pe, alpha=1 - ALPHA)
    score = precision(professeur, i_test)
    if score > meilleure:
        meilleure, meilleure_epoque = score, epoque
        meilleur_etat = copy.deepcopy(professeur.state_dict())
    if epoque % 5 == 4:
        print(f"epoque {epoque + 1:2d}  perte {perte.item():.4f}")

professeur.load_state_dict(meilleur_etat)
print(f"meilleure epoque : {meilleure_epoque + 1}")
print(f"precision test du professeur : {precision(professeur, i_test):.4f}")
