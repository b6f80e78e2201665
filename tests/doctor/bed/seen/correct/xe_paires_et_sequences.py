# expect: nothing
"""Deux petits modèles : paires semblables (-1 / +1) et étiquetage de suites rembourrées (-1)."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

REGISTRE = {}


def tache(nom):
    def poser(f):
        REGISTRE[nom] = f
        return f
    return poser


@tache("paires")
def apprendre_paires():
    X, y = load_wine(return_X_y=True)
    Xa, Xt, ya, yt = train_test_split(X, y, test_size=0.4, stratify=y, random_state=4)
    moyenne, ecart = Xa.mean(0), Xa.std(0)
    Xa, Xt = (torch.tensor((v - moyenne) / ecart, dtype=torch.float32) for v in (Xa, Xt))
    ya, yt = torch.tensor(ya), torch.tensor(yt)
    reseau = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 8))
    optim = torch.optim.Adam(reseau.parameters(), lr=3e-3)
    perte = nn.CosineEmbeddingLoss(margin=0.2)

    def tirer(y, n):
        i = torch.randint(len(y), (n,))
        j = torch.randint(len(y), (n,))
        signe = (y[i] == y[j]).float() * 2 - 1
        return i, j, signe

    reseau.train()
    for _ in range(250):
        i, j, signe = tirer(ya, 64)
        optim.zero_grad()
        v = perte(reseau(Xa[i]), reseau(Xa[j]), signe)
        v.backward()
        optim.step()

    reseau.eval()
    with torch.no_grad():
        i, j, signe = tirer(yt, 1000)
        proche = nn.functional.cosine_similarity(reseau(Xt[i]), reseau(Xt[j])) > 0.6
    return {"perte": v.item(), "justesse": (proche == (signe > 0)).float().mean().item()}


class Etiqueteur(nn.Module):
    def __init__(self, symboles, classes):
        super().__init__()
        self.plonge = nn.Embedding(symboles + 1, 16, padding_idx=0)
        self.gru = nn.GRU(16, 24, batch_first=True, bidirectional=True)
        self.tete = nn.Linear(48, classes)

    def forward(self, suites):
        h, _ = self.gru(self.plonge(suites))
        return self.tete(h)


@tache("suites")
def apprendre_suites():
    """Classe de chaque position : (symbole précédent + symbole) modulo 3 ; -1 là où la suite est finie."""
    n, longueur, symboles = 900, 14, 5
    suites = torch.randint(1, symboles + 1, (n, longueur))
    avant = torch.cat([torch.zeros(n, 1, dtype=torch.long), suites[:, :-1]], dim=1)
    cibles = (suites + avant) % 3
    fini = torch.arange(longueur) >= torch.randint(6, longueur + 1, (n, 1))
    suites, cibles = suites.masked_fill(fini, 0), cibles.masked_fill(fini, -1)

    modele = Etiqueteur(symboles, 3)
    optim = torch.optim.Adam(modele.parameters(), lr=5e-3)
    perte = nn.CrossEntropyLoss(ignore_index=-1)
    for _ in range(8):
        modele.train()
        for lot in torch.randperm(700).split(50):
            optim.zero_grad()
            v = perte(modele(suites[lot]).transpose(1, 2), cibles[lot])
            v.backward()
            optim.step()

    modele.eval()
    with torch.inference_mode():
        prevu = modele(suites[700:]).argmax(dim=2)
        garde = cibles[700:] != -1
        juste = (prevu == cibles[700:])[garde].float().mean().item()
    return {"perte": v.item(), "justesse": juste}


for nom, f in REGISTRE.items():
    torch.manual_seed(4)
    print(nom, {k: round(v, 4) for k, v in f().items()})
