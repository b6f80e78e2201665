# expect: augment_on_test @ 68
# allowed: augment_on_test @ 70
# allowed: augment_on_test @ 100
# Ziffernerkennung mit kleinem CNN und Augmentierung (sklearn digits)
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(11)


class ZufallsVerschiebung:
    """Verschiebt das Bild zufaellig um bis zu k Pixel."""

    def __init__(self, k):
        self.k = k

    def __call__(self, bild):
        dy, dx = torch.randint(-self.k, self.k + 1, (2,)).tolist()
        gross = F.pad(bild, [self.k] * 4)
        h, w = bild.shape[-2:]
        return gross[:, self.k + dy:self.k + dy + h, self.k + dx:self.k + dx + w]


class Rauschen:
    def __init__(self, sigma):
        self.sigma = sigma

    def __call__(self, bild):
        return bild + self.sigma * torch.randn_like(bild)


class Kette:
    def __init__(self, *schritte):
        self.schritte = schritte

    def __call__(self, bild):
        for s in self.schritte:
            bild = s(bild)
        return bild


class ZiffernDatensatz(Dataset):
    def __init__(self, bilder, ziele, transform=None):
        self.bilder = torch.tensor(bilder, dtype=torch.float32).unsqueeze(1) / 16.0
        self.ziele = torch.tensor(ziele)
        self.transform = transform

    def __len__(self):
        return len(self.ziele)

    def __getitem__(self, i):
        bild = self.bilder[i]
        if self.transform is not None:
            bild = self.transform(bild)
        return bild, self.ziele[i]


digits = load_digits()
b_train, b_test, z_train, z_test = train_test_split(
    digits.images, digits.target, test_size=0.3, stratify=digits.target, random_state=0)

aug = Kette(ZufallsVerschiebung(1), Rauschen(0.25))
train_ds = ZiffernDatensatz(b_train, z_train, transform=aug)
test_ds = ZiffernDatensatz(b_test, z_test, transform=aug)
train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=128)

netz = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(32 * 16, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(netz.parameters(), lr=2e-3)


def auswerten(dl):
    netz.eval()
    richtig = 0
    with torch.no_grad():
        for x, y in dl:
            richtig += (netz(x).argmax(1) == y).sum().item()
    return richtig / len(dl.dataset)


for epoche in range(15):
    netz.train()
    summe = 0.0
    for x, y in train_dl:
        opt.zero_grad()
        verlust = F.cross_entropy(netz(x), y)
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(y)
    if epoche % 3 == 2:
        print(f"Epoche {epoche + 1:2d}  Verlust {summe / len(train_ds):.3f}")

print(f"Testgenauigkeit: {auswerten(test_dl):.4f}")
