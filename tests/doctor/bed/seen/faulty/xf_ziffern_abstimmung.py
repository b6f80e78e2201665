# expect: missing_zero_grad @ 46
# allowed: missing_zero_grad @ 42
"""Drei Netze verschiedener Breite lernen Ziffern aus denselben Losen und stimmen am Ende ab."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)

bilder, ziffern = load_digits(return_X_y=True)
b_lern, b_test, z_lern, z_test = train_test_split(
    bilder, ziffern, test_size=0.3, stratify=ziffern, random_state=7
)
skala = StandardScaler().fit(b_lern)
lern = TensorDataset(
    torch.tensor(skala.transform(b_lern), dtype=torch.float32), torch.tensor(z_lern)
)
x_test = torch.tensor(skala.transform(b_test), dtype=torch.float32)
y_test = torch.tensor(z_test)


def netz_mit(breite):
    return nn.Sequential(nn.Linear(64, breite), nn.ReLU(), nn.Linear(breite, 10))


breiten = [12, 24, 48]
netze = [netz_mit(b) for b in breiten]
optimierer = [torch.optim.SGD(n.parameters(), lr=0.1) for n in netze]
kriterium = nn.CrossEntropyLoss()
lose = DataLoader(lern, batch_size=32, shuffle=True)

for epoche in range(10):
    verluste = [0.0] * len(netze)
    for n in netze:
        n.train()
    for xb, yb in lose:
        for i, (netz, opt) in enumerate(zip(netze, optimierer)):
            verlust = kriterium(netz(xb), yb)
            verlust.backward()
            verluste[i] += verlust.item() * len(yb)
        for opt in optimierer:
            opt.step()
        opt.zero_grad()
    print(f"Epoche {epoche + 1:2d}", " ".join(f"{v / len(lern):9.4f}" for v in verluste))

stimmen = torch.zeros(len(y_test), 10)
with torch.no_grad():
    for breite, netz in zip(breiten, netze):
        netz.eval()
        wkeit = netz(x_test).softmax(dim=1)
        stimmen += wkeit
        print(f"Breite {breite:2d}: {(wkeit.argmax(1) == y_test).float().mean():.3f}")
print(f"Abstimmung: {(stimmen.argmax(1) == y_test).float().mean():.3f}")
