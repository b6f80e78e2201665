# expect: vanishing_gradient @ 16
"""Weights drawn with a deviation of 0.01, as in older papers, for a plain net of eight layers."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)
y = torch.tensor(wine.target)


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, mean=0.0, std=0.01)
        nn.init.zeros_(m.bias)


class Plain(nn.Module):
    def __init__(self, width=24, depth=7):
        super().__init__()
        self.inp = nn.Linear(13, width)
        self.mid = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.out = nn.Linear(width, 3)

    def forward(self, x):
        x = torch.relu(self.inp(x))
        for layer in self.mid:
            x = torch.relu(layer(x))
        return self.out(x)


model = Plain().apply(init_weights)
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
for epoch in range(40):
    for idx in torch.randperm(len(x)).split(60):
        loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {loss.item():.4f} first layer {model.inp.weight.grad.norm():.1e}")
