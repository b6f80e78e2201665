# expect: nothing
"""Kleines Faltungsnetz auf den 8x8-Ziffern, mit leichter Verschiebung als Augmentierung."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(11)
np.random.seed(11)


class Ziffern(Dataset):
    def __init__(self, bilder, klassen, verschieben=False):
        self.bilder = torch.tensor(bilder / 16.0, dtype=torch.float32).unsqueeze(1)
        self.klassen = torch.tensor(klassen)
        self.verschieben = verschieben

    def __len__(self):
        return len(self.klassen)

    def __getitem__(self, i):
        bild = self.bilder[i]
        if self.verschieben:
            dx = int(torch.randint(-1, 2, (1,)))
            bild = torch.roll(bild, dx, dims=2)
        return bild, self.klassen[i]


def block(ein, aus):
    return nn.Sequential(
        nn.Conv2d(ein, aus, 3, padding=1, bias=False),
        nn.BatchNorm2d(aus, momentum=0.5),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


class Netz(nn.Module):
    def __init__(self):
        super().__init__()
        self.teil1 = block(1, 16)
        self.teil2 = block(16, 32)
        self.kopf = nn.Linear(32 * 4, 10)

    def forward(self, x):
        x = self.teil2(self.teil1(x))
        return self.kopf(x.flatten(1))


def lader(satz, groesse, training):
    return DataLoader(satz, batch_size=groesse, shuffle=training, drop_last=training)


def messen(netz, dl):
    netz.eval()
    richtig = 0
    with torch.no_grad():
        for x, y in dl:
            richtig += (netz(x).argmax(1) == y).sum().item()
    return richtig / len(dl.dataset)


digits = load_digits()
xa, xb, ya, yb = train_test_split(
    digits.images, digits.target, test_size=500, stratify=digits.target, random_state=3
)
train_dl = lader(Ziffern(xa, ya, verschieben=True), 16, True)
test_dl = lader(Ziffern(xb, yb), 100, False)

netz = Netz()
opt = torch.optim.Adam(netz.parameters(), lr=2e-3)
kriterium = nn.CrossEntropyLoss()

for epoche in range(5):
    netz.train()
    summe, anzahl = 0.0, 0
    for x, y in train_dl:
        opt.zero_grad()
        verlust = kriterium(netz(x), y)
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(y)
        anzahl += len(y)
    print(f"Epoche {epoche}: Verlust {summe / anzahl:.4f}")

print(f"Genauigkeit auf den Testbildern: {messen(netz, test_dl):.3f}")
