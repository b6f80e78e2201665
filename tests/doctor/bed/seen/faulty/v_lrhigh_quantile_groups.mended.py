# expect: nothing
"""Predict three quantiles of a noisy curve with the pinball loss and two parameter groups."""
import torch
from torch import nn

QUANTILES = torch.tensor([0.1, 0.5, 0.9])


def curve(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 1, generator=g) * 6 - 3
    y = torch.sin(1.5 * x) + (0.1 + 0.15 * x.abs()) * torch.randn(n, 1, generator=g)
    return x / 1.73, y


class QuantileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(1, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU())
        self.head = nn.Linear(48, len(QUANTILES))

    def forward(self, x):
        return self.head(self.trunk(x))


def pinball(pred, y):
    e = y - pred
    return torch.maximum(QUANTILES * e, (QUANTILES - 1) * e).mean()


def make_optimizer(net):
    return torch.optim.SGD([
        {"params": net.trunk.parameters(), "lr": 0.05},
        {"params": net.head.parameters()},
    ], lr=0.05, momentum=0.9)


def main():
    torch.manual_seed(0)
    x, y = curve(1500, 0)
    xt, yt = curve(500, 1)
    net = QuantileNet()
    opt = make_optimizer(net)
    for epoch in range(20):
        net.train()
        for idx in torch.randperm(len(x)).split(50):
            opt.zero_grad()
            loss = pinball(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
        if epoch % 5 == 4:
            net.eval()
            with torch.no_grad():
                q = net(xt)
                cover = ((yt > q[:, :1]) & (yt < q[:, 2:])).float().mean()
                print(f"epoch {epoch + 1} pinball {pinball(q, yt):.4f} coverage {cover:.3f}")


main()
