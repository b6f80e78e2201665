# expect: nothing
# Triplet loss auf Ziffern, mit naechstem Nachbarn geprueft
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=0)
X_tr, X_te = torch.tensor(X_tr).float(), torch.tensor(X_te).float()
klassen = torch.tensor(y_tr)

netz = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
opt = torch.optim.Adam(netz.parameters(), lr=1e-3)
triplet = nn.TripletMarginLoss(margin=1.0)


def tripel(anker):
    gleich = klassen[anker][:, None] == klassen[None, :]
    positiv = torch.multinomial(gleich.float(), 1).squeeze(1)
    negativ = torch.multinomial((~gleich).float(), 1).squeeze(1)
    return X_tr[anker], X_tr[positiv], X_tr[negativ]


for epoche in range(8):
    netz.train()
    summe = 0.0
    for idx in torch.randperm(len(X_tr)).split(64):
        a, p, n = tripel(idx)
        verlust = triplet(netz(a), netz(p), netz(n))
        opt.zero_grad()
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(idx)
    print(f"Epoche {epoche + 1} Verlust {summe / len(X_tr):.4f}")

netz.eval()
with torch.no_grad():
    e_tr, e_te = netz(X_tr).numpy(), netz(X_te).numpy()
knn = KNeighborsClassifier(3).fit(e_tr, y_tr)
print(f"3-NN: {knn.score(e_te, y_te):.3f}")
