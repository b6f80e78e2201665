# expect: dead_relu @ 16
# allowed: dead_relu @ 27
# allowed: dead_relu @ 28
"""Energy use of buildings regressed with own Linear layers that carry a starting bias."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


class BiasedLinear(nn.Linear):
    """Linear layer with Kaiming weights."""

    def reset_parameters(self):
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")
        nn.init.constant_(self.bias, -12.0)


class EnergyNet(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.a = BiasedLinear(d, 32)
        self.b = BiasedLinear(32, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        h = F.relu(self.a(x))
        h = F.relu(self.b(h))
        return self.out(h).squeeze(1)


def buildings(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype("float32")
    y = 2 * x[:, 0] + np.abs(x[:, 1]) - x[:, 2] * x[:, 3] + 0.2 * rng.normal(size=n)
    return torch.from_numpy(x), torch.tensor(y, dtype=torch.float32)


def r2_score(net, x, y):
    net.eval()
    with torch.no_grad():
        return 1 - (F.mse_loss(net(x), y) / y.var(unbiased=False)).item()


torch.manual_seed(0)
x, y = buildings(1200, 0)
xt, yt = buildings(400, 1)
net = EnergyNet(6)
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(15):
    net.train()
    for idx in torch.randperm(len(x)).split(40):
        opt.zero_grad()
        loss = F.mse_loss(net(x[idx]), y[idx])
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: loss {loss.item():.4f} test R2 {r2_score(net, xt, yt):.3f}")
