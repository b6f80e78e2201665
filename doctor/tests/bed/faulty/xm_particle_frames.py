# expect: nan_inputs @ 42
# allowed: nan_inputs @ 71
# mend: 42 →         img = (img - img.min()) / (img.max() - img.min()).clamp(min=1e-6)
"""Classify detector frames: track, blob or empty exposure."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader

SIZE = 16
CLASSES = ["track", "blob", "empty"]


def draw_frame(kind, rng):
    img = np.zeros((SIZE, SIZE), dtype=np.float32)
    if kind == 0:
        x0, slope = rng.uniform(3, 12), rng.uniform(-0.4, 0.4)
        for r in range(SIZE):
            c = int(np.clip(x0 + slope * (r - SIZE / 2), 0, SIZE - 1))
            img[r, c] = rng.uniform(0.5, 1.0)
    elif kind == 1:
        yy, xx = np.mgrid[:SIZE, :SIZE]
        cy, cx = rng.uniform(4, 11, size=2)
        img = np.exp(-((yy - cy) ** 2 + (xx - cx) ** 2) / 6.0).astype(np.float32)
    else:
        for _ in range(rng.integers(0, 4)):      # stray hits of the electronics
            img[rng.integers(SIZE), rng.integers(SIZE)] = rng.uniform(0.2, 1.0)
    return img * rng.uniform(50, 200)


class FrameDataset(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.labels = rng.permutation(np.arange(n) % 3)
        self.frames = [draw_frame(k, rng) for k in self.labels]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = torch.tensor(self.frames[i], dtype=torch.float32)
        img = (img - img.min()) / (img.max() - img.min())
        return img.unsqueeze(0), int(self.labels[i])


class FrameNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(16 * 4 * 4, len(CLASSES)))

    def forward(self, x):
        return self.body(x)


def main():
    torch.manual_seed(3)
    train_loader = DataLoader(FrameDataset(900, seed=1), batch_size=32, shuffle=True)
    test_loader = DataLoader(FrameDataset(300, seed=2), batch_size=100)
    model = FrameNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(8):
        model.train()
        running = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(y)
        print(f"epoch {epoch + 1}: train loss {running / len(train_loader.dataset):.4f}")

    model.eval()
    hits = 0
    with torch.no_grad():
        for x, y in test_loader:
            hits += (model(x).argmax(1) == y).sum().item()
    print(f"test accuracy {hits / len(test_loader.dataset):.3f}")


if __name__ == "__main__":
    main()
