# expect: vanishing_gradient @ 34
# allowed: vanishing_gradient @ 28
# allowed: vanishing_gradient @ 33
# allowed: vanishing_gradient @ 48
"""Tiefes Faltungsnetz fuer drei Arten von Mustern (Streifen, Punkte, Verlauf)."""
import torch
import torch.nn as nn

torch.manual_seed(9)


def muster(n):
    art = torch.arange(n) % 3
    yy, xx = torch.meshgrid(torch.linspace(-1, 1, 12), torch.linspace(-1, 1, 12),
                            indexing="ij")
    phi = torch.rand(n, 1, 1) * 3.1416
    lage = torch.cos(phi) * xx + torch.sin(phi) * yy
    quer = -torch.sin(phi) * xx + torch.cos(phi) * yy
    streifen = torch.sin(8 * lage)
    punkte = torch.sin(8 * lage) * torch.sin(8 * quer)
    verlauf = lage
    alle = torch.stack([streifen, punkte, verlauf], dim=1)
    bild = alle[torch.arange(n), art] + 0.3 * torch.randn(n, 12, 12)
    return bild.unsqueeze(1), art


class TiefesNetz(nn.Module):
    def __init__(self, tiefe=8, breite=12):
        super().__init__()
        schichten = []
        ein = 1
        for k in range(tiefe):
            schichten.append(nn.Conv2d(ein, breite, 3, padding=1))
            schichten.append(nn.Sigmoid())
            if k in (1, 4):
                schichten.append(nn.MaxPool2d(2))
            ein = breite
        self.koerper = nn.Sequential(*schichten)
        self.kopf = nn.Linear(breite * 9, 3)

    def forward(self, x):
        return self.kopf(self.koerper(x).flatten(1))


x_tr, y_tr = muster(900)
x_te, y_te = muster(300)

netz = TiefesNetz()
opt = torch.optim.Adam(netz.parameters(), lr=2e-3)
krit = nn.CrossEntropyLoss()

for epoche in range(8):
    netz.train()
    summe = 0.0
    for idx in torch.randperm(len(x_tr)).split(30):
        opt.zero_grad()
        verlust = krit(netz(x_tr[idx]), y_tr[idx])
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(idx)
    print(f"Epoche {epoche + 1}: Verlust {summe / len(x_tr):.4f}")

netz.eval()
with torch.no_grad():
    treffer = (netz(x_te).argmax(1) == y_te).float().mean().item()
print(f"Trefferquote Test: {treffer:.3f}")
