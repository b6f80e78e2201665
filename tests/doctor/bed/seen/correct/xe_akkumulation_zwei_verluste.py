# expect: nothing
"""Autoencoder mit Klassenkopf: zwei Verluste, getrennte backward-Aufrufe, Gradienten ueber vier Mikrobatches."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

MIKRO = 16
SAMMELN = 4


class Doppelnetz(nn.Module):
    def __init__(self):
        super().__init__()
        self.kodierer = nn.Sequential(nn.Linear(64, 32), nn.GELU())
        self.bild = nn.Linear(32, 64)
        self.klasse = nn.Linear(32, 10)

    def forward(self, x):
        h = self.kodierer(x)
        return self.bild(h), self.klasse(h)


def daten():
    x, y = load_digits(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, stratify=y, random_state=14)
    m, s = x_tr.mean(), x_tr.std()
    to = lambda a: torch.tensor((a - m) / s, dtype=torch.float32)
    return to(x_tr), torch.tensor(y_tr), to(x_te), torch.tensor(y_te)


def leeren(modul):
    """None statt 0 spart eine Addition"""
    for p in modul.parameters():
        p.grad = None


def epoche(netz, opt, x, y):
    teile = torch.randperm(len(x)).split(MIKRO)
    gruppen = [teile[i:i + SAMMELN] for i in range(0, len(teile), SAMMELN)]
    kl_summe = bild_summe = 0.0
    for gruppe in gruppen:
        menge = sum(len(t) for t in gruppe)
        for t in gruppe:
            rekon, logits = netz(x[t])
            l_bild = F.mse_loss(rekon, x[t], reduction="none").mean(dim=1).sum()
            l_klasse = F.cross_entropy(logits, y[t], reduction="sum")
            (0.5 * l_bild / menge).backward(retain_graph=True)
            (l_klasse / menge).backward()
            bild_summe += l_bild.item()
            kl_summe += l_klasse.item()
        opt.step()
        leeren(netz)
    return kl_summe / len(x), bild_summe / len(x)


def main():
    torch.manual_seed(14)
    x, y, x_te, y_te = daten()
    netz = Doppelnetz()
    opt = torch.optim.Adam(netz.parameters(), lr=4e-3)
    for e in range(1, 10):
        kl, bi = epoche(netz, opt, x, y)
        if e % 3 == 0:
            print(f"Epoche {e:2d}  Klasse {kl:.4f}  Bild {bi:.4f}")
    netz.eval()
    with torch.no_grad():
        rekon, logits = netz(x_te)
        treffer = (logits.argmax(-1) == y_te).float().mean().item()
        fehler = (rekon - x_te).pow(2).mean().item()
    print(f"Test: Trefferquote {treffer:.3f}, Bildfehler {fehler:.4f}")


if __name__ == "__main__":
    main()
