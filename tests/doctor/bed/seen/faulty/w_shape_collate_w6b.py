# expect: augment_on_test @ 50
"""Draws squares, rings, crosses and stripes, and teaches a small conv net to tell them apart; noise comes in collating."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, default_collate, random_split

SIZE, KINDS = 16, 4


def draw(kind, rng):
    picture = np.zeros((SIZE, SIZE), np.float32)
    half = int(rng.integers(3, 6))
    cx, cy = (int(v) for v in rng.integers(half, SIZE - half, 2))
    yy, xx = np.mgrid[:SIZE, :SIZE]
    box = (abs(xx - cx) <= half) & (abs(yy - cy) <= half)
    if kind == 0:
        picture[box] = 1
    elif kind == 1:
        radius = np.hypot(xx - cx, yy - cy)
        picture[(radius <= half) & (radius >= half - 1.5)] = 1
    elif kind == 2:
        picture[box & ((xx == cx) | (yy == cy))] = 1
    else:
        picture[box & ((xx - cx) % 2 == 0)] = 1
    return picture * float(rng.uniform(0.6, 1.0))


def album(n, seed):
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, KINDS, n)
    return [(torch.from_numpy(draw(k, rng))[None], int(k)) for k in kinds]


def roughen(batch):
    """Turns, speckles and hides part of the pictures while they are put together."""
    x, y = default_collate(batch)
    x = torch.rot90(x, int(torch.randint(0, 4, (1,))), dims=(2, 3))
    x = x + 0.4 * torch.rand(len(x), 1, 1, 1) * torch.randn_like(x)
    corner = torch.randint(0, SIZE - 5, (len(x), 2))
    for picture, (top, left) in zip(x[::2], corner.tolist()):
        picture[:, top:top + 6, left:left + 6] = 0.0
    return x, y


def loaders(pictures, batch=32):
    train, test = random_split(pictures, [0.7, 0.3], generator=torch.Generator().manual_seed(5))

    def loader(rows, learning):
        return DataLoader(rows, batch_size=batch, shuffle=learning, collate_fn=roughen)

    return loader(train, True), loader(test, False)


def network():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(24 * 16, 32), nn.ReLU(), nn.Linear(32, KINDS),
    )


def run(epochs=10):
    torch.manual_seed(5)
    train, test = loaders(album(900, seed=51))
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for x, y in train:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch + 1:2d}  loss {total / len(train):.4f}")
    net.eval()
    right = count = 0
    with torch.inference_mode():
        for x, y in test:
            right += (net(x).argmax(1) == y).sum().item()
            count += len(y)
    print(f"test accuracy {right / count:.3f}")


run()
