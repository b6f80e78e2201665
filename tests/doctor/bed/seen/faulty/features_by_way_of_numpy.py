# expect: detached_graph @ 25
"""The hidden features take a detour through NumPy for a signed square root."""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
X_tr, X_va, y_tr, y_va = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_tr)
X_tr = torch.tensor(scaler.transform(X_tr), dtype=torch.float32)
X_va = torch.tensor(scaler.transform(X_va), dtype=torch.float32)
y_tr, y_va = torch.tensor(y_tr), torch.tensor(y_va)

stem = nn.Linear(30, 24)
head = nn.Linear(24, 2)
optimizer = torch.optim.Adam(list(stem.parameters()) + list(head.parameters()), lr=5e-3)


def model(x):
    h = stem(x).detach().numpy()
    h = np.sign(h) * np.sqrt(np.abs(h) + 1e-6)
    return head(torch.from_numpy(h))


for epoch in range(8):
    for rows in torch.randperm(len(X_tr)).split(48):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X_tr[rows]), y_tr[rows])
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        acc = np.mean((model(X_va).argmax(1) == y_va).numpy())
    print(f"epoch {epoch}: loss {loss.item():.3f} validation accuracy {acc:.3f}")
