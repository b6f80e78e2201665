# expect: nothing
# looks suspicious: some backwards are never stepped (the norm is out of range) and some batches give no
# loss at all (no labelled row): both are skipped on purpose and cleared at the head of the loop.
import torch
from torch import nn

torch.manual_seed(0)
g = torch.Generator().manual_seed(1)
x = torch.randn(1000, 6, generator=g)
y = (x @ torch.tensor([1.0, -2.0, 0.5, 0.0, 1.5, -1.0]) > 0).long()
labelled = torch.rand(1000, generator=g) < 0.25
x[::97] *= 40  # sensor glitches
model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.1)
skipped = empty = 0
for epoch in range(12):
    for rows in torch.randperm(900, generator=g).split(9):
        opt.zero_grad()
        rows = rows[labelled[rows]]
        if len(rows) == 0:
            empty += 1
            continue
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), float("inf"))
        if norm > 10:
            skipped += 1
            continue
        opt.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch} loss {loss.item():.4f} skipped {skipped} empty {empty}")
with torch.no_grad():
    print("accuracy", (model(x[900:]).argmax(1) == y[900:]).float().mean().item())
