# expect: nothing
"""Unbalanced classes handled by a WeightedRandomSampler; the file is sorted by class."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(16)
CENTERS = torch.tensor([[0.0, 0.0], [1.8, 0.0], [0.0, 1.8]])


def draw(counts):
    y = torch.cat([torch.full((c,), k) for k, c in enumerate(counts)])
    return TensorDataset(CENTERS[y] + 0.6 * torch.randn(len(y), 2), y)


train_set, test_set = draw([900, 90, 45]), draw([200, 200, 200])
labels = train_set.tensors[1]
weights = 1.0 / torch.bincount(labels).float()
sampler = WeightedRandomSampler(weights[labels], num_samples=len(labels), replacement=True)
loader = DataLoader(train_set, batch_size=45, sampler=sampler)

model = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(12):
    model.train()
    total = 0.0
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} loss {total / len(loader):.4f}")

model.eval()
x, y = test_set.tensors
with torch.no_grad():
    pred = model(x).argmax(1)
for k in range(3):
    print(f"recall of class {k}: {(pred[y == k] == k).float().mean().item():.3f}")
