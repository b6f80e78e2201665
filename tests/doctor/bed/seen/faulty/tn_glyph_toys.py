# expect: unshuffled_sorted @ 64
# allowed: unshuffled_sorted @ 17
"""Image toy: tell six drawn glyphs apart (bar, column, two diagonals, box, cross).

The pictures are drawn glyph by glyph, with jitter and noise, and a small CNN learns them.
"""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {
    "seed": 13,
    "train_per_glyph": 150,
    "test_per_glyph": 50,
    "loader": {"batch_size": 25, "drop_last": False},
    "shuffle_train": True,
    "epochs": 4,
    "lr": 0.05,
}
GLYPHS = ["bar", "column", "falling", "rising", "box", "cross"]


def draw(kind, rng):
    image = np.zeros((12, 12), dtype=np.float32)
    size = rng.integers(6, 9)
    top, left = rng.integers(0, 12 - size, size=2)
    middle = size // 2
    part = image[top:top + size, left:left + size]
    if kind == "bar":
        part[middle] = 1
    elif kind == "column":
        part[:, middle] = 1
    elif kind == "falling":
        np.fill_diagonal(part, 1)
    elif kind == "rising":
        np.fill_diagonal(part[::-1], 1)
    elif kind == "box":
        part[[0, -1]] = 1
        part[:, [0, -1]] = 1
    else:
        part[middle] = 1
        part[:, middle] = 1
    return image + 0.25 * rng.standard_normal((12, 12)).astype(np.float32)


def make_set(per_glyph, rng):
    images, labels = [], []
    for label, kind in enumerate(GLYPHS):
        for _ in range(per_glyph):
            images.append(draw(kind, rng))
            labels.append(label)
    return TensorDataset(torch.from_numpy(np.stack(images)).unsqueeze(1), torch.tensor(labels))


def make_loader(dataset, cfg, shuffle=False):
    return DataLoader(dataset, shuffle=shuffle, **cfg["loader"])


def main(cfg):
    torch.manual_seed(cfg["seed"])
    rng = np.random.default_rng(cfg["seed"])
    train_set, test_set = make_set(cfg["train_per_glyph"], rng), make_set(cfg["test_per_glyph"], rng)
    train_loader = make_loader(train_set, cfg, cfg.get("shuffle", False))
    test_loader = make_loader(test_set, cfg)

    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(2),
        nn.Flatten(), nn.Linear(24 * 4, len(GLYPHS)),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg["lr"], momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(cfg["epochs"]):
        model.train()
        total = 0.0
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        print(f"epoch {epoch + 1}: loss {total / len(train_set):.4f}")

    model.eval()
    hits = torch.zeros(len(GLYPHS))
    with torch.no_grad():
        for images, labels in test_loader:
            right = model(images).argmax(dim=1) == labels
            hits += torch.bincount(labels[right], minlength=len(GLYPHS))
    for name, h in zip(GLYPHS, hits.tolist()):
        print(f"  {name:8s} {h / cfg['test_per_glyph']:.2f}")
    print(f"test accuracy {hits.sum().item() / len(test_set):.3f}")


main(CONFIG)
