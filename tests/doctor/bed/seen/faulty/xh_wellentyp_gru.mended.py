# expect: nothing
# Wellentyp aus kurzen Messreihen erkennen
import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader

torch.manual_seed(11)
rng = np.random.default_rng(11)


class Wellen(Dataset):
    """Sinus oder Rechteck, schwach oder stark, verschieden lang."""

    def __init__(self, anzahl):
        self.reihen, self.typen = [], []
        for k in range(anzahl):
            typ = k % 4
            t = np.arange(rng.integers(20, 33))
            phase = (rng.uniform(0.06, 0.14) * t + rng.uniform(0, 1)) % 1.0
            if typ < 2:
                w = np.sin(2 * np.pi * phase)
            else:
                w = np.where(phase < 0.5, 1.0, -1.0)
            staerke = rng.uniform(0.4, 0.7) if typ % 2 == 0 else rng.uniform(1.0, 1.5)
            w = staerke * (w + 0.1 * rng.normal(size=len(t)))
            self.reihen.append(w)
            self.typen.append(typ)

    def __len__(self):
        return len(self.typen)

    def __getitem__(self, i):
        return torch.tensor(self.reihen[i], dtype=torch.float32)[None], self.typen[i]


def buendeln(stapel):
    kuerzeste = min(x.shape[-1] for x, _ in stapel)
    x = torch.stack([x[:, :kuerzeste] for x, _ in stapel])
    return x, torch.tensor([y for _, y in stapel])


class WellenNetz(nn.Module):
    def __init__(self, breite=20):
        super().__init__()
        self.faltung = nn.Conv1d(1, breite, 5, padding=2)
        self.norm = nn.BatchNorm1d(breite)
        self.gru = nn.GRU(breite, 24, batch_first=True)
        self.kopf = nn.Linear(24, 4)

    def forward(self, x):
        x = torch.relu(self.norm(self.faltung(x)))
        _, h = self.gru(x.transpose(1, 2))
        return self.kopf(h[-1])


training, pruefung = Wellen(130), Wellen(160)
lader = DataLoader(training, batch_size=5, shuffle=True, collate_fn=buendeln)
pruef_lader = DataLoader(pruefung, batch_size=60, collate_fn=buendeln)

netz = WellenNetz()
optimierer = torch.optim.Adam(netz.parameters(), lr=5e-3)
verlust = nn.CrossEntropyLoss()

for epoche in range(6):
    netz.train()
    summe = 0.0
    for x, y in lader:
        optimierer.zero_grad()
        fehler = verlust(netz(x), y)
        fehler.backward()
        optimierer.step()
        summe += fehler.item() * len(y)
    netz.eval()
    treffer = 0
    with torch.no_grad():
        for x, y in pruef_lader:
            treffer += (netz(x).argmax(1) == y).sum().item()
    print(f"Epoche {epoche}: Verlust {summe / len(training):.3f}, "
          f"Pruefung {treffer / len(pruefung):.3f}")
