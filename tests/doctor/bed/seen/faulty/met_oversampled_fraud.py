# expect: duplicate_leakage @ 23
# allowed: duplicate_leakage @ 24
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = make_classification(1500, 12, n_informative=5, weights=[0.9], flip_y=0.05, class_sep=0.6, random_state=2)

def balance(X, y, rng):
    rare, common = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    extra = rng.choice(rare, len(common) - len(rare))
    keep = np.concatenate([common, rare, extra])
    return X[keep], y[keep]

rng = np.random.default_rng(0)
X, y = balance(X, y, rng)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1)
scaler = StandardScaler().fit(X_train)
tr = TensorDataset(torch.tensor(scaler.transform(X_train), dtype=torch.float32), torch.tensor(y_train, dtype=torch.float32))
xt = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
net = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(25):
    net.train()
    for a, b in DataLoader(tr, 64, shuffle=True):
        opt.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(a).squeeze(1), b)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    said = (net(xt).squeeze(1) > 0).numpy()
print("f1", f1_score(y_test, said))
