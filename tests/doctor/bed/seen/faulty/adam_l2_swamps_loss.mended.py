# expect: nothing
# mends: adam_l2_swamps_loss.py
"""Adam with an L2 term of 3 in its parameter groups."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)
y = torch.tensor(wine.target)
net = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
groups = [
    {"params": [p for n, p in net.named_parameters() if n.endswith("weight")], "weight_decay": 1e-4},
    {"params": [p for n, p in net.named_parameters() if n.endswith("bias")], "weight_decay": 0.0},
]
opt = torch.optim.Adam(groups, lr=0.01)
for epoch in range(40):
    for idx in torch.randperm(len(x)).split(60):
        loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {loss.item():.4f} weights {net[0].weight.norm().item():.4f}")
