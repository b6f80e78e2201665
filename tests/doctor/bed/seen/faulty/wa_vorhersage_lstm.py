# expect: target_broadcast @ 46
# allowed: target_broadcast @ 34
# allowed: target_broadcast @ 54
# Vorhersage des naechsten Stundenwerts einer (kuenstlichen) Stromlast mit einem LSTM
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

FENSTER = 24


def lastkurve(stunden, rng):
    t = np.arange(stunden)
    tag = 12 * np.sin(2 * np.pi * t / 24)
    woche = 5 * np.sin(2 * np.pi * t / 168)
    rauschen = np.zeros(stunden)
    for i in range(1, stunden):
        rauschen[i] = 0.7 * rauschen[i - 1] + rng.normal(0, 1.0)
    return (60 + tag + woche + rauschen).astype(np.float32)


class Fensterdaten(Dataset):
    """Ein Beispiel = die letzten 24 Stunden, Ziel = die Stunde danach."""

    def __init__(self, reihe):
        self.reihe = torch.from_numpy(reihe)

    def __len__(self):
        return len(self.reihe) - FENSTER

    def __getitem__(self, i):
        eingabe = self.reihe[i:i + FENSTER].unsqueeze(-1)
        ziel = self.reihe[i + FENSTER]
        return eingabe, ziel


class Prognose(nn.Module):
    def __init__(self, breite=32):
        super().__init__()
        self.lstm = nn.LSTM(1, breite, batch_first=True)
        self.kopf = nn.Sequential(nn.Linear(breite, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, x):
        aus, _ = self.lstm(x)
        return self.kopf(aus[:, -1])


def eine_epoche(netz, lader, kriterium, optimierer):
    netz.train()
    summe = 0.0
    for x, y in lader:
        optimierer.zero_grad()
        verlust = kriterium(netz(x), y)
        verlust.backward()
        nn.utils.clip_grad_norm_(netz.parameters(), 1.0)
        optimierer.step()
        summe += verlust.item() * len(y)
    return summe / len(lader.dataset)


def mittlerer_fehler(netz, lader, skala):
    netz.eval()
    fehler = []
    with torch.no_grad():
        for x, y in lader:
            fehler.append((netz(x).reshape(-1) - y).abs())
    return torch.cat(fehler).mean().item() * skala


def haupt():
    torch.manual_seed(7)
    reihe = lastkurve(24 * 60, np.random.default_rng(7))
    # zeitlich geordnet: erst Training, dann Validierung, zuletzt Test
    a, b = int(len(reihe) * 0.7), int(len(reihe) * 0.85)
    mittel, streuung = reihe[:a].mean(), reihe[:a].std()
    normiert = (reihe - mittel) / streuung
    lern = DataLoader(Fensterdaten(normiert[:a]), batch_size=32, shuffle=True)
    pruef = DataLoader(Fensterdaten(normiert[a:b]), batch_size=128)
    test = DataLoader(Fensterdaten(normiert[b:]), batch_size=128)

    netz = Prognose()
    kriterium = nn.MSELoss()
    optimierer = torch.optim.Adam(netz.parameters(), lr=5e-3)
    for epoche in range(1, 9):
        verlust = eine_epoche(netz, lern, kriterium, optimierer)
        mae = mittlerer_fehler(netz, pruef, streuung)
        print(f"Epoche {epoche}: Verlust {verlust:.4f}  MAE(Pruef) {mae:.2f} MW")
    print(f"MAE auf den Testwochen: {mittlerer_fehler(netz, test, streuung):.2f} MW")


if __name__ == "__main__":
    haupt()
