# expect: softmax_wrong_dim @ 43
"""Wissensdestillation auf den sklearn-Ziffern: grosses Netz -> kleines Netz."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

ziffern = load_digits()
bilder = (ziffern.images / 16.0).astype("float32")
x_tr, x_te, y_tr, y_te = train_test_split(
    bilder, ziffern.target, test_size=0.3, stratify=ziffern.target, random_state=0)
x_tr, x_te = torch.from_numpy(x_tr).unsqueeze(1), torch.from_numpy(x_te).unsqueeze(1)
y_tr, y_te = torch.from_numpy(y_tr).long(), torch.from_numpy(y_te).long()
lader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True)


class Lehrer(nn.Module):
    def __init__(self):
        super().__init__()
        self.netz = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 16, 10))

    def forward(self, x):
        return self.netz(x)


class Schueler(nn.Module):
    def __init__(self):
        super().__init__()
        self.netz = nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))

    def forward(self, x):
        return self.netz(x)


def destillationsverlust(schueler_aus, lehrer_aus, T):
    log_p = F.log_softmax(schueler_aus / T, dim=0)
    q = F.softmax(lehrer_aus / T, dim=1)
    return F.kl_div(log_p, q, reduction="batchmean") * T * T


@torch.no_grad()
def genauigkeit(modell):
    modell.eval()
    treffer = (modell(x_te).argmax(1) == y_te).float().mean().item()
    modell.train()
    return treffer


lehrer = Lehrer()
opt = torch.optim.Adam(lehrer.parameters(), lr=2e-3)
for epoche in range(4):
    for xb, yb in lader:
        opt.zero_grad()
        F.cross_entropy(lehrer(xb), yb).backward()
        opt.step()
print(f"Lehrer: {genauigkeit(lehrer):.3f}")

lehrer.eval()
for p in lehrer.parameters():
    p.requires_grad_(False)

schueler = Schueler()
opt = torch.optim.Adam(schueler.parameters(), lr=3e-3)
for epoche in range(12):
    summe = 0.0
    for xb, _ in lader:
        with torch.no_grad():
            ziel = lehrer(xb)
        verlust = destillationsverlust(schueler(xb), ziel, T=3.0)
        opt.zero_grad()
        verlust.backward()
        opt.step()
        summe += verlust.item()
    if epoche % 4 == 3:
        print(f"Epoche {epoche + 1:2d}  Verlust {summe / len(lader):.4f}")
print(f"Schueler: {genauigkeit(schueler):.3f}")
