# expect: nothing
# looks suspicious: classes are 12:1, shuffle is False and rare rows are drawn many times over: a
# WeightedRandomSampler balances them (and excludes shuffle).
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(0)
n = 1800
x = torch.randn(n, 8)
score = x[:, 0] - 0.7 * x[:, 3] + 0.3 * torch.randn(n)
y = (score > score.kthvalue(int(n * 0.925)).values).long()
train, test = TensorDataset(x[:1400], y[:1400]), TensorDataset(x[1400:], y[1400:])

labels = train.tensors[1]
class_count = torch.bincount(labels)
print("class counts", class_count.tolist())
weights = (1.0 / class_count)[labels]
sampler = WeightedRandomSampler(weights, num_samples=len(train), replacement=True)
loader = DataLoader(train, batch_size=70, sampler=sampler)

net = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    for xb, yb in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    xt, yt = test.tensors
    guess = net(xt).argmax(1)
for c in range(2):
    print(f"recall of class {c}: {(guess[yt == c] == c).float().mean().item():.3f}")
