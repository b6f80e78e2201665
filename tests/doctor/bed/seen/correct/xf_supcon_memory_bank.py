# expect: nothing
# Kontrastives Lernen mit Etiketten und einem Speicher vergangener Einbettungen.
from collections import deque

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(44)


class Speicher:
    """Die letzten Stapel; nur Werte, keine Gradienten."""

    def __init__(self, tiefe=6):
        self.stapel = deque(maxlen=tiefe)

    def ablegen(self, z, y):
        self.stapel.append((z.detach(), y))

    def alles(self):
        zs, ys = zip(*self.stapel)
        return torch.cat(zs), torch.cat(ys)


class Einbetter(nn.Module):
    def __init__(self, dim=24):
        super().__init__()
        self.f = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, dim))

    def forward(self, x):
        return F.normalize(self.f(x), dim=-1)


def verlust(z, y, bank_z, bank_y, tau=0.15):
    alle_z = torch.cat([z, bank_z])
    alle_y = torch.cat([y, bank_y])
    n = len(z)
    logits = z @ alle_z.T / tau
    selbst = torch.zeros_like(logits, dtype=torch.bool)
    selbst[:, :n] = torch.eye(n, dtype=torch.bool)
    gleich = (y[:, None] == alle_y[None, :]) & ~selbst
    logp = logits - logits.masked_fill(selbst, -1e9).logsumexp(1, keepdim=True)
    return -((logp * gleich).sum(1) / gleich.sum(1).clamp(min=1)).mean()


def ansicht(x):
    v = torch.randint(-1, 2, (2,)).tolist()
    return torch.roll(x, v, (2, 3)) + 0.05 * torch.randn_like(x)


@torch.no_grad()
def einbetten(netz, x):
    war = netz.training
    netz.eval()
    z = netz(x)
    netz.train(war)
    return z


def knn(netz, xg, yg, xq, yq, k=5):
    sim = einbetten(netz, xq) @ einbetten(netz, xg).T
    nachbarn = yg[sim.topk(k, dim=1).indices]
    stimmen = nachbarn.mode(dim=1).values
    irgendeiner = (nachbarn == yq[:, None]).any(dim=1)
    return (stimmen == yq).float().mean().item(), irgendeiner.float().mean().item()


daten = load_digits()
x = torch.tensor(daten.images / 16, dtype=torch.float32)[:, None]
y = torch.tensor(daten.target)
itr, ite = train_test_split(torch.arange(len(y)), test_size=0.3, stratify=y, random_state=44)
netz = Einbetter().train()
opt = torch.optim.Adam(netz.parameters(), lr=2e-3)
bank = Speicher()

for ep in range(8):
    verlaeufe = []
    for idx in itr[torch.randperm(len(itr))].split(64):
        z = netz(ansicht(x[idx]))
        bank_z, bank_y = bank.alles() if bank.stapel else (z[:0].detach(), y[:0])
        l = verlust(z, y[idx], bank_z, bank_y)
        opt.zero_grad()
        l.backward()
        opt.step()
        bank.ablegen(z, y[idx])
        verlaeufe.append(l.detach())
    print(f"Epoche {ep}: {torch.stack(verlaeufe).mean():.4f}")

print("5-NN %.4f, Treffer unter 5: %.4f" % knn(netz, x[itr], y[itr], x[ite], y[ite]))
