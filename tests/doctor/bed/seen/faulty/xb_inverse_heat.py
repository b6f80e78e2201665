# expect: params_not_in_optimizer @ 58
# allowed: params_not_in_optimizer @ 29
# allowed: params_not_in_optimizer @ 62
# allowed: params_not_in_optimizer @ 66
# Inverse problem: from noisy temperatures of a cooling rod find the diffusivity.
#   u_t = kappa * u_xx ,  x in [0, pi], u(x, 0) = sin(x) + 0.5 sin(2x), u = 0 at both ends
import math
import torch
from torch import nn

torch.manual_seed(4)
KAPPA_TRUE = 0.5


def truth(x, t):
    return (torch.exp(-KAPPA_TRUE * t) * torch.sin(x)
            + 0.5 * torch.exp(-4 * KAPPA_TRUE * t) * torch.sin(2 * x))


xs, ts = math.pi * torch.rand(150, 1), torch.rand(150, 1)
readings = truth(xs, ts) + 0.01 * torch.randn(150, 1)


class Rod(nn.Module):
    def __init__(self, width=20):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, width), nn.Tanh(),
                                 nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
        self.log_kappa = nn.Parameter(torch.tensor(math.log(0.1)))

    @property
    def kappa(self):
        return self.log_kappa.exp()

    def forward(self, x, t):
        scaled = torch.cat([2 * x / math.pi - 1, 2 * t - 1], dim=1)
        return x * (math.pi - x) * self.net(scaled)      # zero at both ends by construction


def grad(y, x):
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def physics(rod, n=60):
    x = (math.pi * torch.rand(n, 1)).requires_grad_()
    t = torch.rand(n, 1).requires_grad_()
    u = rod(x, t)
    return (grad(u, t) - rod.kappa * grad(grad(u, x), x)).square().mean()


def data_fit(rod):
    return (rod(xs, ts) - readings).square().mean()


def param_groups(rod, lr):
    """No decay for biases; decay for the weight matrices."""
    decay, plain = [], []
    for layer in rod.net:
        for p in layer.parameters():
            (decay if p.ndim > 1 else plain).append(p)
    return [{"params": decay, "weight_decay": 1e-5, "lr": lr},
            {"params": plain, "weight_decay": 0.0, "lr": lr}]


rod = Rod()
opt = torch.optim.AdamW(param_groups(rod, lr=1e-2))
STEPS = 500
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=STEPS)

for step in range(1, STEPS + 1):
    opt.zero_grad()
    fit, phys = data_fit(rod), physics(rod)
    (10 * fit + phys).backward()
    opt.step()
    sched.step()
    if step % 100 == 0:
        print(f"step {step:4d}  data {fit.item():.5f}  physics {phys.item():.5f}"
              f"  kappa {rod.kappa.item():.3f}")

with torch.no_grad():
    xg, tg = math.pi * torch.rand(300, 1), torch.rand(300, 1)
    print(f"kappa found {rod.kappa.item():.3f} (true {KAPPA_TRUE}),"
          f" field error {(rod(xg, tg) - truth(xg, tg)).abs().mean().item():.4f}")
