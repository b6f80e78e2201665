# expect: nothing
"""Gradient accumulation over small batches with a step for the leftover ones."""
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

torch.manual_seed(9)


class Stream(IterableDataset):
    """An endless-looking source, cut after n samples."""

    def __init__(self, n, seed):
        self.n, self.g = n, torch.Generator().manual_seed(seed)

    def __iter__(self):
        for _ in range(self.n):
            x = torch.randn(6, generator=self.g)
            yield x, (x[0] * 2 + x[1] * x[2]).unsqueeze(0)


K = 4
loader = DataLoader(Stream(310, 1), batch_size=10)
model = nn.Sequential(nn.Linear(6, 40), nn.GELU(), nn.Linear(40, 1))
opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
lossf = nn.MSELoss()

for epoch in range(30):
    model.train()
    opt.zero_grad()
    total = steps = 0
    for i, (x, y) in enumerate(loader, 1):
        loss = lossf(model(x), y)
        (loss / K).backward()
        total += loss.item()
        if i % K == 0:
            opt.step()
            opt.zero_grad()
            steps += 1
    if i % K:
        opt.step()
        opt.zero_grad()
        steps += 1
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} mse {total / i:.4f} after {steps} steps")

model.eval()
with torch.no_grad():
    x, y = next(iter(DataLoader(Stream(500, 2), batch_size=500)))
    print("test mse", lossf(model(x), y).item(), "variance", y.var().item())
