# expect: nothing
"""Multi-task net on rendered ellipses: regress (width, height, angle) and classify small/large."""
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SIDE, N_TRAIN, N_TEST = 14, 640, 160


def render(w, h, angle):
    yy, xx = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    c, s = np.cos(angle), np.sin(angle)
    u, v = xx * c + yy * s, -xx * s + yy * c
    return 1.0 / (1.0 + np.exp(4 * ((u / w) ** 2 + (v / h) ** 2 - 1)))


def make_scene(n, rng):
    w = rng.uniform(3.0, 6.5, n)
    h = rng.uniform(1.2, 2.6, n)
    angle = rng.uniform(0, math.pi / 2, n)
    pics = np.stack([render(*p) for p in zip(w, h, angle)])
    pics += rng.normal(0, 0.1, pics.shape)
    params = np.column_stack([(w - 4.75) / 1.0, (h - 1.9) / 0.4, (angle - math.pi / 4) / 0.45])
    return pics.astype(np.float32)[:, None], params.astype(np.float32), (w * h > 9.0).astype(np.int64)


def shuffle_rows(arrays, rng):
    order = rng.permutation(len(arrays[0]))
    return [a[order] for a in arrays]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * 7 * 7, 32), nn.ReLU(),
        )
        self.geom = nn.Linear(32, 3)
        self.size = nn.Linear(32, 2)

    def forward(self, x):
        z = self.enc(x)
        return self.geom(z), self.size(z)


def epochs_of_batches(tensors, size, epochs, rng):
    for ep in range(epochs):
        mixed = [torch.from_numpy(a) for a in shuffle_rows(tensors, rng)]
        yield ep, list(zip(*(t.split(size) for t in mixed)))


def joint_loss(out, geom, size):
    return F.mse_loss(out[0], geom) + 0.5 * F.cross_entropy(out[1], size)


def report(net, pics, params, big):
    net.eval()
    with torch.no_grad():
        geom, logits = net(torch.from_numpy(pics))
    mae = (geom - torch.from_numpy(params)).abs().mean(dim=0)
    acc = (logits.argmax(1) == torch.from_numpy(big)).float().mean()
    print("test MAE (w, h, angle) in std units:", [round(v, 3) for v in mae.tolist()])
    print(f"test accuracy small/large: {acc:.3f}")


torch.manual_seed(17)
rng = np.random.default_rng(17)
train = make_scene(N_TRAIN, rng)
test = make_scene(N_TEST, rng)

net = Net()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-3)
for ep, batches in epochs_of_batches(train, 40, 10, rng):
    net.train()
    total = 0.0
    for pics, geom, size in batches:
        opt.zero_grad()
        loss = joint_loss(net(pics), geom, size)
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {ep}  loss {total / len(batches):.4f}")
report(net, *test)
