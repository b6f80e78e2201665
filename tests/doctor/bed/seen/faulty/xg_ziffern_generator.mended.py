# expect: nothing
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def batches(x, y, size, gen):
    order = torch.randperm(len(x), generator=gen)
    for i in range(0, len(x), size):
        idx = order[i:i + size]
        yield x[idx], y[idx]


torch.manual_seed(11)
gen = torch.Generator().manual_seed(11)
bilder, ziffern = load_digits(return_X_y=True)
bilder = torch.tensor(bilder, dtype=torch.float32) / 16.0
ziffern = torch.tensor(ziffern)
i_tr, i_te = train_test_split(range(len(bilder)), test_size=0.25, random_state=11, stratify=ziffern)
x_tr, y_tr, x_te, y_te = bilder[i_tr], ziffern[i_tr], bilder[i_te], ziffern[i_te]

netz = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimierer = torch.optim.Adam(netz.parameters(), lr=2e-3)
kriterium = nn.CrossEntropyLoss()

for epoche in range(20):
    netz.train()
    summe = 0.0
    for xb, yb in batches(x_tr, y_tr, 64, gen):
        optimierer.zero_grad()
        verlust = kriterium(netz(xb), yb)
        verlust.backward()
        optimierer.step()
        summe += verlust.item() * len(xb)
    if epoche % 5 == 4:
        print(f"Epoche {epoche + 1}: Verlust {summe / len(x_tr):.4f}")

netz.eval()
with torch.no_grad():
    treffer = (netz(x_te).argmax(dim=1) == y_te).float().mean().item()
print(f"Test-Genauigkeit: {treffer:.3f}")
