# expect: nothing
"""Kleines Zeichenmodell: eine GRU lernt erfundene Sätze weiterzuschreiben."""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(4)
random.seed(4)

wer = ["der hund", "die katze", "das kind", "ein vogel"]
tut = ["sieht", "sucht", "hoert", "findet"]
uhr = lambda: f"um {random.randint(0, 23)} uhr {random.randint(0, 59)}"
was = ["den ball", "die maus", "das haus", "einen stein"]


def text(n):
    return " ".join(
        f"{random.choice(wer)} {random.choice(tut)} {random.choice(was)} {uhr()}." for _ in range(n)
    )


roh_train, roh_test = text(900), text(120)
alphabet = sorted(set(roh_train))
nr = {z: i for i, z in enumerate(alphabet)}


def stuecke(roh, laenge=32):
    ids = torch.tensor([nr[z] for z in roh])
    n = (len(ids) - 1) // laenge
    x = ids[: n * laenge].view(n, laenge)
    y = ids[1 : n * laenge + 1].view(n, laenge)
    return x, y


class Verlauf:
    """Geglätteter Verlust, damit die Anzeige nicht so springt."""

    def __init__(self, traegheit=0.95):
        self.t = traegheit
        self.wert, self.n = 0.0, 0

    def merke(self, neu):
        self.n += 1
        self.wert = self.t * self.wert + (1 - self.t) * neu.item()

    def __str__(self):
        return f"{self.wert / (1 - self.t**self.n):.3f}"


class Schreiber(nn.Module):
    def __init__(self, v, h=64):
        super().__init__()
        self.emb = nn.Embedding(v, 16)
        self.gru = nn.GRU(16, h, batch_first=True)
        self.aus = nn.Linear(h, v)

    def forward(self, x):
        z, _ = self.gru(self.emb(x))
        return self.aus(z)


netz = Schreiber(len(alphabet))
opt = torch.optim.Adam(netz.parameters(), lr=4e-3)
x, y = stuecke(roh_train)
anzeige = Verlauf()

for runde in range(4):
    netz.train()
    for teil in torch.randperm(len(x)).split(32):
        verlust = F.cross_entropy(netz(x[teil]).transpose(1, 2), y[teil])
        opt.zero_grad()
        verlust.backward()
        opt.step()
        anzeige.merke(verlust)
    print(f"Runde {runde}: Verlust geglättet {anzeige}")

netz.eval()
xt, yt = stuecke(roh_test)
with torch.inference_mode():
    aus = netz(xt)
    print("Test-Verlust je Zeichen:", round(F.cross_entropy(aus.transpose(1, 2), yt).item(), 3))
    print("Treffer:", round((aus.argmax(-1) == yt).float().mean().item(), 3))
