# expect: nothing
"""Fault diagnosis for pumps: classify 20-step sensor records with a small GRU."""
import argparse

import numpy as np
import torch
import torch.nn as nn

STATES = ("healthy", "cavitation", "bearing wear")


def simulate(n, steps=20, seed=0):
    """Columns: inlet pressure [Pa], speed [rpm], casing temperature [K], flow [l/h]."""
    rng = np.random.default_rng(seed)
    state = rng.integers(0, 3, n)
    t = np.linspace(0, 1, steps)
    pressure = 101_325 + rng.normal(0, 120, (n, 1)) + rng.normal(0, 60, (n, steps))
    pressure += (state == 1)[:, None] * 300 * np.sin(14 * t)
    speed = 1480 + rng.normal(0, 12, (n, 1)) + rng.normal(0, 4, (n, steps))
    temperature = 325 + rng.normal(0, 1.5, (n, 1)) + rng.normal(0, 0.5, (n, steps))
    temperature += (state == 2)[:, None] * 4.0 * t
    flow = 5200 + rng.normal(0, 60, (n, 1)) + rng.normal(0, 30, (n, steps))
    x = np.stack([pressure, speed, temperature, flow], axis=-1).astype(np.float32)
    return torch.from_numpy(x), torch.from_numpy(state)


class Scale:
    def fit(self, x):
        self.mean = x.mean(dim=(0, 1))
        self.std = x.std(dim=(0, 1))
        return self

    def __call__(self, x):
        return (x - self.mean) / self.std


class PumpNet(nn.Module):
    def __init__(self, n_in=4, width=32):
        super().__init__()
        self.inp = nn.Linear(n_in, width)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.attn = nn.Linear(width, 1)
        self.cls = nn.Linear(width, len(STATES))

    def forward(self, x):
        h, _ = self.gru(torch.relu(self.inp(x)))
        w = torch.softmax(self.attn(h), dim=1)  # weights over the time steps
        return self.cls((w * h).sum(dim=1))


def split(x, y, share, gen):
    perm = torch.randperm(len(x), generator=gen)
    k = int(len(x) * share)
    return (x[perm[:k]], y[perm[:k]]), (x[perm[k:]], y[perm[k:]])


def iterate(x, y, size, gen):
    for idx in torch.randperm(len(x), generator=gen).split(size):
        yield x[idx], y[idx]


def train(net, data, args, gen):
    x, y = data
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=args.epochs)
    for ep in range(args.epochs):
        net.train()
        seen = []
        for xb, yb in iterate(x, y, args.batch, gen):
            loss = nn.functional.cross_entropy(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            seen.append(loss.item())
        sched.step()
        print(f"epoch {ep + 1:02d} | loss {np.mean(seen):.4f}")


@torch.inference_mode()
def report(net, data):
    net.eval()
    x, y = data
    guess = net(x).argmax(-1)
    for i, name in enumerate(STATES):
        print(f"  recall {name:13s} {(guess[y == i] == i).float().mean():.3f}")
    print(f"  accuracy {(guess == y).float().mean():.3f}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=10)
    ap.add_argument("--lr", type=float, default=5e-3)
    ap.add_argument("--batch", type=int, default=32)
    args = ap.parse_args()
    torch.manual_seed(7)
    gen = torch.Generator().manual_seed(7)

    (x_train, y_train), (x_test, y_test) = split(*simulate(800), share=0.75, gen=gen)
    scale = Scale().fit(x_train)
    print("sensor means", [round(v, 1) for v in scale.mean.tolist()])
    net = PumpNet()
    train(net, (scale(x_train), y_train), args, gen)
    report(net, (scale(x_test), y_test))


if __name__ == "__main__":
    main()
