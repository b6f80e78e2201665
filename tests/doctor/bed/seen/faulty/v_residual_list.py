# expect: params_not_in_optimizer @ 26
# allowed: params_not_in_optimizer @ 54
"""Residual MLP on the two-spirals problem (research repo style)."""
import argparse
import math

import torch
import torch.nn as nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.lin1 = nn.Linear(width, width)
        self.lin2 = nn.Linear(width, width)

    def forward(self, x):
        return x + self.lin2(torch.relu(self.lin1(self.norm(x))))


class SpiralNet(nn.Module):
    def __init__(self, width=32, depth=3):
        super().__init__()
        self.stem = nn.Linear(2, width)
        self.blocks = [Block(width) for _ in range(depth)]
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def spirals(n):
    r = torch.rand(n) * 2.5 + 0.3
    y = torch.randint(0, 2, (n,))
    a = 2.2 * r + math.pi * y
    x = torch.stack([r * a.cos(), r * a.sin()], 1) + 0.05 * torch.randn(n, 2)
    return x / 1.5, y


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=40)
    ap.add_argument("--lr", type=float, default=3e-3)
    ap.add_argument("--seed", type=int, default=5)
    args = ap.parse_args([])
    torch.manual_seed(args.seed)
    x, y = spirals(1000)
    xt, yt = spirals(500)
    model = SpiralNet()
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        model.train()
        for idx in torch.randperm(len(x)).split(50):
            opt.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
        if (epoch + 1) % 10 == 0:
            model.eval()
            with torch.no_grad():
                acc = (model(xt).argmax(1) == yt).float().mean().item()
            print(f"epoch {epoch + 1}: loss {loss.item():.3f} test acc {acc:.3f}")


if __name__ == "__main__":
    main()
