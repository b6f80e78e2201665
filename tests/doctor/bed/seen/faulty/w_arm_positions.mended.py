# expect: nothing
"""Forward model of a planar three-joint arm: from the angles to the joints' places, R2 for each output."""
import math

import numpy as np
import torch
from torch import nn

NAMES = ["elbow_x", "elbow_y", "wrist_x", "wrist_y", "tip_x", "tip_y"]
LENGTHS = (0.5, 0.35, 0.2)


def simulate(n, seed, base=(2.0, 0.5)):
    rng = np.random.default_rng(seed)
    angles = rng.uniform(-math.pi / 2, math.pi / 2, (n, 3))
    heading, places, at = np.zeros(n), [], np.tile(np.array(base), (n, 1))
    for joint, length in enumerate(LENGTHS):
        heading = heading + angles[:, joint]
        at = at + length * np.stack([np.cos(heading), np.sin(heading)], axis=1)
        places.append(at)
    out = np.concatenate(places, axis=1) + rng.normal(0, 0.02, (n, 6))
    return torch.tensor(angles, dtype=torch.float32), torch.tensor(out, dtype=torch.float32)


def scaler(t):
    mean, std = t.mean(dim=0), t.std(dim=0)
    return (lambda v: (v - mean) / std), (lambda v: v * std + mean)


def r2_by_output(pred, true):
    unexplained = (true - pred).pow(2).sum(dim=0)
    spread = (true - true.mean(dim=0, keepdim=True)).pow(2).sum(dim=0)
    return 1 - unexplained / spread


def batches(x, y, size, generator):
    for ids in torch.randperm(len(x), generator=generator).split(size):
        yield x[ids], y[ids]


def train(x, y, epochs=30, size=64):
    net = nn.Sequential(nn.Linear(3, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 6))
    steps = epochs * math.ceil(len(x) / size)
    optim = torch.optim.Adam(net.parameters(), lr=1e-3)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optim, max_lr=5e-3, total_steps=steps)
    generator = torch.Generator().manual_seed(17)
    for epoch in range(epochs):
        net.train()
        running, count = 0.0, 0
        for xb, yb in batches(x, y, size, generator):
            loss = nn.functional.smooth_l1_loss(net(xb), yb)
            optim.zero_grad()
            loss.backward()
            optim.step()
            cycle.step()
            running, count = running + loss.item(), count + 1
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {running / count:.5f}")
    return net


def main():
    torch.manual_seed(17)
    x, y = simulate(2000, seed=6)
    x_train, x_test, y_train, y_test = x[:1500], x[1500:], y[:1500], y[1500:]
    to_x, _ = scaler(x_train)
    to_y, from_y = scaler(y_train)
    net = train(to_x(x_train), to_y(y_train))
    net.eval()
    with torch.no_grad():
        guess = from_y(net(to_x(x_test)))
    for name, value in zip(NAMES, r2_by_output(guess, y_test)):
        print(f"R2 {name:8s} {value.item():.4f}")


main()
