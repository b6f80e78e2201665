# expect: nothing
"""Two-spirals classifier with a deep tanh network and its own weight initialisation."""
import argparse
import math
import torch
from torch import nn


def spirals(n, seed):
    g = torch.Generator().manual_seed(seed)
    r = torch.rand(n, generator=g).sqrt() * 2.2 * math.pi
    side = torch.randint(0, 2, (n,), generator=g)
    ang = r + math.pi * side
    xy = torch.stack([r * ang.cos(), r * ang.sin()], 1) / 4.0
    return xy + 0.03 * torch.randn(n, 2, generator=g), side.float()


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_normal_(m.weight)
        nn.init.zeros_(m.bias)


class DeepTanh(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.inp = nn.Linear(2, width)
        self.mid = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.out = nn.Linear(width, 1)
        self.apply(init_weights)

    def forward(self, x):
        h = torch.tanh(self.inp(x))
        for layer in self.mid:
            h = torch.tanh(layer(h))
        return self.out(h).squeeze(1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=40)
    ap.add_argument("--width", type=int, default=40)
    ap.add_argument("--depth", type=int, default=6)
    args = ap.parse_args()
    torch.manual_seed(7)
    x, y = spirals(1000, 0)
    xv, yv = spirals(400, 1)
    net = DeepTanh(args.width, args.depth)
    opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
    bce = nn.BCEWithLogitsLoss()
    for ep in range(args.epochs):
        net.train()
        for idx in torch.randperm(len(x)).split(50):
            opt.zero_grad(set_to_none=True)
            loss = bce(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
        if (ep + 1) % 10 == 0:
            net.eval()
            with torch.no_grad():
                acc = ((net(xv) > 0).float() == yv).float().mean()
            print(f"epoch {ep + 1} loss {loss.item():.4f} acc {acc:.3f}")


if __name__ == "__main__":
    main()
