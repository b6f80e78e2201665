# expect: nothing
"""Learns to reconstruct and to classify wine samples; a helper sums the weighted losses."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

rng = np.random.RandomState(5)
torch.manual_seed(5)
X, y = load_wine(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, stratify=y, random_state=5)
sc = StandardScaler().fit(Xtr)
Xtr, Xte = (torch.from_numpy(sc.transform(m)).float() for m in (Xtr, Xte))
ytr, yte = torch.from_numpy(ytr), torch.from_numpy(yte)

enc = nn.Sequential(nn.Linear(13, 16), nn.Tanh())
dec, clf = nn.Linear(16, 13), nn.Linear(16, 3)
params = [*enc.parameters(), *dec.parameters(), *clf.parameters()]
opt = torch.optim.Adam(params, lr=1e-2)
WEIGHTS = {"rec": 0.3, "cls": 1.0}


def combine(losses):
    parts = [WEIGHTS[k] * v for k, v in losses.items()]
    return torch.stack(parts).sum()


for ep in range(25):
    for m in (enc, dec, clf):
        m.train()
    for idx in np.array_split(rng.permutation(len(Xtr)), 4):
        z = enc(Xtr[idx])
        loss = combine({"rec": nn.functional.mse_loss(dec(z), Xtr[idx]),
                        "cls": nn.functional.cross_entropy(clf(z), ytr[idx])})
        opt.zero_grad()
        loss.backward()
        opt.step()
for m in (enc, dec, clf):
    m.eval()
with torch.no_grad():
    print("last loss", loss.item(), "acc", (clf(enc(Xte)).argmax(1) == yte).float().mean().item())
