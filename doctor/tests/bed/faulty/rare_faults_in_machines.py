# missed: class_imbalance @ 19
# mend: 18 → loader = DataLoader(dataset, batch_size=50, sampler=balanced)
# mend: 19 →
"""Four states of a machine, three of them rare; cross-entropy without weights sees only the common one."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(0)
counts = [940, 20, 20, 20]
centres = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.5], [0.0, -2.0, 0.5], [-1.6, 1.6, 0.0]])
x = torch.cat([c + 0.7 * torch.randn(n, 3) for c, n in zip(centres, counts, strict=True)])
y = torch.arange(4).repeat_interleave(torch.tensor(counts))
dataset = TensorDataset(x, y)
weights = 1.0 / torch.tensor(counts, dtype=torch.float32)[y]
balanced = WeightedRandomSampler(weights, num_samples=len(y))
print("mean weight", round(weights.mean().item(), 4), "over", balanced.num_samples, "rows")
loader = DataLoader(dataset, batch_size=50, shuffle=True)

model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 4))
opt = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.5)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(6):
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
    with torch.no_grad():
        pred = model(x).argmax(1)
    said = torch.bincount(pred, minlength=4).tolist()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {(pred == y).float().mean():.3f} predicted {said}")
