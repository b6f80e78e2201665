# expect: grad_cleared_before_step @ 79
# allowed: grad_cleared_before_step @ 80
# Petit modèle de langue par caractères (GRU, rétropropagation tronquée)
import math
import random

import torch
import torch.nn as nn

torch.manual_seed(0)

SUJETS = ["le chat", "la poule", "un vieux loup", "ma voisine", "le facteur", "une souris", "mon oncle"]
VERBES = ["mange", "regarde", "cherche", "porte", "oublie", "trouve", "cache"]
OBJETS = ["une pomme", "le fromage", "un chapeau", "la lettre", "du pain", "trois oeufs", "le panier"]
LIEUX = ["dans le jardin", "sur le pont", "sous la table", "au village", "pres du puits", "chez nous"]


def phrase(alea):
    return " ".join(alea.choice(g) for g in (SUJETS, VERBES, OBJETS, LIEUX))


toutes = set()
alea = random.Random(0)
while len(toutes) < 420:
    toutes.add(phrase(alea))
phrases = sorted(toutes)
alea.shuffle(phrases)
texte = "\n".join(phrases) + "\n"
lettres = sorted(set(texte))
indice = {c: i for i, c in enumerate(lettres)}
codes = torch.tensor([indice[c] for c in texte])

LOT, PAS = 8, 30
coupe = int(0.85 * len(codes))


def en_colonnes(suite, lot):
    n = len(suite) // lot
    return suite[: n * lot].view(lot, n)


appr = en_colonnes(codes[:coupe], LOT)
valid = en_colonnes(codes[coupe:], LOT)


class ModeleLettres(nn.Module):
    def __init__(self, n, dim=64):
        super().__init__()
        self.plong = nn.Embedding(n, dim)
        self.gru = nn.GRU(dim, dim, batch_first=True)
        self.sortie = nn.Linear(dim, n)

    def forward(self, x, h=None):
        y, h = self.gru(self.plong(x), h)
        return self.sortie(y), h


class Entraineur:
    def __init__(self, modele, taux=4e-3):
        self.modele = modele
        self.optim = torch.optim.Adam(modele.parameters(), lr=taux)
        self.critere = nn.CrossEntropyLoss()

    def morceaux(self, donnees):
        for d in range(0, donnees.size(1) - 1, PAS):
            f = min(d + PAS, donnees.size(1) - 1)
            yield donnees[:, d:f], donnees[:, d + 1:f + 1]

    def passe(self, donnees):
        self.modele.train()
        h, cumul, nb = None, 0.0, 0
        for x, y in self.morceaux(donnees):
            if h is not None:
                h = h.detach()
            logits, h = self.modele(x, h)
            perte = self.critere(logits.flatten(0, 1), y.flatten())
            perte.backward()
            nn.utils.clip_grad_norm_(self.modele.parameters(), 1.0)
            self.modele.zero_grad()
            self.optim.step()
            cumul += perte.item() * y.numel()
            nb += y.numel()
        return cumul / nb

    @torch.no_grad()
    def mesure(self, donnees):
        self.modele.eval()
        h, cumul, nb = None, 0.0, 0
        for x, y in self.morceaux(donnees):
            logits, h = self.modele(x, h)
            cumul += self.critere(logits.flatten(0, 1), y.flatten()).item() * y.numel()
            nb += y.numel()
        return cumul / nb


entr = Entraineur(ModeleLettres(len(lettres)))
for ep in range(6):
    p = entr.passe(appr)
    v = entr.mesure(valid)
    print(f"passe {ep + 1:2d} | apprentissage {p:.3f} | validation {v:.3f} | perplexité {math.exp(v):.2f}")
