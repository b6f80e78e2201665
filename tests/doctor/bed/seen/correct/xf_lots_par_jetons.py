# expect: nothing
"""Étiquetage de suites : lots de taille variable, pertes sommées puis ramenées au jeton."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Sampler

random.seed(2)
torch.manual_seed(2)
SANS = -1
CUMUL = 2


def suite():
    n = random.randint(4, 20)
    x = [random.randint(1, 9) for _ in range(n)]
    y, ouvert = [], 0
    for v in x:
        if v <= 3:
            ouvert = 1 - ouvert
        y.append(ouvert)
    return torch.tensor(x), torch.tensor(y)


class BudgetDeJetons(Sampler):
    """Remplit chaque lot jusqu'à un nombre maximal de jetons, suites mélangées par paquets."""

    def __init__(self, longueurs, budget):
        self.longueurs, self.budget = longueurs, budget

    def __iter__(self):
        ordre = torch.randperm(len(self.longueurs)).tolist()
        paquets = [sorted(ordre[i:i + 200], key=self.longueurs.__getitem__)
                   for i in range(0, len(ordre), 200)]
        lots, lot = [], []
        for i in (j for p in paquets for j in p):
            if (len(lot) + 1) * max([self.longueurs[i]] + [self.longueurs[k] for k in lot]) > self.budget:
                lots.append(lot)
                lot = []
            lot.append(i)
        lots.append(lot)
        random.shuffle(lots)
        yield from lots


def assemble(lot):
    return (pad_sequence([x for x, _ in lot], batch_first=True),
            pad_sequence([y for _, y in lot], batch_first=True, padding_value=SANS))


class Etiqueteur(nn.Module):
    def __init__(self, caches=16):
        super().__init__()
        self.emb = nn.Embedding(10, 8, padding_idx=0)
        self.gru = nn.GRU(8, caches, batch_first=True)
        self.fin = nn.Linear(caches, 2)

    def forward(self, x):
        return self.fin(self.gru(self.emb(x))[0])


def somme_perte(modele, x, y):
    return nn.functional.cross_entropy(modele(x).transpose(1, 2), y,
                                       ignore_index=SANS, reduction="sum")


def par_groupes(charg):
    groupe = []
    for lot in charg:
        groupe.append(lot)
        if len(groupe) == CUMUL:
            yield groupe
            groupe = []
    if groupe:
        yield groupe


donnees = [suite() for _ in range(900)]
appr, test = donnees[:700], donnees[700:]
lots = DataLoader(appr, batch_sampler=BudgetDeJetons([len(x) for x, _ in appr], 300),
                  collate_fn=assemble)
modele = Etiqueteur()
opt = torch.optim.Adam(modele.parameters(), lr=1.5e-2)

for epoque in range(12):
    modele.train()
    cumul = vus = 0
    for groupe in par_groupes(lots):
        jetons = sum((y != SANS).sum().item() for _, y in groupe)
        opt.zero_grad()
        for x, y in groupe:
            somme = somme_perte(modele, x, y)
            (somme / jetons).backward()
            cumul += somme.item()
        opt.step()
        vus += jetons
    if epoque % 3 == 2:
        print(f"époque {epoque + 1:2d} : perte par jeton {cumul / vus:.4f}")

modele.eval()
with torch.inference_mode():
    x, y = assemble(test)
    masque = y != SANS
    juste = (modele(x).argmax(-1) == y)[masque].float().mean().item()
    part = max(y[masque].float().mean().item(), 1 - y[masque].float().mean().item())
print(f"test : {juste:.3f} des jetons justes (classe la plus fréquente {part:.3f})")
