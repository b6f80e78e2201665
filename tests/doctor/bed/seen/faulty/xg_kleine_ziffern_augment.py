# expect: seed_reset_each_epoch @ 57
# allowed: seed_reset_each_epoch @ 83
# Wenige Trainingsbilder, dafür zufällige Verschiebung + Rauschen
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 1234
EPOCHEN = 60
BATCH = 20


def daten_laden():
    ziffern = load_digits()
    bilder = torch.tensor(ziffern.images, dtype=torch.float32)[:, None] / 16
    bilder = F.pad(bilder, (1, 1, 1, 1))
    labels = torch.tensor(ziffern.target)
    idx_tr, idx_te = train_test_split(
        range(len(labels)), train_size=150, stratify=ziffern.target, random_state=3
    )
    return bilder[idx_tr], labels[idx_tr], bilder[idx_te], labels[idx_te]


def verschieben(x, maxi=1):
    n, _, h, w = x.shape
    gepolstert = F.pad(x, (maxi,) * 4)
    out = torch.empty_like(x)
    dy = torch.randint(0, 2 * maxi + 1, (n,))
    dx = torch.randint(0, 2 * maxi + 1, (n,))
    for i in range(n):
        out[i] = gepolstert[i, :, dy[i]:dy[i] + h, dx[i]:dx[i] + w]
    return out


def augmentieren(x):
    x = verschieben(x)
    return x + 0.15 * torch.randn_like(x)


class KleinesNetz(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(32 * 4, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def eine_epoche(netz, optim, x, y):
    torch.manual_seed(SEED)
    netz.train()
    summe = 0.0
    reihenfolge = torch.randperm(len(x))
    for teil in reihenfolge.split(BATCH):
        xb = augmentieren(x[teil])
        verlust = F.cross_entropy(netz(xb), y[teil])
        optim.zero_grad()
        verlust.backward()
        optim.step()
        summe += verlust.item() * len(teil)
    return summe / len(x)


@torch.no_grad()
def genauigkeit(netz, x, y):
    netz.eval()
    return (netz(x).argmax(1) == y).float().mean().item()


def main():
    x_tr, y_tr, x_te, y_te = daten_laden()
    torch.manual_seed(SEED)
    netz = KleinesNetz()
    optim = torch.optim.Adam(netz.parameters(), lr=3e-3)
    for ep in range(EPOCHEN):
        v = eine_epoche(netz, optim, x_tr, y_tr)
        if ep % 10 == 9:
            print(f"Epoche {ep + 1:3d}  Trainingsverlust {v:.4f}")
    print(f"Genauigkeit Test: {genauigkeit(netz, x_te, y_te):.4f}")


if __name__ == "__main__":
    main()
