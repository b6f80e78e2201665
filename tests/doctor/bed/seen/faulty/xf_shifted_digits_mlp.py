# expect: seed_reset_each_epoch @ 42
# allowed: seed_reset_each_epoch @ 68
"""Small MLP that should tolerate digits moved by a few pixels."""
from dataclasses import dataclass

import torch
from torch import nn
from sklearn.datasets import load_digits


@dataclass
class Settings:
    seed: int = 21
    n_train: int = 500
    canvas: int = 12
    hidden: int = 128
    epochs: int = 40
    batch: int = 50
    lr: float = 2e-3


def place(images, canvas, gen):
    """Put every 8x8 image at a random position of an empty canvas."""
    room = canvas - 8 + 1
    top = torch.randint(0, room, (len(images),), generator=gen)
    left = torch.randint(0, room, (len(images),), generator=gen)
    out = torch.zeros(len(images), canvas, canvas)
    for k, img in enumerate(images):
        out[k, top[k]:top[k] + 8, left[k]:left[k] + 8] = img
    return out.flatten(1)


class Feeder:
    def __init__(self, images, labels, s):
        self.images, self.labels, self.s = images, labels, s
        self.gen = torch.Generator().manual_seed(s.seed)

    def __len__(self):
        return -(-len(self.labels) // self.s.batch)

    def __iter__(self):
        gen = self.gen.manual_seed(self.s.seed)
        order = torch.randperm(len(self.labels), generator=gen)
        for idx in order.split(self.s.batch):
            yield place(self.images[idx], self.s.canvas, gen), self.labels[idx]


def main(s=Settings()):
    torch.manual_seed(s.seed)
    raw = load_digits()
    images = torch.tensor(raw.images / 16.0, dtype=torch.float32)
    labels = torch.tensor(raw.target)
    perm = torch.randperm(len(labels))
    tr, te = perm[:s.n_train], perm[s.n_train:]

    x_te = place(images[te], s.canvas, torch.Generator().manual_seed(s.seed + 1))
    y_te = labels[te]

    net = nn.Sequential(
        nn.Linear(s.canvas ** 2, s.hidden), nn.ReLU(),
        nn.Linear(s.hidden, s.hidden), nn.ReLU(),
        nn.Linear(s.hidden, 10),
    )
    opt = torch.optim.Adam(net.parameters(), lr=s.lr)
    feeder = Feeder(images[tr], labels[tr], s)
    for epoch in range(s.epochs):
        total = 0.0
        for xb, yb in feeder:
            loss = nn.functional.cross_entropy(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1:3d}  train loss {total / len(feeder):.4f}")

    net.eval()
    with torch.no_grad():
        hit = (net(x_te).argmax(1) == y_te).float().mean()
    print(f"accuracy on moved test digits: {hit:.3f}")


if __name__ == "__main__":
    main()
