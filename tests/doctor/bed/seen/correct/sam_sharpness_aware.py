# expect: nothing
# looks suspicious: two backwards a batch, the gradients of the first are cleared before any step and the
# weights are moved up and back by hand: sharpness-aware minimisation.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(4)
digits = load_digits()
x = torch.tensor(digits.data / 16.0, dtype=torch.float32)
y = torch.tensor(digits.target)
perm = torch.randperm(len(x))
tr, te = perm[:1400], perm[1400:]


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kwargs):
        super().__init__(params, {"rho": rho, **kwargs})
        self.base = base(self.param_groups, **kwargs)

    @torch.no_grad()
    def ascend(self):
        params = [p for g in self.param_groups for p in g["params"]]
        norm = torch.stack([p.grad.norm() for p in params]).norm()
        for p in params:
            self.state[p]["e"] = p.grad * (self.param_groups[0]["rho"] / (norm + 1e-12))
            p.add_(self.state[p]["e"])
        self.zero_grad()

    @torch.no_grad()
    def descend(self):
        for g in self.param_groups:
            for p in g["params"]:
                p.sub_(self.state[p]["e"])
        self.base.step()
        self.zero_grad()

    def step(self, closure=None):
        raise RuntimeError("use ascend and descend")


net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
criterion = nn.CrossEntropyLoss()
opt = SAM(net.parameters(), torch.optim.SGD, rho=0.05, lr=0.1, momentum=0.9)
for epoch in range(5):
    for rows in tr[torch.randperm(len(tr))].split(70):
        criterion(net(x[rows]), y[rows]).backward()
        opt.ascend()
        loss = criterion(net(x[rows]), y[rows])
        loss.backward()
        opt.descend()
    print(f"epoch {epoch}: loss at the perturbed point {loss.item():.4f}")
with torch.no_grad():
    print(f"test accuracy {(net(x[te]).argmax(1) == y[te]).float().mean().item():.4f}")
