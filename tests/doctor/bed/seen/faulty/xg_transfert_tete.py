# expect: symmetric_init @ 40
# allowed: symmetric_init @ 41
# allowed: symmetric_init @ 39
# allowed: symmetric_init @ 73
# allowed: symmetric_init @ 38
# Transfert : un corps appris sur les chiffres 0-4, gelé, puis une tête pour 5-9
import torch
from torch import nn, optim
from torch.utils.data import TensorDataset, DataLoader
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(5)

X, y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8) / 16.0
y = torch.tensor(y)

source = y < 5
Xs, ys = X[source], y[source]
Xc, yc = X[~source], y[~source] - 5
Xc_app, Xc_test, yc_app, yc_test = train_test_split(
    Xc, yc, test_size=0.4, stratify=yc, random_state=5)

corps = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(),
    nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(),
)


class Tete(nn.Module):
    def __init__(self, entree, cachees, sorties):
        super().__init__()
        self.couche1 = nn.Linear(entree, cachees)
        self.couche2 = nn.Linear(cachees, sorties)

    def init_poids(self):
        for couche in (self.couche1, self.couche2):
            nn.init.constant_(couche.weight, 0.01)
            nn.init.zeros_(couche.bias)

    def forward(self, x):
        return self.couche2(torch.relu(self.couche1(x)))


def entrainer(modele, params, Xa, ya, epoques, taux):
    opt = optim.Adam(params, lr=taux)
    perte_fn = nn.CrossEntropyLoss()
    lots = DataLoader(TensorDataset(Xa, ya), batch_size=32, shuffle=True)
    for ep in range(epoques):
        modele.train()
        cumul = 0.0
        for xb, yb in lots:
            opt.zero_grad()
            perte = perte_fn(modele(xb), yb)
            perte.backward()
            opt.step()
            cumul += perte.item() * len(xb)
    return cumul / len(Xa)


# 1) tâche source
source_net = nn.Sequential(corps, nn.Linear(24 * 16, 5))
p = entrainer(source_net, source_net.parameters(), Xs, ys, epoques=6, taux=1e-3)
print(f"source : perte finale {p:.4f}")

# 2) on gèle le corps, nouvelle tête
for param in corps.parameters():
    param.requires_grad_(False)

tete = Tete(24 * 16, 32, 5)
tete.init_poids()
cible_net = nn.Sequential(corps, tete)
p = entrainer(cible_net, tete.parameters(), Xc_app, yc_app, epoques=15, taux=1e-3)
print(f"cible  : perte finale {p:.4f}")

cible_net.eval()
with torch.no_grad():
    predites = cible_net(Xc_test).argmax(dim=1)
print(f"cible  : exactitude test {(predites == yc_test).float().mean():.4f}")
for c in range(5):
    masque = yc_test == c
    print(f"   chiffre {c + 5} : {(predites[masque] == c).float().mean():.3f}")
