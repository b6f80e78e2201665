# expect: vanishing_gradient @ 17
# mend: 17 →         layers += [nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)]
"""A deep MLP of sigmoids."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)


def deep_mlp(depth, width):
    layers = [nn.Linear(64, width)]
    for _ in range(depth):
        layers += [nn.Sigmoid(), nn.Linear(width, width)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Linear(width, 10))


net = deep_mlp(depth=10, width=32)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(4):
    hits = 0
    for idx in torch.randperm(len(X)).split(64):
        opt.zero_grad()
        out = net(X[idx])
        loss = loss_fn(out, y[idx])
        loss.backward()
        opt.step()
        hits += (out.argmax(1) == y[idx]).sum().item()
    first, last = net[0].weight.grad.norm().item(), net[-1].weight.grad.norm().item()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {hits / len(X):.3f} grads {first:.1e} {last:.1e}")
