# missed: label_misaligned @ 20
# allowed: label_misaligned @ 19
# mend: 20 →             y = y[(np.abs((x - mittel) / streuung) < grenze).all(axis=1)]
"""Brustkrebs-Daten: grobe Ausreisser im Training weglassen, dann logistisches Netz mit SGD."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Proben(Dataset):
    """Tabellenzeilen; mit `grenze` werden Zeilen mit extremen z-Werten ausgelassen."""

    def __init__(self, x, y, mittel, streuung, grenze=None):
        z = (x - mittel) / streuung
        if grenze is not None:
            z = z[(np.abs(z) < grenze).all(axis=1)]
            y = y[: len(z)]
        self.z = torch.as_tensor(z, dtype=torch.float32)
        self.y = torch.as_tensor(y, dtype=torch.float32)

    def __len__(self):
        return len(self.z)

    def __getitem__(self, i):
        return self.z[i], self.y[i]


def lade(seed):
    x, y = load_breast_cancer(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    mittel, streuung = x_tr.mean(axis=0), x_tr.std(axis=0)
    lern = Proben(x_tr, y_tr, mittel, streuung, grenze=4.0)
    pruef = Proben(x_te, y_te, mittel, streuung)
    return lern, pruef


def genauigkeit(netz, daten):
    netz.eval()
    with torch.no_grad():
        ja = netz(daten.z).squeeze(1) > 0
    netz.train()
    return (ja == daten.y.bool()).float().mean().item()


def main():
    torch.manual_seed(31)
    lern, pruef = lade(seed=31)
    print(f"{len(lern)} Zeilen zum Lernen, {len(pruef)} zum Pruefen")
    lader = DataLoader(lern, batch_size=32, shuffle=True)
    netz = nn.Sequential(nn.Linear(30, 12), nn.ELU(), nn.Linear(12, 1))
    opt = torch.optim.SGD(netz.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    kosten = nn.BCEWithLogitsLoss()
    for epoche in range(1, 26):
        summe = 0.0
        for z, y in lader:
            opt.zero_grad()
            wert = kosten(netz(z).squeeze(1), y)
            wert.backward()
            opt.step()
            summe += wert.item() * len(y)
        if epoche % 5 == 0:
            print(f"Epoche {epoche:2d}: Kosten {summe / len(lern):.4f}")
    print(f"Lernen {genauigkeit(netz, lern):.3f}  Pruefen {genauigkeit(netz, pruef):.3f}")


if __name__ == "__main__":
    main()
