# expect: train_mode_never_restored @ 52
# allowed: train_mode_never_restored @ 42
import torch
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

GRAINE = 21
torch.manual_seed(GRAINE)

X, y = make_moons(n_samples=1500, noise=0.35, random_state=GRAINE)
rng = torch.Generator().manual_seed(GRAINE)
bruit = torch.randn(len(X), 20, generator=rng).numpy()
import numpy as np
X = np.concatenate([X, bruit], axis=1)

X_app, X_val, y_app, y_val = train_test_split(X, y, train_size=500, random_state=GRAINE, stratify=y)
echelle = StandardScaler().fit(X_app)
X_app = torch.tensor(echelle.transform(X_app), dtype=torch.float32)
X_val = torch.tensor(echelle.transform(X_val), dtype=torch.float32)
y_app, y_val = torch.tensor(y_app), torch.tensor(y_val)


class Classifieur(nn.Module):
    def __init__(self, d, h=200, p=0.5):
        super().__init__()
        self.corps = nn.Sequential(
            nn.Linear(d, h), nn.BatchNorm1d(h), nn.ReLU(), nn.Dropout(p),
            nn.Linear(h, h), nn.BatchNorm1d(h), nn.ReLU(), nn.Dropout(p))
        self.sortie = nn.Linear(h, 2)

    def forward(self, x):
        return self.sortie(self.corps(x))


modele = Classifieur(X_app.shape[1])
opt = torch.optim.Adam(modele.parameters(), lr=1e-3, weight_decay=1e-4)
cout = nn.CrossEntropyLoss()
taille, suivi_tous_les, n_etapes = 50, 50, 600

modele.train()
etape = 0
while etape < n_etapes:
    for idx in torch.randperm(len(X_app)).split(taille):
        opt.zero_grad()
        perte = cout(modele(X_app[idx]), y_app[idx])
        perte.backward()
        opt.step()
        etape += 1
        if etape % suivi_tous_les == 0:
            modele.eval()
            with torch.no_grad():
                logits = modele(X_val)
                val = cout(logits, y_val).item()
                exact = (logits.argmax(1) == y_val).float().mean().item()
            print(f"étape {etape:4d} | perte {perte.item():.3f} | val {val:.3f} | exactitude {exact:.3f}")
