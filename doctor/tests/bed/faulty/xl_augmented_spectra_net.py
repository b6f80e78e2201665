# missed: duplicate_leakage @ 30
# allowed: duplicate_leakage @ 31
# mend: 30 →
# mend: 31 + X_tr, y_tr = vergroessern(X_tr, y_tr)
# Kleiner Datensatz: mit verrauschten Kopien vergroessern und ein MLP trainieren
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 4
rng = np.random.default_rng(SEED)
torch.manual_seed(SEED)


def vergroessern(X, y, kopien=5, sigma=0.05):
    """Haengt `kopien` leicht verrauschte Fassungen jeder Zeile an."""
    teile_x, teile_y = [X], [y]
    for _ in range(kopien):
        teile_x.append(X + rng.normal(0, sigma, X.shape) * X.std(0))
        teile_y.append(y)
    return np.concatenate(teile_x), np.concatenate(teile_y)


X, y = make_classification(n_samples=400, n_features=16, n_informative=6, n_redundant=0,
                           flip_y=0.2, class_sep=0.9, random_state=SEED)
X, y = vergroessern(X, y)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEED)

skal = StandardScaler().fit(X_tr)
als_ds = lambda a, b: TensorDataset(torch.tensor(skal.transform(a), dtype=torch.float32), torch.tensor(b))
train_dl = DataLoader(als_ds(X_tr, y_tr), batch_size=64, shuffle=True)
test_dl = DataLoader(als_ds(X_te, y_te), batch_size=256)
print(f"{len(X_tr)} Trainingszeilen, {len(X_te)} Testzeilen")

netz = nn.Sequential(
    nn.Linear(16, 96), nn.ReLU(),
    nn.Linear(96, 96), nn.ReLU(),
    nn.Linear(96, 2),
)
opt = torch.optim.Adam(netz.parameters(), lr=2e-3)
kriterium = nn.CrossEntropyLoss()


def auswerten(lader):
    netz.eval()
    treffer = 0
    with torch.no_grad():
        for xb, yb in lader:
            treffer += (netz(xb).argmax(1) == yb).sum().item()
    return treffer / len(lader.dataset)


for epoche in range(1, 13):
    netz.train()
    summe = 0.0
    for xb, yb in train_dl:
        verlust = kriterium(netz(xb), yb)
        opt.zero_grad()
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(yb)
    if epoche % 4 == 0:
        print(f"Epoche {epoche:2d}: Verlust {summe / len(train_dl.dataset):.4f}")

print(f"Genauigkeit Training {auswerten(train_dl):.3f}  Test {auswerten(test_dl):.3f}")
