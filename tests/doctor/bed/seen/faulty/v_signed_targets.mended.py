# expect: nothing
"""Breast-cancer classifier written in functional style with raw weight tensors and Adam."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(6)
data = load_breast_cancer()
target = np.where(data.target == 1, 1.0, 0.0)
Xa, Xb, ya, yb = train_test_split(data.data, target, test_size=0.25, random_state=6, stratify=target)
prep = StandardScaler().fit(Xa)
Xa = torch.tensor(prep.transform(Xa), dtype=torch.float32)
Xb = torch.tensor(prep.transform(Xb), dtype=torch.float32)
ya, yb = torch.tensor(ya, dtype=torch.float32), torch.tensor(yb, dtype=torch.float32)

W1 = (torch.randn(30, 16) / 30 ** 0.5).requires_grad_()
b1 = torch.zeros(16, requires_grad=True)
w2 = (torch.randn(16) / 4).requires_grad_()
b2 = torch.zeros((), requires_grad=True)


def logits(x):
    return torch.relu(x @ W1 + b1) @ w2 + b2


opt = torch.optim.Adam([W1, b1, w2, b2], lr=5e-3)
for epoch in range(20):
    for idx in torch.randperm(len(Xa)).split(32):
        loss = F.binary_cross_entropy_with_logits(logits(Xa[idx]), ya[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            acc = ((logits(Xb) > 0) == (yb > 0)).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.4f} acc {acc:.4f}")
