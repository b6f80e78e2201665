# expect: dead_relu @ 52
# allowed: dead_relu @ 61
# Prévision de la charge électrique horaire avec des convolutions causales
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(9)

H = 1500
heures = torch.arange(H, dtype=torch.float32)
charge = (52 + 14 * torch.sin(2 * math.pi * heures / 24)
          + 6 * torch.sin(2 * math.pi * heures / 12 + 1)
          + 4 * torch.sin(2 * math.pi * heures / 168) + 1.2 * torch.randn(H))
brut_train, brut_test = charge[:1200], charge[1200:]
moy, ect = brut_train.mean(), brut_train.std()


class Fenetres(Dataset):
    def __init__(self, serie, taille=32):
        self.serie, self.taille = (serie - moy) / ect, taille

    def __len__(self):
        return len(self.serie) - self.taille

    def __getitem__(self, i):
        return self.serie[None, i:i + self.taille], self.serie[i + self.taille]


class ConvCausale(nn.Module):
    def __init__(self, entree, sortie, dilatation):
        super().__init__()
        self.marge = 2 * dilatation
        self.conv = nn.Conv1d(entree, sortie, 3, dilation=dilatation)

    def forward(self, x):
        return F.relu(self.conv(F.pad(x, (self.marge, 0))))


class Prevision(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.pile = nn.Sequential(
            ConvCausale(1, c, 1), ConvCausale(c, c, 2),
            ConvCausale(c, c, 4), ConvCausale(c, c, 8))
        self.fin = nn.Linear(c, 1)
        for m in self.modules():
            if isinstance(m, nn.Conv1d):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
                nn.init.constant_(m.bias, -6.0)

    def forward(self, x):
        return self.fin(self.pile(x)[:, :, -1]).squeeze(-1)


dl_train = DataLoader(Fenetres(brut_train), batch_size=32, shuffle=True)
dl_test = DataLoader(Fenetres(brut_test), batch_size=67)

net = Prevision()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)

for ep in range(8):
    net.train()
    somme, nb = 0.0, 0
    for x, y in dl_train:
        opt.zero_grad()
        perte = F.mse_loss(net(x), y)
        perte.backward()
        opt.step()
        somme += perte.item() * len(y)
        nb += len(y)
    print(f"passe {ep + 1} : mse {somme / nb:.4f}")

net.eval()
err, nb = 0.0, 0
with torch.no_grad():
    for x, y in dl_test:
        err += (net(x) - y).abs().sum().item()
        nb += len(y)
print(f"erreur absolue moyenne en test : {err / nb * ect.item():.2f} MW")
