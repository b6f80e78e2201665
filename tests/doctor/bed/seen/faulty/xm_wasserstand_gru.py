# expect: metric_wrong_axis @ 70
# allowed: metric_wrong_axis @ 69
"""Pegelvorhersage: Wasserstand in sechs Stunden aus Regen und Pegel der letzten 36 Stunden."""
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

HORIZONT = 6
RUECKBLICK = 36


def fluss(stunden, seed=42):
    rng = np.random.default_rng(seed)
    regen = np.where(rng.random(stunden) < 0.05, rng.gamma(2.0, 3.0, stunden), 0.0)
    boden, pegel = 0.0, np.empty(stunden)
    for i in range(stunden):
        boden = 0.96 * boden + regen[i]
        verzoegert = regen[i - 8] if i >= 8 else 0.0
        alt = pegel[i - 1] if i else 120.0
        pegel[i] = alt + 0.08 * (80 - alt) + 0.12 * boden + 1.5 * verzoegert + rng.normal(0, 0.8)
    return np.stack([regen, pegel], 1).astype(np.float32)


class Pegeldaten(Dataset):
    def __init__(self, werte, mittel, streuung):
        self.x = torch.from_numpy((werte - mittel) / streuung)
        self.y = self.x[:, 1]

    def __len__(self):
        return len(self.x) - RUECKBLICK - HORIZONT + 1

    def __getitem__(self, i):
        return self.x[i:i + RUECKBLICK], self.y[i + RUECKBLICK + HORIZONT - 1]


class PegelGRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 24, batch_first=True)
        self.aus = nn.Linear(24, 1)

    def forward(self, x):
        _, h = self.gru(x)
        return self.aus(h[-1])


def trainiere(netz, lader, opt):
    netz.train()
    verlauf = []
    for x, y in lader:
        opt.zero_grad()
        verlust = nn.functional.smooth_l1_loss(netz(x), y.unsqueeze(1))
        verlust.backward()
        opt.step()
        verlauf.append(verlust.item())
    return float(np.mean(verlauf))


@torch.no_grad()
def pruefe(netz, lader, zentimeter):
    """Mittlerer absoluter Fehler in cm."""
    netz.eval()
    summe, n = 0.0, 0
    for x, y in lader:
        ausgabe = netz(x)
        summe += (ausgabe - y).abs().mean().item() * len(y)
        n += len(y)
    return summe / n * zentimeter


def main():
    torch.manual_seed(42)
    werte = fluss(2000)
    teile = werte[:1300], werte[1300:1650], werte[1650:]
    mittel, streuung = teile[0].mean(0), teile[0].std(0)
    train, val, test = [Pegeldaten(t, mittel, streuung) for t in teile]
    lader = DataLoader(train, batch_size=32, shuffle=True)
    val_lader, test_lader = DataLoader(val, batch_size=128), DataLoader(test, batch_size=128)

    netz = PegelGRU()
    opt = torch.optim.Adam(netz.parameters(), lr=5e-3)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=8)
    with TemporaryDirectory() as ordner:
        datei = Path(ordner) / "pegel.pt"
        bester = float("inf")
        for epoche in range(1, 9):
            verlust = trainiere(netz, lader, opt)
            plan.step()
            mae = pruefe(netz, val_lader, float(streuung[1]))
            if mae < bester:
                bester = mae
                torch.save(netz.state_dict(), datei)
            print(f"{epoche:2d}  Verlust {verlust:.4f}  MAE Validierung {mae:6.2f} cm")
        netz.load_state_dict(torch.load(datei))
    print(f"Test: MAE {pruefe(netz, test_lader, float(streuung[1])):.2f} cm")


if __name__ == "__main__":
    main()
