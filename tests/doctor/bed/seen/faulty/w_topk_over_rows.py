# expect: metric_wrong_axis @ 33
"""Ten classes in batches of twenty: how often the label is among the best three."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
y = torch.arange(1000) % 10
x = 1.5 * torch.randn(10, 16)[y] + torch.randn(1000, 16)
train = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=40, shuffle=True)
test = DataLoader(TensorDataset(x[800:], y[800:]), batch_size=20)
net = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    for xb, yb in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(xb), yb).backward()
        opt.step()


# how good it is


def best_three(net):
    net.eval()
    shares = []
    with torch.no_grad():
        for xb, yb in test:
            top = net(xb).topk(3, dim=1).indices
            hits = top == yb.unsqueeze(1)
            # a hit each
            shares.append(hits.any(dim=0).float().mean())
    return torch.stack(shares).mean().item()


print(best_three(net))
