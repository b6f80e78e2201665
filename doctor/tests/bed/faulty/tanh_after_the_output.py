# expect: activation_before_cross_entropy @ 29
# mend: 30 →     return nn.Sequential(*layers[:-1])
"""Hidden layers and the output built by one loop: the output gets the activation, too, below a softmax."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(400, 10)
y = (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long() + (x[:, 2] > 1).long()
loader = DataLoader(TensorDataset(x[:300], y[:300]), batch_size=50, shuffle=True)

SIZES = (10, 32, 32, 4)


def layer(inputs, outputs):
    linear = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def build(sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [layer(inputs, outputs)]
        layers += [nn.Tanh()]
    return nn.Sequential(*layers)


net = build(SIZES)
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
for epoch in range(20):
    for rows, labels in loader:
        optimizer.zero_grad()
        F.nll_loss(torch.log(net(rows).softmax(1)), labels).backward()
        optimizer.step()
with torch.no_grad():
    right = (net(x[300:]).argmax(1) == y[300:]).float().mean()
print(f"right: {right:.3f}")
