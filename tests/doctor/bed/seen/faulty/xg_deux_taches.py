# expect: softmax_before_cross_entropy @ 25
# allowed: softmax_before_cross_entropy @ 35
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(4)
X, y = load_digits(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.25, random_state=4, stratify=y)
X_tr, X_te = torch.tensor(X_tr, dtype=torch.float32), torch.tensor(X_te, dtype=torch.float32)
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)
par_tr, par_te = (y_tr % 2).float(), (y_te % 2).float()


class DeuxTaches(nn.Module):
    def __init__(self):
        super().__init__()
        self.tronc = nn.Sequential(nn.Linear(64, 48), nn.ReLU())
        self.chiffre = nn.Linear(48, 10)
        self.parite = nn.Linear(48, 1)

    def forward(self, x):
        h = self.tronc(x)
        return torch.softmax(self.chiffre(h), dim=1), self.parite(h).squeeze(1)


modele = DeuxTaches()
optim = torch.optim.Adam(modele.parameters(), lr=2e-3)
ce, bce = nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss()
for epoque in range(20):
    modele.train()
    for idx in torch.randperm(len(X_tr)).split(64):
        c, p = modele(X_tr[idx])
        perte = ce(c, y_tr[idx]) + 0.5 * bce(p, par_tr[idx])
        optim.zero_grad()
        perte.backward()
        optim.step()
modele.eval()
with torch.no_grad():
    c, p = modele(X_te)
    print(f"perte chiffre {ce(c, y_te).item():.4f}")
    print(f"chiffre {(c.argmax(1) == y_te).float().mean().item():.4f}")
    print(f"parite {((p > 0).float() == par_te).float().mean().item():.4f}")
