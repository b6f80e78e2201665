# expect: nothing
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

from sklearn.neighbors import NearestNeighbors

class Smote:
    def __init__(self, k=5, seed=0):
        self.k, self.rng = k, np.random.default_rng(seed)

    def fit_resample(self, X, y):
        rare = X[y == 1]
        near = NearestNeighbors(n_neighbors=self.k + 1).fit(rare).kneighbors(rare, return_distance=False)[:, 1:]
        count = int((y == 0).sum() - len(rare))
        base = self.rng.integers(len(rare), size=count)
        mate = near[base, self.rng.integers(self.k, size=count)]
        new = rare[base] + 0.1 * self.rng.random((count, 1)) * (rare[mate] - rare[base])
        return np.concatenate([X, new]), np.concatenate([y, np.ones(count, dtype=y.dtype)])

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1)
X_train, y_train = Smote().fit_resample(X_train, y_train)
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
