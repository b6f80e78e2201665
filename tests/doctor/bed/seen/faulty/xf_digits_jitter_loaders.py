# expect: augment_on_test @ 42
# allowed: augment_on_test @ 84
# allowed: augment_on_test @ 91
# allowed: augment_on_test @ 36
"""Kleines CNN auf den sklearn-Ziffern, mit Drehung und Verschiebung als Augmentierung."""
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(29)


def wackeln(x, grad=28.0, versatz=0.3):
    """Zufällige affine Abbildung je Bild."""
    n = len(x)
    w = (torch.rand(n) * 2 - 1) * math.radians(grad)
    t = (torch.rand(n, 2) * 2 - 1) * versatz
    theta = torch.stack([torch.stack([w.cos(), -w.sin(), t[:, 0]], 1),
                         torch.stack([w.sin(), w.cos(), t[:, 1]], 1)], 1)
    gitter = F.affine_grid(theta, x.shape, align_corners=False)
    return F.grid_sample(x, gitter, align_corners=False)


def stapeln(proben):
    bilder, ziele = zip(*proben)
    return torch.stack(bilder), torch.stack(ziele)


def stapeln_und_wackeln(proben):
    bilder, ziele = stapeln(proben)
    return wackeln(bilder), ziele


def lader(teil, training, groesse=64):
    return DataLoader(teil, batch_size=groesse if training else 4 * groesse,
                      shuffle=training, drop_last=training,
                      collate_fn=stapeln_und_wackeln)


def daten():
    roh = load_digits()
    x = torch.tensor(roh.images, dtype=torch.float32).unsqueeze(1) / 16.0
    y = torch.tensor(roh.target)
    a, b = train_test_split(range(len(y)), test_size=0.3, stratify=roh.target, random_state=29)
    return TensorDataset(x[a], y[a]), TensorDataset(x[b], y[b])


class Netz(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 32, 3, padding=1)
        self.aus = nn.Linear(32 * 16, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        return self.aus(F.relu(self.c2(x)).flatten(1))


def lauf(netz, quelle, opt=None):
    """Ein Durchgang; mit Optimierer wird gelernt, ohne nur gemessen."""
    netz.train(opt is not None)
    verlust = treffer = anzahl = 0
    with torch.set_grad_enabled(opt is not None):
        for x, y in quelle:
            logits = netz(x)
            l = F.cross_entropy(logits, y)
            if opt is not None:
                opt.zero_grad()
                l.backward()
                opt.step()
            verlust += l.item() * len(y)
            treffer += (logits.argmax(1) == y).sum().item()
            anzahl += len(y)
    return verlust / anzahl, treffer / anzahl


lern, pruef = daten()
lern_lader, pruef_lader = lader(lern, training=True), lader(pruef, training=False)
netz = Netz()
opt = torch.optim.Adam(netz.parameters(), lr=4e-3)
for ep in range(14):
    l, t = lauf(netz, lern_lader, opt)
    if ep % 3 == 1:
        print(f"Epoche {ep:2d}: Verlust {l:.4f}, Treffer {t:.3f}")
print("Prüfung: Verlust %.4f, Treffer %.4f" % lauf(netz, pruef_lader))
