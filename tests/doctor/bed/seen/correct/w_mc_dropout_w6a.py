# expect: nothing
"""Regression with a measure of doubt: dropout is kept alive at prediction time and many passes are averaged."""
import numpy as np
import torch
from torch import nn


def curve(n, rng):
    x = rng.uniform(-3, 3, (n, 1))
    y = np.sin(1.5 * x[:, 0]) + 0.3 * x[:, 0] + 0.1 * rng.normal(size=n)
    return x, y


class Net(nn.Module):
    def __init__(self, hidden=96, p=0.1):
        super().__init__()
        self.inp = nn.Linear(1, hidden)
        self.mid = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 1)
        self.drop1, self.drop2 = nn.Dropout(p), nn.Dropout(p)

    def forward(self, x):
        h = self.drop1(torch.relu(self.inp(x)))
        h = self.drop2(torch.relu(self.mid(h)))
        return self.out(h).squeeze(1)


def train(net, x, y, epochs):
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[epochs // 2, 3 * epochs // 4], gamma=0.3)
    net.train()
    for epoch in range(1, epochs + 1):
        total = 0.0
        for idx in torch.randperm(len(x)).split(50):
            loss = nn.functional.mse_loss(net(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        schedule.step()
        if epoch % 20 == 0:
            print(f"epoch {epoch:3d}  loss {total / len(x):.4f}")


@torch.no_grad()
def point_prediction(net, x):
    net.eval()
    return net(x)


@torch.no_grad()
def monte_carlo(net, x, passes=50):
    """Mean and spread over passes with different dropout masks."""
    net.eval()
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    draws = torch.stack([net(x) for _ in range(passes)])
    net.eval()
    return draws.mean(dim=0), draws.std(dim=0)


def main():
    torch.manual_seed(44)
    rng = np.random.default_rng(44)
    xtr, ytr = curve(500, rng)
    xte, yte = curve(200, rng)
    mx, sx, my, sy = xtr.mean(), xtr.std(), ytr.mean(), ytr.std()
    as_x = lambda a: torch.tensor((a - mx) / sx, dtype=torch.float32)
    as_y = lambda a: torch.tensor((a - my) / sy, dtype=torch.float32)

    net = Net()
    train(net, as_x(xtr), as_y(ytr), epochs=80)
    plain = point_prediction(net, as_x(xte))
    mean, _ = monte_carlo(net, as_x(xte))
    print(f"test mse: plain {((plain - as_y(yte)) ** 2).mean().item():.4f}, averaged {((mean - as_y(yte)) ** 2).mean().item():.4f}")

    print("  x    curve  predicted  spread")
    grid = np.linspace(-2.5, 2.5, 6)[:, None]
    mean, spread = monte_carlo(net, as_x(grid))
    for x, m, s in zip(grid[:, 0], mean.tolist(), spread.tolist()):
        print(f"{x:5.1f}  {np.sin(1.5 * x) + 0.3 * x:6.2f}  {m * sy + my:8.2f}  {s * sy:6.3f}")


if __name__ == "__main__":
    main()
