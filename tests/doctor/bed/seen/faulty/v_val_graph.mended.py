# expect: nothing
"""Residual MLP regression on a nonlinear surface with a validation pass every epoch and early stopping."""
import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)
X = torch.rand(1200, 5) * 2 - 1
Y = (torch.sin(3 * X[:, :1]) + X[:, 1:2] * X[:, 2:3] + 0.05 * torch.randn(1200, 1))
tr = DataLoader(TensorDataset(X[:800], Y[:800]), batch_size=64, shuffle=True)
va = DataLoader(TensorDataset(X[800:1000], Y[800:1000]), batch_size=100)
te = DataLoader(TensorDataset(X[1000:], Y[1000:]), batch_size=100)


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.f = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, d), nn.GELU(), nn.Linear(d, d))

    def forward(self, x):
        return x + self.f(x)


model = nn.Sequential(nn.Linear(5, 32), Block(32), Block(32), nn.Linear(32, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
criterion = nn.MSELoss()


@torch.no_grad()
def evaluate(loader):
    model.eval()
    total = 0.0
    for a, b in loader:
        total += criterion(model(a), b).item() * len(a)
    return total / len(loader.dataset)


best, best_state, patience = float("inf"), None, 0
for epoch in range(25):
    model.train()
    for a, b in tr:
        optimizer.zero_grad()
        criterion(model(a), b).backward()
        optimizer.step()
    v = evaluate(va)
    if v < best:
        best, best_state, patience = v, copy.deepcopy(model.state_dict()), 0
    else:
        patience += 1
    if patience == 6:
        break
model.load_state_dict(best_state)
print(f"stopped at {epoch}, val {best:.4f}, test {evaluate(te):.4f}")
