# expect: detached_loss @ 53
"""Rotation curve of a galaxy: a net of raw tensors fitted to noisy speeds, with a smoothness term on the second derivative."""
import math

import torch

torch.manual_seed(3)
N, HIDDEN, STEPS, LR, LAMBDA = 240, 32, 600, 0.01, 1e-4


def true_speed(r):
    # rising core, flat tail, a mild bump from the disc (speeds in units of 200 km/s)
    return 1.1 * torch.tanh(r / 1.5) + 0.25 * torch.exp(-((r - 3.0) ** 2) / 1.2)


radius = 10 * torch.rand(N, 1)
speed = true_speed(radius) + 0.04 * torch.randn(N, 1)
train, test = torch.randperm(N).split([180, 60])
r_mean, r_std = radius[train].mean(), radius[train].std()
r_train, r_test = (radius[train] - r_mean) / r_std, (radius[test] - r_mean) / r_std
v_train, v_test = speed[train], speed[test]


def init(n_in, n_out):
    w = torch.randn(n_in, n_out) / math.sqrt(n_in)
    return w.requires_grad_(), torch.zeros(n_out, requires_grad=True)


w1, b1 = init(1, HIDDEN)
w2, b2 = init(HIDDEN, HIDDEN)
w3, b3 = init(HIDDEN, 1)
params = [w1, b1, w2, b2, w3, b3]


def net(r):
    h = torch.tanh(r @ w1 + b1)
    h = torch.tanh(h @ w2 + b2)
    return h @ w3 + b3


grid = torch.linspace(-1.7, 1.7, 80)[:, None]
dr = (grid[1] - grid[0]).item()


def curvature(v):
    return (v[2:] - 2 * v[1:-1] + v[:-2]) / dr**2


optimizer = torch.optim.Adam(params, lr=LR)
for step in range(STEPS):
    chi2 = (net(r_train) - v_train).pow(2).mean()
    rough = curvature(net(grid)).pow(2).mean()
    terms = torch.tensor([chi2, LAMBDA * rough], requires_grad=True)
    loss = terms.sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 150 == 0:
        print(f"step {step:4d}  chi2 {chi2.item():.4f}  roughness {rough.item():.4f}")

with torch.no_grad():
    rms = (net(r_test) - v_test).pow(2).mean().sqrt()
    flat = (v_test - v_train.mean()).pow(2).mean().sqrt()
print(f"rms on held-out radii {rms.item():.4f} (a flat curve: {flat.item():.4f})")
