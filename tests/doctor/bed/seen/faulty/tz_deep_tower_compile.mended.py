# expect: nothing
"""Ein tiefer Turm für das Ziffern-Beispiel, mit torch.compile (eager-Backend) und bf16-Autocast."""
import argparse
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

AKTIVIERUNG = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}


@dataclass
class TurmConfig:
    tiefe: int = 10
    breite: int = 64
    akt: str = "relu"
    dropout: float = 0.05


def baue_turm(n_ein, n_aus, cfg):
    schichten, d = [], n_ein
    for _ in range(cfg.tiefe):
        lin = nn.Linear(d, cfg.breite)
        nn.init.kaiming_normal_(lin.weight, nonlinearity=cfg.akt)
        nn.init.zeros_(lin.bias)
        schichten += [lin, AKTIVIERUNG[cfg.akt]()]
        d = cfg.breite
    return nn.Sequential(*schichten, nn.Dropout(cfg.dropout), nn.Linear(d, n_aus))


def daten():
    x, y = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.2, stratify=y, random_state=8)
    mu, sd = xa.mean(), xa.std()
    t = lambda a: torch.tensor((a - mu) / sd, dtype=torch.float32)
    return t(xa), torch.tensor(ya), t(xb), torch.tensor(yb)


class Protokoll:
    """Merkt sich je Epoche Verlust und Gradientennorm der untersten Schicht."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.verlust, self.norm, self.n = 0.0, 0.0, 0

    def notiere(self, verlust, unterste):
        self.verlust += verlust.item()
        self.norm += unterste.weight.grad.norm().item()
        self.n += 1

    def zeile(self, epoche):
        text = f"{epoche:2d}  Verlust {self.verlust / self.n:.4f}  |g_unten| {self.norm / self.n:.2e}"
        self.reset()
        return text


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochen", type=int, default=8)
    ap.add_argument("--batch", type=int, default=48)
    ap.add_argument("--lr", type=float, default=1e-2)
    arg = ap.parse_args()

    torch.manual_seed(8)
    xa, ya, xb, yb = daten()
    turm = baue_turm(xa.shape[1], 10, TurmConfig())
    schnell = torch.compile(turm, backend="eager")
    opt = torch.optim.SGD(turm.parameters(), lr=arg.lr, momentum=0.9, nesterov=True)
    kriterium = nn.CrossEntropyLoss()
    protokoll = Protokoll()

    for epoche in range(arg.epochen):
        turm.train()
        for idx in torch.randperm(len(xa)).split(arg.batch):
            opt.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = schnell(xa[idx])
            verlust = kriterium(logits.float(), ya[idx])
            verlust.backward()
            protokoll.notiere(verlust, turm[0])
            opt.step()
        print(protokoll.zeile(epoche))

    turm.eval()
    with torch.no_grad():
        treffer = (turm(xb).argmax(dim=-1) == yb).float().mean()
    print(f"Testgenauigkeit {treffer:.3f}")


if __name__ == "__main__":
    main()
