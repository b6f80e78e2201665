# expect: detached_graph @ 41
# allowed: detached_graph @ 42
# allowed: detached_graph @ 57
"""Classer des signaux de longueur variable selon leur modulation (GRU + moyenne masquée)."""
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

CLASSES = ("lent", "rapide", "montant")


def un_signal(classe, gen):
    duree = int(torch.randint(25, 50, (1,), generator=gen))
    t = torch.arange(duree, dtype=torch.float32)
    phase = 2 * math.pi * torch.rand(1, generator=gen)
    if classe == 0:
        f = torch.full_like(t, 0.10)
    elif classe == 1:
        f = torch.full_like(t, 0.16)
    else:
        f = torch.linspace(0.08, 0.18, duree)
    onde = torch.sin(2 * math.pi * torch.cumsum(f, 0) + phase)
    return onde + 0.4 * torch.randn(duree, generator=gen)


def fabriquer(n, graine):
    gen = torch.Generator().manual_seed(graine)
    etiquettes = torch.randint(len(CLASSES), (n,), generator=gen)
    return [un_signal(int(c), gen) for c in etiquettes], etiquettes


def regrouper(signaux, etiquettes, indices):
    choisis = [signaux[i] for i in indices.tolist()]
    longueurs = torch.tensor([len(s) for s in choisis])
    return pad_sequence(choisis, batch_first=True).unsqueeze(-1), longueurs, etiquettes[indices]


@torch.no_grad()
def moyenne_masquee(h, longueurs):
    """Moyenne des états sur les seuls pas de temps réels."""
    pas = torch.arange(h.size(1))
    masque = (pas[None, :] < longueurs[:, None]).unsqueeze(-1).to(h.dtype)
    return (h * masque).sum(1) / longueurs[:, None]


class Classeur(nn.Module):
    def __init__(self, cachees=24, classes=len(CLASSES)):
        super().__init__()
        self.gru = nn.GRU(1, cachees, batch_first=True)
        self.sortie = nn.Linear(cachees, classes)

    def forward(self, x, longueurs):
        h, _ = self.gru(x)
        return self.sortie(moyenne_masquee(h, longueurs))


@torch.no_grad()
def evaluer(modele, signaux, etiquettes):
    modele.eval()
    justes = 0
    for indices in torch.arange(len(signaux)).split(100):
        x, longueurs, y = regrouper(signaux, etiquettes, indices)
        justes += (modele(x, longueurs).argmax(-1) == y).sum().item()
    return justes / len(signaux)


def entrainer(modele, signaux, etiquettes, epoques=14, taux=1e-2):
    optimiseur = torch.optim.Adam(modele.parameters(), lr=taux)
    for epoque in range(1, epoques + 1):
        modele.train()
        cumul = 0.0
        for indices in torch.randperm(len(signaux)).split(32):
            x, longueurs, y = regrouper(signaux, etiquettes, indices)
            perte = F.cross_entropy(modele(x, longueurs), y)
            optimiseur.zero_grad()
            perte.backward()
            nn.utils.clip_grad_norm_(modele.parameters(), 5.0)
            optimiseur.step()
            cumul += perte.item() * len(y)
        print(f"époque {epoque:2d}  perte {cumul / len(signaux):.4f}")


if __name__ == "__main__":
    torch.manual_seed(3)
    apprentissage = fabriquer(480, graine=1)
    essai = fabriquer(200, graine=2)
    modele = Classeur()
    entrainer(modele, *apprentissage)
    print(f"exactitude sur l'essai : {evaluer(modele, *essai):.3f}")
