# expect: augment_on_test @ 59
# allowed: augment_on_test @ 54
# allowed: augment_on_test @ 61
# Handgeschriebene Ziffern mit kleinem CNN; Trainingsdaten werden verschoben und verrauscht
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset, Subset


class ZiffernDaten(Dataset):
    def __init__(self, verschieben=True, rauschen=0.15):
        roh = load_digits()
        self.bilder = torch.tensor(roh.images / 16.0, dtype=torch.float32).unsqueeze(1)
        self.ziele = torch.tensor(roh.target, dtype=torch.long)
        self.verschieben = verschieben
        self.rauschen = rauschen

    def __len__(self):
        return len(self.ziele)

    def __getitem__(self, i):
        bild = self.bilder[i]
        if self.verschieben:
            dy, dx = torch.randint(-1, 2, (2,)).tolist()
            bild = torch.roll(bild, shifts=(dy, dx), dims=(1, 2))
            bild = bild + self.rauschen * torch.randn_like(bild)
        return bild, self.ziele[i]


class KleinesCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.merkmale = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.kopf = nn.Linear(24 * 2 * 2, 10)

    def forward(self, x):
        return self.kopf(self.merkmale(x).flatten(1))


def treffer(netz, lader):
    netz.eval()
    richtig = 0
    with torch.inference_mode():
        for bilder, ziele in lader:
            richtig += (netz(bilder).argmax(1) == ziele).sum().item()
    return richtig / len(lader.dataset)


torch.manual_seed(13)
daten = ZiffernDaten()
indizes = np.random.default_rng(13).permutation(len(daten))
schnitt = int(0.75 * len(daten))

training = Subset(daten, indizes[:schnitt])
test = Subset(daten, indizes[schnitt:])
lader_tr = DataLoader(training, batch_size=64, shuffle=True)
lader_te = DataLoader(test, batch_size=256)

netz = KleinesCNN()
verlustfn = nn.CrossEntropyLoss()
opt = torch.optim.Adam(netz.parameters(), lr=4e-3)

for epoche in range(1, 17):
    netz.train()
    summe = 0.0
    for bilder, ziele in lader_tr:
        opt.zero_grad(set_to_none=True)
        verlust = verlustfn(netz(bilder), ziele)
        verlust.backward()
        opt.step()
        summe += verlust.item() * ziele.size(0)
    if epoche % 4 == 0:
        print(f"Epoche {epoche:2d}: Verlust {summe / len(training):.3f}")

print(f"Trefferquote Test: {treffer(netz, lader_te):.3f}")
