# expect: nothing
# Taux de remplissage (0 à 100 %) prévu par attention sur trois groupes de colonnes ; plateau sur la justesse.
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(37)
alea = np.random.default_rng(37)
n = 2400
salles = pd.DataFrame(alea.normal(size=(n, 6)), columns=["prix", "affiche", "pluie", "fete", "heure", "note"])
z = (
    0.9 * salles["note"] - 0.7 * salles["prix"] + 0.5 * salles["fete"] * salles["affiche"]
    - 0.4 * salles["pluie"] + 0.3 * salles["heure"]
)
salles["remplissage"] = 100 / (1 + np.exp(-z - alea.normal(0, 0.3, n)))

groupes = [["prix", "note"], ["affiche", "fete"], ["pluie", "heure"]]
colonnes = sum(groupes, [])
reste, test = train_test_split(salles, test_size=0.2, random_state=37)
appr, valid = train_test_split(reste, test_size=0.2, random_state=37)
ech = StandardScaler().fit(appr[colonnes])


def jeu(cadre):
    x = torch.tensor(ech.transform(cadre[colonnes]), dtype=torch.float32)
    part = torch.tensor(cadre[["remplissage"]].to_numpy() / 100, dtype=torch.float32)
    return TensorDataset(x.view(len(x), 3, 2), part)


class Attention(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.entree = nn.Linear(2, dim)
        self.rang = nn.Parameter(torch.randn(3, dim))
        self.qkv = nn.Linear(dim, 3 * dim)
        self.tete = nn.Sequential(nn.Linear(3 * dim, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, x):
        h = torch.tanh(self.entree(x) + self.rang)
        q, k, v = self.qkv(h).chunk(3, dim=-1)
        # notes[lot, cle, requete] : la clé est au milieu, on normalise donc sur l'axe 1
        notes = torch.einsum("bkd,bqd->bkq", k, q) / k.shape[-1] ** 0.5
        poids = notes.softmax(dim=1)
        h = h + torch.einsum("bkq,bkd->bqd", poids, v)
        return self.tete(h.flatten(1))


@torch.no_grad()
def justesse(modele, donnees):
    """Part des lignes prévues à moins de dix points près."""
    modele.eval()
    x, part = donnees.tensors
    return ((modele(x).sigmoid() - part).abs() < 0.1).float().mean().item()


modele = Attention()
opt = torch.optim.Adam(modele.parameters(), lr=0.005)
palier = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max", factor=0.5, patience=4)
lots = DataLoader(jeu(appr), batch_size=64, shuffle=True)
suivi = jeu(valid)
for epoque in range(20):
    modele.train()
    cumul = 0.0
    for x, part in lots:
        perte = nn.functional.binary_cross_entropy_with_logits(modele(x), part)
        opt.zero_grad()
        perte.backward()
        opt.step()
        cumul += perte.item() * len(x)
    juste = justesse(modele, suivi)
    palier.step(juste)
    if epoque % 5 == 4:
        print(f"époque {epoque + 1:2d} : perte {cumul / len(appr):.4f}, validation {juste:.3f}")

print(f"test, à dix points près : {justesse(modele, jeu(test)):.3f}")
