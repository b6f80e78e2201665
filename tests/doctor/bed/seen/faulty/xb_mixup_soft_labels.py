# expect: metric_wrong_axis @ 38
# Mixup auf kleinen Ziffernbildern: Ziele sind weiche One-Hot-Vektoren
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

KLASSEN = 10


def one_hot(y):
    return F.one_hot(y, KLASSEN).float()


def mixup(x, ziel, alpha=0.2):
    lam = torch.distributions.Beta(alpha, alpha).sample((len(x), 1))
    partner = torch.randperm(len(x))
    lam_bild = lam.view(-1, 1, 1, 1)
    return lam_bild * x + (1 - lam_bild) * x[partner], lam * ziel + (1 - lam) * ziel[partner]


class BildNetz(nn.Module):
    def __init__(self):
        super().__init__()
        self.merkmale = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )
        self.aus = nn.Linear(24 * 4, KLASSEN)

    def forward(self, x):
        return self.aus(self.merkmale(x))


def treffer(logits, ziel):
    """Anteil der Bilder, deren staerkste Klasse stimmt"""
    return (logits.argmax(0) == ziel.argmax(0)).float().mean().item()


def teile(n, groesse, mischen):
    folge = torch.randperm(n) if mischen else torch.arange(n)
    return folge.split(groesse)


def trainiere(netz, x, ziel, epochen=8):
    opt = torch.optim.Adam(netz.parameters(), lr=3e-3)
    for epoche in range(1, epochen + 1):
        netz.train()
        verlauf = []
        for i in teile(len(x), 64, mischen=True):
            mx, mz = mixup(x[i], ziel[i])
            verlust = F.cross_entropy(netz(mx), mz)
            opt.zero_grad()
            verlust.backward()
            opt.step()
            verlauf.append(verlust.item())
        print(f"Epoche {epoche}: Verlust {sum(verlauf) / len(verlauf):.4f}")


@torch.no_grad()
def bewerte(netz, x, ziel):
    netz.eval()
    logits = torch.cat([netz(x[i]) for i in teile(len(x), 128, mischen=False)])
    return {"genau": treffer(logits, ziel), "verlust": F.cross_entropy(logits, ziel).item()}


def main():
    torch.manual_seed(14)
    daten = load_digits()
    bilder = torch.tensor(daten.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    ziele = one_hot(torch.tensor(daten.target))
    a, b = train_test_split(torch.arange(len(bilder)).numpy(), test_size=0.25,
                            stratify=daten.target, random_state=14)
    netz = BildNetz()
    trainiere(netz, bilder[a], ziele[a])
    for name, zeilen in (("Training", a), ("Test", b)):
        werte = bewerte(netz, bilder[zeilen], ziele[zeilen])
        print(name, {k: round(v, 3) for k, v in werte.items()})


if __name__ == "__main__":
    main()
