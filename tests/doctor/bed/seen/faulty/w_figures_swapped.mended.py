# expect: nothing
"""Two figures of a line, of which one is of rows on purpose."""
import torch
from torch import nn


def figures(out, y):
    gap = (out - y) ** 2
    return gap.mean(1).sqrt(), gap.mean(0).sqrt(), gap.max()


torch.manual_seed(4)
names = ["a", "b", "c"]
x = torch.randn(300, 4)
y = x @ torch.randn(4, 3)
net = nn.Linear(4, 3)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(100):
    i = torch.randint(0, 250, (25,))
    opt.zero_grad()
    nn.functional.huber_loss(net(x[i]), y[i]).backward()
    opt.step()
with torch.no_grad():
    by_row, by_output, worst = figures(net(x[250:]), y[250:])
print({n: round(v, 4) for n, v in zip(names, by_output.tolist())}, worst.item(), len(by_row))
