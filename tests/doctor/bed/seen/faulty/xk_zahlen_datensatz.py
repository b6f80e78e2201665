# expect: augment_on_test @ 70
# allowed: augment_on_test @ 72
# allowed: augment_on_test @ 93
# allowed: augment_on_test @ 61
# Ziffern mit eigenem Dataset und zufaelligen Transformationen
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)


class ZufallsVerschiebung:
    def __init__(self, weite):
        self.weite = weite

    def __call__(self, bild):
        dy, dx = torch.randint(-self.weite, self.weite + 1, (2,)).tolist()
        gross = nn.functional.pad(bild, [self.weite] * 4)
        h, w = bild.shape[-2:]
        return gross[..., self.weite + dy:self.weite + dy + h,
                     self.weite + dx:self.weite + dx + w]


class ZufallsLoch:
    def __init__(self, groesse):
        self.groesse = groesse

    def __call__(self, bild):
        y, x = torch.randint(0, 8 - self.groesse + 1, (2,)).tolist()
        bild = bild.clone()
        bild[..., y:y + self.groesse, x:x + self.groesse] = 0
        return bild


class Verkettung:
    def __init__(self, *schritte):
        self.schritte = schritte

    def __call__(self, bild):
        for s in self.schritte:
            bild = s(bild)
        return bild


class Ziffern(Dataset):
    def __init__(self, bilder, klassen, transform=None):
        self.bilder = torch.tensor(bilder / 16, dtype=torch.float32).unsqueeze(1)
        self.klassen = torch.tensor(klassen)
        self.transform = transform

    def __len__(self):
        return len(self.klassen)

    def __getitem__(self, i):
        bild = self.bilder[i]
        if self.transform is not None:
            bild = self.transform(bild)
        return bild, self.klassen[i]


ziffern = load_digits()
a, b, c, d = train_test_split(ziffern.images, ziffern.target, test_size=0.3,
                              stratify=ziffern.target, random_state=0)
aug = Verkettung(ZufallsVerschiebung(1), ZufallsLoch(3))
train_ds = Ziffern(a, c, transform=aug)
test_ds = Ziffern(b, d, transform=aug)
train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=128)

netz = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(netz.parameters(), lr=3e-3)
verlustfunktion = nn.CrossEntropyLoss()

for epoche in range(11):
    netz.train()
    verluste = []
    for x, y in train_dl:
        opt.zero_grad()
        verlust = verlustfunktion(netz(x), y)
        verlust.backward()
        opt.step()
        verluste.append(verlust.item())
    netz.eval()
    richtig = 0
    with torch.no_grad():
        for x, y in test_dl:
            richtig += (netz(x).argmax(1) == y).sum().item()
    print(f"{epoche + 1}: Trainingsverlust {np.mean(verluste):.3f}, "
          f"Testgenauigkeit {richtig / len(test_ds):.3f}")
