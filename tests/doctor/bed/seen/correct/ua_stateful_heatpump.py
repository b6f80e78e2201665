# expect: nothing
"""Wärmepumpe: Leistungsprognose mit zustandsbehafteter GRU (abgeschnittene Rückverfolgung, Reihen bleiben in Ordnung)."""
import argparse
import math

import numpy as np
import torch
from torch import nn


def anlagen(n, stunden, rng):
    t = np.arange(stunden)
    aussen = 5 + 6 * np.sin(2 * np.pi * t / 24)[None] + np.cumsum(rng.normal(0, 0.15, (n, stunden)), axis=1)
    speicher = np.zeros((n, stunden))
    traegheit = rng.uniform(0.8, 0.93, (n, 1))
    for k in range(1, stunden):
        speicher[:, k] = traegheit[:, 0] * speicher[:, k - 1] + 0.1 * (20 - aussen[:, k - 1])
    leistung = speicher + 0.3 * np.cos(2 * np.pi * t / 12)[None] + rng.normal(0, 0.15, (n, stunden))
    uhr = np.stack([np.sin(2 * np.pi * t / 24), np.cos(2 * np.pi * t / 24)], -1)
    merkmale = np.concatenate([aussen[..., None], leistung[..., None], np.broadcast_to(uhr, (n, stunden, 2))], -1)
    return merkmale, leistung


class Prognose(nn.Module):
    def __init__(self, eingang, breite):
        super().__init__()
        self.gru = nn.GRU(eingang, breite, batch_first=True)
        self.kopf = nn.Linear(breite, 1)

    def forward(self, x, zustand=None):
        h, zustand = self.gru(x, zustand)
        # die Änderung gegenüber der letzten Messung wird geschätzt
        return x[..., 1] + self.kopf(h).squeeze(-1), zustand


def abschnitte(x, y, laenge):
    """Aufeinanderfolgende Stücke aller Anlagen; der Zustand läuft von Stück zu Stück weiter."""
    for a in range(0, x.size(1), laenge):
        yield x[:, a:a + laenge], y[:, a:a + laenge]


def trainiere(modell, opt, x, y, laenge):
    modell.train()
    zustand, summe, anzahl = None, 0.0, 0
    for xs, ys in abschnitte(x, y, laenge):
        if zustand is not None:
            zustand = zustand.detach()
        schaetzung, zustand = modell(xs, zustand)
        verlust = nn.functional.mse_loss(schaetzung, ys)
        opt.zero_grad()
        verlust.backward()
        nn.utils.clip_grad_norm_(modell.parameters(), 1.0)
        opt.step()
        summe += verlust.item() * ys.numel()
        anzahl += ys.numel()
    return summe / anzahl


@torch.no_grad()
def pruefe(modell, x_vor, x, y):
    """Zustand mit der Vorgeschichte aufwärmen, dann den neuen Zeitraum schätzen."""
    modell.eval()
    _, zustand = modell(x_vor)
    schaetzung, _ = modell(x, zustand)
    return math.sqrt((schaetzung - y).square().mean().item())


def haupt():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochen", type=int, default=12)
    ap.add_argument("--laenge", type=int, default=24)
    a = ap.parse_args()
    torch.manual_seed(30)
    merkmale, leistung = anlagen(24, 24 * 40, np.random.default_rng(30))
    # Ziel: die Leistung der nächsten Stunde
    eingang, ziel = merkmale[:, :-1], leistung[:, 1:]
    t1, t2 = 24 * 26, 24 * 33
    mittel, streu = eingang[:, :t1].mean((0, 1)), eingang[:, :t1].std((0, 1))
    x = torch.tensor((eingang - mittel) / streu, dtype=torch.float32)
    y = torch.tensor((ziel - mittel[1]) / streu[1], dtype=torch.float32)

    modell = Prognose(4, 24)
    opt = torch.optim.Adam(modell.parameters(), lr=5e-3)
    bester, sicherung = math.inf, None
    for epoche in range(a.epochen):
        verlust = trainiere(modell, opt, x[:, :t1], y[:, :t1], a.laenge)
        val = pruefe(modell, x[:, :t1], x[:, t1:t2], y[:, t1:t2])
        if val < bester:
            bester = val
            sicherung = {k: w.clone() for k, w in modell.state_dict().items()}
        if epoche % 3 == 2:
            print(f"Epoche {epoche + 1}: Verlust {verlust:.4f}  RMSE val {val:.4f}")
    modell.load_state_dict(sicherung)
    naiv = (x[:, t2:, 1] - y[:, t2:]).square().mean().sqrt().item()
    print(f"RMSE Test {pruefe(modell, x[:, :t2], x[:, t2:], y[:, t2:]):.4f}  (letzter Wert: {naiv:.4f})")


if __name__ == "__main__":
    haupt()
