# expect: nothing
# looks suspicious: draws of zeros and ones in the graph, which the log-probabilities learn from
import torch
from torch import nn

torch.manual_seed(0)
gate, net = nn.Linear(6, 4), nn.Linear(4, 1)
opt = torch.optim.Adam([*gate.parameters(), *net.parameters()], lr=1e-2)
x = torch.randn(256, 6)
y = x[:, 0] * 2
for step in range(80):
    p = torch.sigmoid(gate(x))
    a = torch.bernoulli(p)
    err = (net(a * x[:, :4]).squeeze(1) - y) ** 2
    logp = (a.detach() * torch.log(p) + (1 - a.detach()) * torch.log(1 - p)).sum(1)
    loss = err.mean() + (err.detach() * logp).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
frac = torch.randn(3, requires_grad=True)
o2 = torch.optim.SGD([frac], lr=0.1)
for step in range(20):
    loss = ((frac - frac.floor() - 0.5) ** 2).sum()
    o2.zero_grad()
    loss.backward()
    o2.step()
print(loss.item())
