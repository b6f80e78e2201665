# expect: nothing
"""Image classes drawn by NumPy (disc, ring, cross, stripes): bfloat16 autocast, accumulated gradients and a one-cycle schedule."""
import math
from contextlib import nullcontext

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

NAMES = ["disc", "ring", "cross", "stripes"]


def picture(kind, rng, size=12):
    yy, xx = np.mgrid[:size, :size]
    cy, cx = rng.uniform(4.5, 6.5, 2)
    r = np.hypot(yy - cy, xx - cx)
    if kind == 0:
        img = r < rng.uniform(2.5, 4.5)
    elif kind == 1:
        img = np.abs(r - rng.uniform(3, 4.5)) < 0.9
    elif kind == 2:
        img = (np.abs(yy - cy) < 1) | (np.abs(xx - cx) < 1)
    else:
        img = (yy + rng.integers(0, 4)) % 4 < 2
    return img + rng.normal(0, 0.35, (size, size))


def dataset(n, rng):
    kinds = rng.integers(0, len(NAMES), n)
    images = np.stack([picture(k, rng) for k in kinds])[:, None]
    return torch.tensor((images - 0.35) / 0.6, dtype=torch.float32), torch.tensor(kinds)


def main(epochs=5, micro=20, accumulate=3, amp=True):
    torch.manual_seed(90)
    rng = np.random.default_rng(90)
    train = TensorDataset(*dataset(900, rng))
    test = TensorDataset(*dataset(300, rng))
    loader = DataLoader(train, batch_size=micro, shuffle=True)
    precision = (lambda: torch.autocast("cpu", dtype=torch.bfloat16)) if amp else nullcontext

    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 9, len(NAMES)),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2)
    updates = math.ceil(len(loader) / accumulate) * epochs
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=updates)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(epochs):
        model.train()
        total = 0.0
        optimizer.zero_grad()
        for i, (x, y) in enumerate(loader, start=1):
            with precision():
                logits = model(x)
            loss = criterion(logits.float(), y)
            (loss / accumulate).backward()
            total += loss.item()
            if i % accumulate == 0 or i == len(loader):
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
        print(f"epoch {epoch + 1} loss {total / len(loader):.4f} lr {scheduler.get_last_lr()[0]:.2e}")

    model.eval()
    hits = torch.zeros(len(NAMES))
    seen = torch.zeros(len(NAMES))
    with torch.inference_mode():
        for x, y in DataLoader(test, batch_size=100):
            right = model(x).argmax(dim=1) == y
            hits += torch.bincount(y[right], minlength=len(NAMES))
            seen += torch.bincount(y, minlength=len(NAMES))
    print("recall", {n: round(v, 3) for n, v in zip(NAMES, (hits / seen).tolist())})


if __name__ == "__main__":
    main()
