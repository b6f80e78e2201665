# expect: symmetric_init @ 13
"""All weights begin at the same constant, so all hidden units stay the same unit."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.constant_(m.weight, 0.02)
        nn.init.zeros_(m.bias)


X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
model.apply(weights_init)
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(5):
    hits = 0
    for idx in torch.randperm(len(X)).split(64):
        out = model(X[idx])
        loss = nn.functional.cross_entropy(out, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        hits += (out.argmax(1) == y[idx]).sum().item()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {hits / len(X):.3f}")
