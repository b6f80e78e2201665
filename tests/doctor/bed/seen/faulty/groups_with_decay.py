# expect: weight_decay_too_high @ 15
"""Parameter groups: the weights decay by 60, the biases not at all."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
decay = [p for p in model.parameters() if p.ndim > 1]
plain = [p for p in model.parameters() if p.ndim <= 1]
groups = [
    {"params": decay, "weight_decay": 60.0},
    {"params": plain, "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(groups, lr=0.01)
for epoch in range(5):
    for rows in torch.randperm(len(x)).split(64):
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
