# expect: nothing
"""Figures of both parts come from one line in a loop over them."""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
rng = np.random.default_rng(0)

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = (scaler.transform(u).astype(np.float32) for u in (X_train, X_test))
net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
a, b = torch.tensor(X_train), torch.tensor(y_train)
for epoch in range(20):
    net.train()
    for i in torch.randperm(len(a)).split(32):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(a[i]), b[i])
        loss.backward()
        opt.step()
net.eval()
for name, u, v in (("train", X_train, y_train), ("test", X_test, y_test)):
    with torch.no_grad():
        hits = (net(torch.tensor(u)).argmax(1) == torch.tensor(v)).float().mean()
    print(name, hits.item())
