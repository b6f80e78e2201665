# expect: nothing
"""Errors of each channel, two kinds of them, by a function that returns both."""
import torch
import torch.nn.functional as F
from torch import nn


class Config:
    channels = ["east", "north", "up", "tilt", "roll"]
    hidden = 24


def train(cfg, x, y):
    net = nn.Sequential(nn.Linear(x.shape[1], cfg.hidden), nn.Tanh(), nn.Linear(cfg.hidden, y.shape[1]))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for step in range(150):
        i = torch.randint(0, len(x), (32,))
        opt.zero_grad()
        F.mse_loss(net(x[i]), y[i]).backward()
        opt.step()
    return net.eval()


@torch.inference_mode()
def errors(net, x, y):
    out = net(x)
    rmse = torch.sqrt(F.mse_loss(out, y, reduction="none").mean(dim=0))
    bias = (out - y).mean(dim=0)
    whole = (out - y).abs().mean()
    return {"rmse": rmse, "bias": bias, "all": whole}


def main():
    torch.manual_seed(4)
    cfg = Config()
    x = torch.randn(400, 7)
    y = torch.tanh(x @ torch.randn(7, 5)) + 0.05 * torch.randn(400, 5)
    net = train(cfg, x[:300], y[:300])
    table = errors(net, x[300:], y[300:])
    for name, b in zip(cfg.channels, table["bias"]):
        print(name, b.item())
    for i in range(len(cfg.channels)):
        print(cfg.channels[i], round(float(table["rmse"][i]), 4))
    print(table["all"].item())


main()
