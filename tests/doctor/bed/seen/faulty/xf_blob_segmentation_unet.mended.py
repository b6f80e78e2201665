# expect: nothing
"""Segmentierung von Kreisen in verrauschten Bildern mit einem kleinen U-Netz."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
rng = np.random.default_rng(11)


def bilder_erzeugen(n, groesse=24):
    yy, xx = np.mgrid[:groesse, :groesse]
    bilder, masken = [], []
    for _ in range(n):
        maske = np.zeros((groesse, groesse), bool)
        for _ in range(rng.integers(2, 5)):
            cx, cy = rng.uniform(3, groesse - 3, 2)
            maske |= (xx - cx) ** 2 + (yy - cy) ** 2 < rng.uniform(3, 5.5) ** 2
        bilder.append(maske * 0.9 + rng.normal(0, 0.9, maske.shape))
        masken.append(maske)
    x = torch.tensor(np.array(bilder), dtype=torch.float32)[:, None]
    return x, torch.tensor(np.array(masken), dtype=torch.float32)[:, None]


def block(ein, aus):
    return nn.Sequential(
        nn.Conv2d(ein, aus, 3, padding=1, bias=False), nn.BatchNorm2d(aus), nn.ReLU(),
        nn.Dropout2d(0.15))


class MiniUNetz(nn.Module):
    def __init__(self, b=12):
        super().__init__()
        self.runter1 = block(1, b)
        self.runter2 = block(b, 2 * b)
        self.boden = block(2 * b, 2 * b)
        self.hoch = nn.Upsample(scale_factor=2)
        self.rauf = block(3 * b, b)
        self.kopf = nn.Conv2d(b, 1, 1)

    def forward(self, x):
        a = self.runter1(x)
        t = self.boden(self.runter2(nn.functional.max_pool2d(a, 2)))
        return self.kopf(self.rauf(torch.cat([a, self.hoch(t)], 1)))


class Trainer:
    def __init__(self, netz, lr=3e-3):
        self.netz = netz
        self.opt = torch.optim.Adam(netz.parameters(), lr=lr)
        self.verlust = nn.BCEWithLogitsLoss()

    @torch.no_grad()
    def dice(self, lader):
        self.netz.eval()
        schnitt = summe = 0.0
        for x, m in lader:
            p = (self.netz(x) > 0).float()
            schnitt += (p * m).sum().item()
            summe += (p.sum() + m.sum()).item()
        return 2 * schnitt / summe

    def fit(self, train, val, epochen):
        for ep in range(epochen):
            self.netz.train()
            gesamt = 0.0
            for x, m in train:
                self.opt.zero_grad()
                l = self.verlust(self.netz(x), m)
                l.backward()
                self.opt.step()
                gesamt += l.item() * len(x)
            print(f"Epoche {ep}: Verlust {gesamt / len(train.dataset):.4f}  "
                  f"Dice(val) {self.dice(val):.4f}")


xt, mt = bilder_erzeugen(240)
xv, mv = bilder_erzeugen(80)
xp, mp = bilder_erzeugen(120)
train = DataLoader(TensorDataset(xt, mt), batch_size=24, shuffle=True)
val = DataLoader(TensorDataset(xv, mv), batch_size=40)
test = DataLoader(TensorDataset(xp, mp), batch_size=40)

t = Trainer(MiniUNetz())
t.fit(train, val, epochen=6)
print(f"Dice(test) {t.dice(test):.4f}")
