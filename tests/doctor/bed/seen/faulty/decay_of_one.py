# expect: weight_decay_too_high @ 12
"""Weight decay 1.0 in SGD: the weights shrink to nothing."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1.0)
for epoch in range(5):
    total = 0.0
    for idx in torch.randperm(len(X)).split(64):
        loss = nn.functional.cross_entropy(net(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    size = sum(p.norm().item() for p in net.parameters())
    print(f"epoch {epoch} loss {total / len(X):.4f} size of weights {size:.3f}")
