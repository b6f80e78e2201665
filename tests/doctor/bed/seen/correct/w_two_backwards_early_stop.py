# expect: nothing
"""Two losses run backward one after the other, and a run that stops early."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 5)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
plan = 60
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=plan)
for step in range(plan):
    idx = torch.randint(0, 250, (32,))
    opt.zero_grad()
    nn.functional.cross_entropy(net(x[idx]), y[idx]).backward()
    (1e-4 * sum(p.abs().sum() for p in net.parameters())).backward()
    opt.step()
    sched.step()
    with torch.no_grad():
        right = (net(x[250:]).argmax(1) == y[250:]).float().mean()
    if right > 0.96:
        break
print(step, right)
