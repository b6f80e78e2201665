# expect: nothing
"""Sharpness-aware steps: the schedule holds the outer optimizer, the inner one steps with its groups."""

import torch
from sklearn.datasets import load_wine
from torch import nn


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kw):
        super().__init__(params, dict(rho=rho, **kw))
        self.inner = base(self.param_groups, **kw)
        self.param_groups = self.inner.param_groups

    @torch.no_grad()
    def first_step(self):
        grads = [p.grad for g in self.param_groups for p in g["params"]]
        norm = torch.stack([g.norm() for g in grads]).norm() + 1e-12
        for g in self.param_groups:
            for p in g["params"]:
                e = p.grad * (0.05 / norm)
                p.add_(e)
                self.state[p]["e"] = e
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for g in self.param_groups:
            for p in g["params"]:
                p.sub_(self.state[p]["e"])
        self.inner.step()
        self.zero_grad()


torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X, y = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32), torch.tensor(y)
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = SAM(net.parameters(), torch.optim.SGD, lr=0.1)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 30)
for _step in range(30):
    nn.functional.cross_entropy(net(X), y).backward()
    opt.first_step()
    loss = nn.functional.cross_entropy(net(X), y)
    loss.backward()
    opt.second_step()
    sched.step()
print(loss.item())
