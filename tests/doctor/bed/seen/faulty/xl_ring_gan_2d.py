# expect: detached_graph @ 66
# GAN 2D : apprendre un anneau de huit gaussiennes... version simplifiee a un anneau plein
import math

import torch
import torch.nn.functional as F
from torch import nn, optim

torch.manual_seed(11)

DIM_Z = 4
TAILLE_LOT = 128
PAS = 1500


def vrais_points(n):
    angle = 2 * math.pi * torch.rand(n)
    rayon = 1.5 + 0.1 * torch.randn(n)
    return torch.stack([rayon * angle.cos(), rayon * angle.sin()], dim=1)


class Generateur(nn.Module):
    def __init__(self, largeur=48):
        super().__init__()
        self.corps = nn.Sequential(
            nn.Linear(DIM_Z, largeur), nn.LeakyReLU(0.2),
            nn.Linear(largeur, largeur), nn.LeakyReLU(0.2),
            nn.Linear(largeur, 2),
        )

    def forward(self, z):
        return self.corps(z)


class Discriminateur(nn.Module):
    def __init__(self, largeur=48):
        super().__init__()
        self.corps = nn.Sequential(
            nn.Linear(2, largeur), nn.LeakyReLU(0.2),
            nn.Linear(largeur, largeur), nn.LeakyReLU(0.2),
            nn.Linear(largeur, 1),
        )

    def forward(self, x):
        return self.corps(x).squeeze(1)


G, D = Generateur(), Discriminateur()
opt_g = optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
un, zero = torch.ones(TAILLE_LOT), torch.zeros(TAILLE_LOT)

for pas in range(1, PAS + 1):
    vrai = vrais_points(TAILLE_LOT)
    faux = G(torch.randn(TAILLE_LOT, DIM_Z))

    # --- discriminateur ---
    opt_d.zero_grad()
    perte_d = (F.binary_cross_entropy_with_logits(D(vrai), un)
               + F.binary_cross_entropy_with_logits(D(faux.detach()), zero))
    perte_d.backward()
    opt_d.step()

    # --- generateur ---
    opt_g.zero_grad()
    perte_g = F.binary_cross_entropy_with_logits(D(faux.detach()), un)
    perte_g.backward()
    opt_g.step()

    if pas % 300 == 0:
        print(f"pas {pas:4d}  perte_d {perte_d.item():.3f}  perte_g {perte_g.item():.3f}")

G.eval()
with torch.no_grad():
    echantillon = G(torch.randn(2000, DIM_Z))
    rayons = echantillon.norm(dim=1)
    print(f"rayon moyen genere : {rayons.mean().item():.3f} (vrai 1.5)")
    print(f"ecart moyen a l'anneau : {(rayons - 1.5).abs().mean().item():.3f}")
