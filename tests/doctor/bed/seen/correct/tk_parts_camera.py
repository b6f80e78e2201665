# expect: nothing
"""Which part lies under the camera: nothing, a ring, a bar or a cross? Small grey frames."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

KINDS = ("empty", "ring", "bar", "cross")


def draw(kind, rng, size=16):
    frame = np.zeros((size, size), dtype=np.uint8)
    if kind == "empty":
        return frame + np.uint8(rng.integers(0, 40))
    r, c = rng.integers(5, size - 5, 2)
    ink = rng.integers(120, 256)
    yy, xx = np.mgrid[:size, :size]
    if kind == "ring":
        dist = np.hypot(yy - r, xx - c)
        frame[(dist > 2) & (dist < 4)] = ink
    elif kind == "bar":
        frame[r - 1:r + 1, c - 4:c + 5] = ink
    else:
        frame[r, c - 3:c + 4] = ink
        frame[r - 3:r + 4, c] = ink
    return frame


class Frames(Dataset):
    """Every frame is brought to the same brightness and contrast."""

    def __init__(self, frames, labels):
        self.frames = frames
        self.labels = torch.as_tensor(labels)

    def __len__(self):
        return len(self.frames)

    def __getitem__(self, i):
        frame = torch.from_numpy(self.frames[i]).float() / 255
        frame = (frame - frame.mean()) / (frame.std() + 1e-3)
        return frame.unsqueeze(0), self.labels[i]


class Trainer:
    def __init__(self, model, lr=2e-3):
        self.model = model
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.loss_fn = nn.CrossEntropyLoss()

    def train_epoch(self, loader):
        self.model.train()
        total = 0.0
        for x, y in loader:
            self.opt.zero_grad()
            loss = self.loss_fn(self.model(x), y)
            loss.backward()
            self.opt.step()
            total += loss.item() * len(y)
        return total / len(loader.dataset)

    @torch.no_grad()
    def accuracy(self, loader):
        self.model.eval()
        hits = sum((self.model(x).argmax(1) == y).sum().item() for x, y in loader)
        return hits / len(loader.dataset)


def main():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(KINDS), 1000)
    frames = np.stack([draw(KINDS[k], rng) for k in labels])
    train = DataLoader(Frames(frames[:750], labels[:750]), batch_size=50, shuffle=True)
    test = DataLoader(Frames(frames[750:], labels[750:]), batch_size=250)

    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 16, 32), nn.ReLU(), nn.Linear(32, len(KINDS)))
    trainer = Trainer(model)
    for epoch in range(6):
        print(f"epoch {epoch + 1}: training loss {trainer.train_epoch(train):.4f}")
    print(f"test accuracy {trainer.accuracy(test):.3f}")


if __name__ == "__main__":
    main()
