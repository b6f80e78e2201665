# expect: target_broadcast @ 53
# allowed: target_broadcast @ 54
# allowed: target_broadcast @ 41
# allowed: target_broadcast @ 35
# mend: 53 →         sortie = modele(x_app[idx]).squeeze(1)
# Estimer le rayon d'un disque a partir d'une image bruitee
import torch
from torch import nn

torch.manual_seed(0)
COTE = 20


def fabriquer(n):
    """Renvoie des images (n, 1, COTE, COTE) et les rayons (n,)."""
    yy, xx = torch.meshgrid(torch.arange(COTE), torch.arange(COTE), indexing="ij")
    rayons = 2.0 + 5.0 * torch.rand(n)
    centres = 8.0 + 4.0 * torch.rand(n, 2)
    d2 = (yy - centres[:, 0, None, None]) ** 2 + (xx - centres[:, 1, None, None]) ** 2
    images = (d2 <= rayons[:, None, None] ** 2).float()
    images = images + 0.2 * torch.randn_like(images)
    return images.unsqueeze(1), rayons


class Regresseur(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
        )
        self.tete = nn.Sequential(nn.Flatten(), nn.Linear(16 * 25, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.tete(self.conv(x))


x_app, r_app = fabriquer(1000)
x_test, r_test = fabriquer(300)
moyenne, ecart = r_app.mean(), r_app.std()
cible_app = (r_app - moyenne) / ecart

modele = Regresseur()
optim = torch.optim.Adam(modele.parameters(), lr=2e-3)
taille_lot = 50

for epoque in range(15):
    modele.train()
    ordre = torch.randperm(len(x_app))
    total = 0.0
    for k in range(0, len(ordre), taille_lot):
        idx = ordre[k:k + taille_lot]
        sortie = modele(x_app[idx])
        perte = ((sortie - cible_app[idx]) ** 2).mean()
        optim.zero_grad()
        perte.backward()
        optim.step()
        total += perte.item() * len(idx)
    print(f"epoque {epoque + 1:2d} | perte {total / len(ordre):.4f}")

modele.eval()
with torch.no_grad():
    estime = modele(x_test).squeeze(1) * ecart + moyenne
mae = (estime - r_test).abs().mean().item()
r2 = 1 - ((estime - r_test) ** 2).sum() / ((r_test - r_test.mean()) ** 2).sum()
print(f"erreur absolue moyenne {mae:.3f} pixels, R2 {r2.item():.3f}")
