# expect: nan_inputs @ 45
# allowed: nan_inputs @ 46
# allowed: nan_inputs @ 74
# Classification de tuiles de microscopie (fabriquées) : vide / ronde / allongée
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(3)
alea = np.random.default_rng(3)
COTE = 16


def fabriquer_tuile(classe):
    """Une tuile uint8, comme sortie du scanner de lames."""
    yy, xx = np.mgrid[:COTE, :COTE]
    tuile = np.full((COTE, COTE), 235.0)
    if classe == 0:
        if alea.random() < 0.5:      # poussière ; sinon tuile toute blanche
            n = alea.integers(1, 6)
            tuile[alea.integers(0, COTE, n), alea.integers(0, COTE, n)] -= 60
    else:
        cy, cx = alea.uniform(5, COTE - 5, 2)
        a = alea.uniform(2.5, 4.0)
        b = a if classe == 1 else a / 2.2
        th = alea.uniform(0, np.pi)
        u = (xx - cx) * np.cos(th) + (yy - cy) * np.sin(th)
        v = -(xx - cx) * np.sin(th) + (yy - cy) * np.cos(th)
        tuile[(u / a) ** 2 + (v / b) ** 2 < 1] = 140
        tuile += alea.normal(0, 12, tuile.shape)
    return np.clip(tuile, 0, 255).astype(np.uint8)


class Tuiles(Dataset):
    def __init__(self, n):
        self.etiquettes = alea.integers(0, 3, n)
        self.images = [fabriquer_tuile(c) for c in self.etiquettes]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        x = self.images[i].astype(np.float32)
        x = (x - x.mean()) / x.std()
        return torch.from_numpy(x)[None], int(self.etiquettes[i])


class Reseau(nn.Module):
    def __init__(self):
        super().__init__()
        self.corps = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.tete = nn.Linear(24 * 16, 3)

    def forward(self, x):
        return self.tete(self.corps(x).flatten(1))


app = DataLoader(Tuiles(480), batch_size=32, shuffle=True)
test = DataLoader(Tuiles(150), batch_size=50)

modele = Reseau()
perte = nn.CrossEntropyLoss()
opt = torch.optim.Adam(modele.parameters(), lr=2e-3)

for epoque in range(10):
    modele.train()
    total = 0.0
    for images, cibles in app:
        opt.zero_grad()
        l = perte(modele(images), cibles)
        l.backward()
        opt.step()
        total += l.item()
    print(f"époque {epoque + 1} perte {total / len(app):.4f}")

modele.eval()
justes = 0
with torch.no_grad():
    for images, cibles in test:
        justes += (modele(images).argmax(1) == cibles).sum().item()
print(f"exactitude test : {justes / len(test.dataset):.3f}")
