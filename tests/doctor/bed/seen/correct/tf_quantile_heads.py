# expect: nothing
"""Simultaneous quantile regression with a pinball loss on heteroscedastic data; [N, 1] targets against [N, Q] outputs."""
import torch
import torch.nn as nn

QUANTILES = torch.tensor([0.1, 0.5, 0.9])


def sample(n, gen):
    x = torch.rand(n, 1, generator=gen) * 4 - 2
    noise = torch.randn(n, 1, generator=gen) * (0.1 + 0.2 * x.abs())
    return x, torch.sin(2 * x) + noise


def pinball(pred, target):
    diff = target - pred
    assert pred.shape[1] == len(QUANTILES) and target.shape[1] == 1
    return torch.maximum(QUANTILES * diff, (QUANTILES - 1) * diff).mean()


class QuantileNet(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.low = nn.Linear(width, 1)
        self.gaps = nn.Linear(width, len(QUANTILES) - 1)

    def forward(self, x):
        h = self.body(x)
        steps = nn.functional.softplus(self.gaps(h))
        return torch.cat([self.low(h), steps], dim=1).cumsum(dim=1)


def main():
    torch.manual_seed(0)
    gen = torch.Generator().manual_seed(0)
    x, y = sample(1200, gen)
    x_test, y_test = sample(600, gen)
    net = QuantileNet()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(20):
        net.train()
        total = 0.0
        for idx in torch.randperm(len(x), generator=gen).split(64):
            opt.zero_grad()
            loss = pinball(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1:2d}  pinball {total / len(x):.4f}")
    net.eval()
    with torch.no_grad():
        q = net(x_test)
    coverage = (y_test <= q).float().mean(dim=0)
    print("test pinball %.4f" % pinball(q, y_test).item())
    print("coverage", [round(c, 3) for c in coverage.tolist()], "wanted", QUANTILES.tolist())


if __name__ == "__main__":
    main()
