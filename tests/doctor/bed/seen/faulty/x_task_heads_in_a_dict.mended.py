# expect: nothing
"""One trunk, one head per task: the digit, and whether it is even."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(5)
images, digit = load_digits(return_X_y=True)
x = torch.as_tensor(images / 16.0, dtype=torch.float32)
targets = {"digit": torch.as_tensor(digit), "even": torch.as_tensor((digit % 2 == 0).astype("int64"))}
classes = {"digit": 10, "even": 2}


class MultiTask(nn.Module):
    def __init__(self, tasks, width=64):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, width), nn.ReLU())
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in tasks.items()})

    def forward(self, x):
        h = self.trunk(x)
        return {name: head(h) for name, head in self.heads.items()}


model = MultiTask(classes)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for step in range(120):
    idx = torch.randint(len(x), (64,))
    out = model(x[idx])
    losses = {name: F.cross_entropy(out[name], targets[name][idx]) for name in classes}
    loss = sum(losses.values())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 30 == 0:
        print(step, {name: round(value.item(), 4) for name, value in losses.items()})
