# expect: softmax_before_cross_entropy @ 47
"""ListNet : ordonner les documents d'une requête, un seul document est cliqué."""
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

N_DOCS, N_TRAITS = 20, 8


class Requetes(IterableDataset):
    """Flux de requêtes simulées ; la graine décide de la partie."""

    def __init__(self, nombre, graine):
        self.nombre, self.graine = nombre, graine

    def __iter__(self):
        g = torch.Generator().manual_seed(self.graine)
        for _ in range(self.nombre):
            docs = torch.randn(N_DOCS, N_TRAITS, generator=g)
            utilite = docs[:, 0] * docs[:, 1] + docs[:, 2].abs() - 0.5 * docs[:, 3]
            bruit = -torch.log(-torch.log(torch.rand(N_DOCS, generator=g)))
            yield docs, (3 * utilite + bruit).argmax()


class Noteur(nn.Module):
    def __init__(self, largeur=32):
        super().__init__()
        self.phi = nn.Sequential(
            nn.Linear(N_TRAITS, largeur), nn.ReLU(),
            nn.Linear(largeur, largeur), nn.ReLU(),
            nn.Linear(largeur, 1),
        )

    def forward(self, docs, melange=None):
        notes = self.phi(docs).squeeze(-1)
        return melange(notes) if melange is not None else notes


def entrainer(noteur, flux, passages, pas=4e-3):
    noteur.train()
    critere = nn.CrossEntropyLoss()
    optim = torch.optim.Adam(noteur.parameters(), lr=pas)
    for p in range(passages):
        somme, vues = 0.0, 0
        for docs, clic in flux:
            optim.zero_grad()
            perte = critere(noteur(docs, nn.Softmax(dim=-1)), clic)
            perte.backward()
            optim.step()
            somme += perte.item() * len(docs)
            vues += len(docs)
        print(f"passage {p + 1} : perte {somme / vues:.3f}")


@torch.no_grad()
def evaluer(noteur, flux):
    noteur.eval()
    premier, inverse, vues = 0, 0.0, 0
    for docs, clic in flux:
        notes = noteur(docs)
        rang = 1 + (notes > notes.gather(1, clic[:, None])).sum(1)
        premier += (rang == 1).sum().item()
        inverse += (1 / rang).sum().item()
        vues += len(docs)
    return premier / vues, inverse / vues


torch.manual_seed(33)
modele = Noteur()
entrainer(modele, DataLoader(Requetes(1200, graine=1), batch_size=50), passages=8)
p1, mrr = evaluer(modele, DataLoader(Requetes(400, graine=2), batch_size=100))
print(f"clic en tête {p1:.3f}   MRR {mrr:.3f}   (hasard : {1 / N_DOCS:.3f})")
