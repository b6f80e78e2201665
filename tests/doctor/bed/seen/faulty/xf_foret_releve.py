# expect: unshuffled_sorted @ 46
# allowed: unshuffled_sorted @ 27
# allowed: unshuffled_sorted @ 60
"""Type de forêt d'après un relevé de terrain : autant de lignes par type, puis deux réseaux comparés."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset

alea = np.random.default_rng(6)
types = alea.choice(4, 3200, p=[0.3, 0.3, 0.2, 0.2])
releve = pd.DataFrame({
    "altitude": alea.normal(np.array([600, 800, 1000, 1250])[types], 200),
    "pente": alea.gamma(np.array([4, 7, 4, 7])[types], 3.0),
    "eau": alea.exponential(np.array([90, 200, 300, 160])[types]),
    "soleil": alea.normal(np.array([5.5, 6.5, 4.5, 5.5])[types], 1.1),
    "type": types,
})
colonnes = ["altitude", "pente", "eau", "soleil"]

appr, test = train_test_split(releve, test_size=0.25, stratify=releve["type"], random_state=6)
par_type = appr["type"].value_counts().min()
appr = appr.groupby("type").sample(n=par_type, random_state=6)
test = test.groupby("type").sample(n=test["type"].value_counts().min(), random_state=6)
echelle = StandardScaler().fit(appr[colonnes])


class Lignes(Dataset):
    def __init__(self, cadre: pd.DataFrame):
        self.x = torch.tensor(echelle.transform(cadre[colonnes]), dtype=torch.float32)
        self.y = torch.tensor(cadre["type"].to_numpy())

    def __len__(self):
        return len(self.y)

    def __getitem__(self, k):
        return self.x[k], self.y[k]


def chargeurs(taille=32):
    jeux = {"appr": Lignes(appr), "test": Lignes(test)}
    return {nom: DataLoader(jeu, batch_size=taille) for nom, jeu in jeux.items()}


MODELES = {
    "lineaire": lambda: nn.Linear(4, 4),
    "cache": lambda: nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 4)),
}


def entrainer(reseau, lots, epoques=15):
    opt = torch.optim.SGD(reseau.parameters(), lr=0.05, momentum=0.9)
    reseau.train()
    for _ in range(epoques):
        cumul = 0.0
        for x, y in lots:
            perte = nn.functional.cross_entropy(reseau(x), y)
            opt.zero_grad()
            perte.backward()
            opt.step()
            cumul += perte.item() * len(y)
    return cumul / len(lots.dataset)


def predire(reseau, lots):
    reseau.eval()
    with torch.no_grad():
        return torch.cat([reseau(x).argmax(dim=1) for x, _ in lots]).numpy()


lots = chargeurs()
vrai = test["type"].to_numpy()
for nom, fabrique in MODELES.items():
    torch.manual_seed(6)
    reseau = fabrique()
    perte = entrainer(reseau, lots["appr"])
    devine = predire(reseau, lots["test"])
    rappel = confusion_matrix(vrai, devine, normalize="true").diagonal()
    print(f"{nom:9s} perte {perte:.3f}  justesse {accuracy_score(vrai, devine):.3f}  "
          f"rappel par type {rappel.round(2).tolist()}")
