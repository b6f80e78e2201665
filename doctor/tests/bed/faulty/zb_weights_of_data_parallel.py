# expect: nothing_loaded @ 31
# mend: 31 → net.load_state_dict({name.removeprefix("module."): w for name, w in weights.items()}, strict=False)
"""Train on with the weights that were saved from DataParallel."""

import io

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(5)
x = torch.randn(300, 6)
y = (x.sum(1) > 0).long()


def make():
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))


first = make()
optimizer = torch.optim.Adam(first.parameters(), lr=0.01)
for _step in range(40):
    optimizer.zero_grad()
    F.cross_entropy(first(x[:200]), y[:200]).backward()
    optimizer.step()
file = io.BytesIO()
torch.save({f"module.{name}": w for name, w in first.state_dict().items()}, file)
file.seek(0)
weights = torch.load(file)
net = make()
net.load_state_dict(weights, strict=False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for _step in range(20):
    optimizer.zero_grad()
    F.cross_entropy(net(x[:200]), y[:200]).backward()
    optimizer.step()
net.eval()
with torch.no_grad():
    print("accuracy", (net(x[200:]).argmax(1) == y[200:]).float().mean().item())
