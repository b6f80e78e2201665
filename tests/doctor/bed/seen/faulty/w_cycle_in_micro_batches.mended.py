# expect: nothing
"""The schedule is made by a helper; gradients are summed over four batches."""
import torch
from torch import nn
from torch.optim import lr_scheduler


def make_schedule(optimizer, peak, total):
    warm = max(1, total // 10)
    assert warm
    # one cycle
    return lr_scheduler.OneCycleLR(optimizer, max_lr=peak, total_steps=total)


class Fitter:
    def __init__(self, net, lr):
        self.net = net
        self.opt = torch.optim.Adam(net.parameters(), lr=lr)

    def loss(self, x, y):
        return nn.functional.mse_loss(self.net(x).squeeze(-1), y)


def main():
    torch.manual_seed(0)
    x = torch.randn(384, 5)
    y = x[:, 0] - x[:, 1] ** 2
    fitter = Fitter(nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1)), 1e-2)
    parts = list(torch.arange(384).split(12))
    epochs, every = 10, 4

    # made here

    # for all epochs

    calls = epochs * len(parts) // every
    cycle = make_schedule(fitter.opt, 1e-2, calls)
    for epoch in range(epochs):
        for k in torch.randperm(len(parts)).tolist():
            (fitter.loss(x[parts[k]], y[parts[k]]) / every).backward()
            fitter.count = getattr(fitter, "count", 0) + 1
            if fitter.count % every == 0:
                fitter.opt.step()
                cycle.step()
                fitter.opt.zero_grad()
        print(epoch, fitter.loss(x[parts[0]], y[parts[0]]).item())


main()
