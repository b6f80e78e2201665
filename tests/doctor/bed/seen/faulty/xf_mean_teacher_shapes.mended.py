# expect: nothing
"""Mean teacher sur des formes dessinées : peu d'étiquettes, beaucoup d'images nues."""
import copy

import torch
import torch.nn.functional as F
from torch import nn

gen = torch.Generator().manual_seed(6)
torch.manual_seed(6)
T = 16


def formes(n):
    """0 disque, 1 carré, 2 croix, 3 anneau ; position au hasard, bruit."""
    y = torch.arange(n) % 4
    g = torch.arange(T, dtype=torch.float32)
    c = 5 + 6 * torch.rand(2, n, 1, 1, generator=gen)
    dx, dy = (g[None, None, :] - c[0]).abs(), (g[None, :, None] - c[1]).abs()
    r = (dx ** 2 + dy ** 2).sqrt()
    pile = torch.stack([r < 4, torch.maximum(dx, dy) < 3.5,
                        (torch.minimum(dx, dy) < 1.2) & (torch.maximum(dx, dy) < 4.5),
                        (r < 4.5) & (r > 2.5)])
    x = pile[y, torch.arange(n)].float()
    return (x + 0.3 * torch.randn(n, T, T, generator=gen)).unsqueeze(1), y


def reseau():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(24 * 16, 48), nn.ReLU(), nn.Linear(48, 4))


def groupes(modele, regul=0.0004):
    """Les biais ne sont pas régularisés."""
    poids = [p for p in modele.parameters() if p.ndim > 1]
    biais = [p for p in modele.parameters() if p.ndim <= 1]
    return [{"params": poids, "weight_decay": regul},
            {"params": biais, "weight_decay": 0.0}]


class MoyenneMobile:
    def __init__(self, eleve, inertie=0.97):
        self.maitre = copy.deepcopy(eleve).requires_grad_(False).eval()
        self.inertie = inertie

    @torch.no_grad()
    def suivre(self, eleve):
        for m, e in zip(self.maitre.parameters(), eleve.parameters()):
            m.lerp_(e, 1 - self.inertie)


def bruiter(x):
    return torch.roll(x, torch.randint(-1, 2, (2,)).tolist(), (2, 3)) + 0.15 * torch.randn_like(x)


@torch.no_grad()
def precision(modele, x, y):
    modele.eval()
    return (modele(x).argmax(1) == y).float().mean().item()


x_et, y_et = formes(200)
x_nu, _ = formes(1200)
x_ess, y_ess = formes(400)

eleve = reseau()
moyenne = MoyenneMobile(eleve)
opt = torch.optim.Adam(groupes(eleve), lr=3e-3)

pas = 0
for tour in range(12):
    eleve.train()
    s_sup = s_coh = 0.0
    morceaux = torch.randperm(len(x_nu)).split(60)
    for idx in morceaux:
        k = torch.randint(len(x_et), (40,))
        sup = F.cross_entropy(eleve(bruiter(x_et[k])), y_et[k])
        with torch.no_grad():
            cible = moyenne.maitre(x_nu[idx]).softmax(1)
        coh = F.mse_loss(eleve(bruiter(x_nu[idx])).softmax(1), cible)
        perte = sup + min(1.0, pas / 100) * 2 * coh
        opt.zero_grad()
        perte.backward()
        opt.step()
        moyenne.suivre(eleve)
        pas += 1
        s_sup += sup.item()
        s_coh += coh.item()
    if tour % 3 == 2:
        print(f"tour {tour + 1:2d}  sup {s_sup / len(morceaux):.4f}  coh {s_coh / len(morceaux):.4f}")

print(f"élève {precision(eleve, x_ess, y_ess):.4f}  maître {precision(moyenne.maitre, x_ess, y_ess):.4f}")
