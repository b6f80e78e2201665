# expect: metric_wrong_axis @ 49
# Ziffern mit Mixup, weichen Zielen und torch.compile (Backend "eager")
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

KLASSEN = 10


def daten():
    bilder, ziffern = load_digits(return_X_y=True)
    bilder = torch.tensor(bilder, dtype=torch.float32).view(-1, 1, 8, 8) / 16.0
    ziel = F.one_hot(torch.tensor(ziffern), KLASSEN).float()
    tr, te = train_test_split(range(len(bilder)), test_size=0.25, random_state=4, stratify=ziffern)
    return TensorDataset(bilder[tr], ziel[tr]), TensorDataset(bilder[te], ziel[te])


class Block(nn.Module):
    def __init__(self, ein, aus):
        super().__init__()
        self.conv = nn.Conv2d(ein, aus, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(aus)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class ZiffernNetz(nn.Module):
    def __init__(self, breite=8):
        super().__init__()
        self.merkmale = nn.Sequential(Block(1, breite), nn.MaxPool2d(2), Block(breite, 2 * breite))
        self.kopf = nn.Linear(2 * breite * 4 * 4, KLASSEN)

    def forward(self, x):
        return self.kopf(self.merkmale(x).flatten(1))


def mixup(x, y, alpha=0.3):
    lam = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


def trefferquote(werte, ziel):
    """Anteil der Beispiele, deren bester Wert auf der richtigen Klasse liegt."""
    richtig = werte.argmax(dim=0) == ziel.argmax(dim=0)
    return richtig.float().mean().item()


def lerne(netz, lader, opt, plan):
    netz.train()
    summe, anzahl = 0.0, 0
    for x, y in lader:
        x, y = mixup(x, y)
        opt.zero_grad(set_to_none=True)
        verlust = F.cross_entropy(netz(x), y)  # weiche Ziele sind hier erlaubt
        verlust.backward()
        opt.step()
        plan.step()
        summe += verlust.item() * len(x)
        anzahl += len(x)
    return summe / anzahl


def pruefe(netz, lader):
    netz.eval()
    ausgaben, ziele = [], []
    with torch.inference_mode():
        for x, y in lader:
            ausgaben.append(netz(x))
            ziele.append(y)
    ausgaben, ziele = torch.cat(ausgaben), torch.cat(ziele)
    return F.cross_entropy(ausgaben, ziele).item(), trefferquote(ausgaben, ziele)


def haupt(epochen=4):
    torch.manual_seed(11)
    lern_satz, test_satz = daten()
    lern_lader = DataLoader(lern_satz, batch_size=64, shuffle=True, drop_last=True)
    test_lader = DataLoader(test_satz, batch_size=150)
    roh = ZiffernNetz()
    netz = torch.compile(roh, backend="eager")
    opt = torch.optim.AdamW(roh.parameters(), lr=4e-3, weight_decay=1e-4)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=epochen * len(lern_lader))
    for e in range(epochen):
        verlust = lerne(netz, lern_lader, opt, plan)
        print(f"Epoche {e}: Lernverlust {verlust:.3f}")
    verlust, quote = pruefe(netz, test_lader)
    print(f"Test: Verlust {verlust:.3f}, Trefferquote {quote:.3f}")


if __name__ == "__main__":
    haupt()
