# expect: train_mode_never_restored @ 34
# allowed: train_mode_never_restored @ 44
# Ziffernerkennung mit BatchNorm und Dropout, Auswertung nach jeder Epoche
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(5)

bilder, ziffern = load_digits(return_X_y=True)
bilder = torch.tensor(bilder / 16.0, dtype=torch.float32)
ziffern = torch.tensor(ziffern)
idx_train, idx_val = train_test_split(torch.arange(len(ziffern)), test_size=0.3, random_state=5, stratify=ziffern)

netz = nn.Sequential(
    nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.4),
    nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.4),
    nn.Linear(64, 10),
)
optimierer = torch.optim.SGD(netz.parameters(), lr=0.05, momentum=0.9)
verlust_fn = nn.CrossEntropyLoss()


def auswerten(x, y):
    netz.eval()
    with torch.no_grad():
        ausgabe = netz(x)
        verlust = verlust_fn(ausgabe, y).item()
        genau = (ausgabe.argmax(1) == y).float().mean().item()
    return verlust, genau


netz.train()
for epoche in range(15):
    reihenfolge = idx_train[torch.randperm(len(idx_train))]
    summe = 0.0
    for stapel in reihenfolge.split(64):
        optimierer.zero_grad()
        verlust = verlust_fn(netz(bilder[stapel]), ziffern[stapel])
        verlust.backward()
        optimierer.step()
        summe += verlust.item() * len(stapel)
    v, g = auswerten(bilder[idx_val], ziffern[idx_val])
    print(f"Epoche {epoche + 1:2d}: Training {summe / len(idx_train):.4f}  Validierung {v:.4f}  Genauigkeit {g:.4f}")
