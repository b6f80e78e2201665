# expect: detached_graph @ 65
"""
Seq2seq sans attention : lire une suite de chiffres, la rendre à l'envers.
L'état final de l'encodeur est le seul lien vers le décodeur.
"""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

LONGUEUR, BASE = 5, 10
DEBUT = BASE                     # jeton de départ du décodeur


def fabriquer(n, graine):
    rng = np.random.default_rng(graine)
    nombres = rng.choice(BASE ** LONGUEUR, size=n, replace=False)      # sans doublons
    chiffres = np.stack([nombres // BASE ** k % BASE for k in range(LONGUEUR)], axis=1)
    src = torch.from_numpy(chiffres).long()
    return src, src.flip(1)


def repackage(etat):
    """Coupe l'état de son histoire, pour la BPTT tronquée."""
    if isinstance(etat, torch.Tensor):
        return etat.detach()
    return tuple(repackage(e) for e in etat)


class Encodeur(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.table = nn.Embedding(BASE, dim)
        self.lstm = nn.LSTM(dim, dim, batch_first=True)

    def forward(self, x):
        _, etat = self.lstm(self.table(x))
        return etat


class Decodeur(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.table = nn.Embedding(BASE + 1, dim)
        self.lstm = nn.LSTM(dim, dim, batch_first=True)
        self.sortie = nn.Linear(dim, BASE)

    def forward(self, y, etat):
        h, etat = self.lstm(self.table(y), etat)
        return self.sortie(h), etat


class Seq2Seq(nn.Module):
    def __init__(self, dim=48):
        super().__init__()
        self.encodeur, self.decodeur = Encodeur(dim), Decodeur(dim)
        self.perte = nn.CrossEntropyLoss()

    @staticmethod
    def decaler(y):
        return torch.cat([torch.full((len(y), 1), DEBUT), y[:, :-1]], dim=1)

    def training_step(self, lot):
        src, cible = lot
        etat = repackage(self.encodeur(src))
        logits, _ = self.decodeur(self.decaler(cible), etat)
        return self.perte(logits.transpose(1, 2), cible)

    @torch.no_grad()
    def generer(self, src):
        etat = self.encodeur(src)
        y, morceaux = torch.full((len(src), 1), DEBUT), []
        for _ in range(LONGUEUR):
            logits, etat = self.decodeur(y, etat)
            y = logits.argmax(-1)
            morceaux.append(y)
        return torch.cat(morceaux, dim=1)

    def configure(self, lr):
        return torch.optim.Adam(self.parameters(), lr=lr)


def evaluer(modele, chargeur):
    modele.eval()
    justes = total = 0
    for src, cible in chargeur:
        justes += (modele.generer(src) == cible).sum().item()
        total += cible.numel()
    return justes / total


def entrainer(modele, chargeur, valid, epoques=6, lr=5e-3):
    opt = modele.configure(lr)
    for epoque in range(epoques):
        modele.train()
        cumul = 0.0
        for lot in chargeur:
            opt.zero_grad()
            perte = modele.training_step(lot)
            perte.backward()
            nn.utils.clip_grad_norm_(modele.parameters(), 1.0)
            opt.step()
            cumul += perte.item()
        print(f"époque {epoque}: perte {cumul / len(chargeur):.3f} chiffres justes {evaluer(modele, valid):.1%}")


if __name__ == "__main__":
    torch.manual_seed(5)
    src, cible = fabriquer(1700, graine=5)
    n = 1500
    entrainer(
        Seq2Seq(),
        DataLoader(TensorDataset(src[:n], cible[:n]), batch_size=50, shuffle=True),
        DataLoader(TensorDataset(src[n:], cible[n:]), batch_size=100),
    )
