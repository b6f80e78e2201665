# expect: nothing
# Vorhersage von Maschinenausfällen aus fünf Messgrößen
import numpy as np
import torch
from torch import nn
from sklearn.model_selection import train_test_split

torch.manual_seed(2)
rng = np.random.default_rng(2)

n = 3000
ausfall = (rng.random(n) < 0.04).astype(np.int64)
messung = rng.normal(0, 1, (n, 5))
messung[:, 0] += 1.1 * ausfall
messung[:, 3] -= 0.9 * ausfall

xa, xt, ya, yt = train_test_split(messung, ausfall, test_size=0.3, stratify=ausfall, random_state=2)
mittel, streuung = xa.mean(axis=0), xa.std(axis=0)


def tensor(x):
    return torch.tensor((x - mittel) / streuung, dtype=torch.float32)


xa, xt = tensor(xa), tensor(xt)
ya, yt = torch.tensor(ya), torch.tensor(yt)

netz = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
optimierer = torch.optim.Adam(netz.parameters(), lr=3e-3)
anzahl = torch.bincount(ya).float()
kriterium = nn.CrossEntropyLoss(weight=len(ya) / (2 * anzahl))

for epoche in range(1, 16):
    netz.train()
    summe = 0.0
    for idx in torch.randperm(len(xa)).split(64):
        optimierer.zero_grad()
        verlust = kriterium(netz(xa[idx]), ya[idx])
        verlust.backward()
        optimierer.step()
        summe += verlust.item() * len(idx)
    if epoche % 5 == 0:
        print(f"Epoche {epoche}: Verlust {summe / len(xa):.4f}")

netz.eval()
with torch.no_grad():
    vorhersage = netz(xt).argmax(dim=1)
genau = (vorhersage == yt).float().mean().item()
treffer = [(vorhersage[yt == k] == k).float().mean().item() for k in (0, 1)]
print(f"Genauigkeit im Test: {genau:.4f}, ausgewogen: {sum(treffer) / 2:.4f}")
print(f"gemeldete Ausfälle: {int(vorhersage.sum())} von {len(yt)}")
