# expect: nothing
"""Monte-Carlo dropout: the plain score in eval mode, the uncertainty with dropout switched on on purpose."""
import torch
from torch import nn


def wave(n, lo, hi, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 1, generator=g) * (hi - lo) + lo
    return x, torch.sin(2 * x) + 0.1 * torch.randn(n, 1, generator=g)


def enable_dropout(net):
    net.eval()
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.train()


@torch.no_grad()
def mc_predict(net, x, samples=60):
    enable_dropout(net)
    draws = torch.stack([net(x) for _ in range(samples)])
    net.eval()
    return draws.mean(0), draws.std(0)


torch.manual_seed(0)
x, y = wave(600, -2, 2, 0)
xt, yt = wave(200, -2, 2, 1)
net = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.05), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.05),
                    nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(30):
    net.train()
    for idx in torch.randperm(len(x)).split(50):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[idx]), y[idx])
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    plain = nn.functional.mse_loss(net(xt), yt).item()
_, inside = mc_predict(net, xt)
_, outside = mc_predict(net, wave(200, 4, 6, 2)[0])
print(f"test mse {plain:.4f} std inside {inside.mean():.3f} outside {outside.mean():.3f}")
