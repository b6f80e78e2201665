# expect: nothing
"""Multi-task network: one shared trunk, one head per task, trained jointly on tabular data."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
X = torch.randn(900, 10)
price = X[:, 0] * 2 - X[:, 1] + 3.0
kind = (X[:, 2] + X[:, 3] > 0).long() + (X[:, 2] > 1).long()
loader = DataLoader(TensorDataset(X[:700], price[:700], kind[:700]), batch_size=50, shuffle=True)


class MultiTask(nn.Module):
    def __init__(self, tasks, width=32):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(10, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.heads = nn.ModuleDict({t: nn.Linear(width, n) for t, n in tasks.items()})

    def forward(self, x):
        h = self.trunk(x)
        return {t: head(h) for t, head in self.heads.items()}


model = MultiTask({"price": 1, "kind": 3})
optim = torch.optim.AdamW(model.parameters(), lr=2e-3)
for epoch in range(15):
    model.train()
    tot = 0.0
    for xb, pb, kb in loader:
        out = model(xb)
        loss = F.mse_loss(out["price"].squeeze(1), pb) + F.cross_entropy(out["kind"], kb)
        optim.zero_grad(set_to_none=True)
        loss.backward()
        optim.step()
        tot += loss.item()
    if epoch % 5 == 4:
        print(epoch, round(tot / len(loader), 4))
model.eval()
with torch.no_grad():
    out = model(X[700:])
    print("mae", (out["price"].squeeze(1) - price[700:]).abs().mean().item(),
          "acc", (out["kind"].argmax(1) == kind[700:]).float().mean().item())
