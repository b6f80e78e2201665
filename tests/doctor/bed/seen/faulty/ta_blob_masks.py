# expect: bad_label_values @ 33
"""Segmentation of bright cells on a noisy microscope background with a two-level U-Net."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

SIZE = 24


def draw(rng):
    """One greyscale image and its mask as they would lie on disk: uint8, background 0, cell 255."""
    yy, xx = np.mgrid[:SIZE, :SIZE]
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for _ in range(rng.integers(1, 4)):
        cy, cx, ry, rx = rng.uniform(4, 20), rng.uniform(4, 20), rng.uniform(3, 6), rng.uniform(3, 6)
        mask[((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2 < 1] = 255
    image = 90 + 25 * rng.normal(size=mask.shape) + 60 * (mask > 0)
    return np.clip(image, 0, 255).astype(np.uint8), mask


class CellDataset(Dataset):
    def __init__(self, pairs, flip=False):
        self.pairs = pairs
        self.flip = flip

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image, mask = self.pairs[index]
        image = torch.from_numpy(image).float().unsqueeze(0) / 255
        mask = torch.from_numpy(mask).float().unsqueeze(0)
        if self.flip and torch.rand(()) < 0.5:
            image, mask = image.flip(-1), mask.flip(-1)
        return (image - 0.4) / 0.15, mask


def block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class MiniUNet(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.enc1, self.enc2 = block(1, width), block(width, 2 * width)
        self.bottom = block(2 * width, 2 * width)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.dec = block(3 * width, width)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        e1 = self.enc1(x)
        e2 = self.bottom(self.enc2(nn.functional.max_pool2d(e1, 2)))
        return self.out(self.dec(torch.cat([self.up(e2), e1], dim=1)))


def dice(logits, mask):
    found = (logits > 0).float()
    overlap = (found * (mask > 0)).sum()
    return (2 * overlap / (found.sum() + (mask > 0).sum()).clamp(min=1)).item()


def main():
    torch.manual_seed(4)
    rng = np.random.default_rng(4)
    pairs = [draw(rng) for _ in range(240)]
    train_loader = DataLoader(CellDataset(pairs[:192], flip=True), batch_size=16, shuffle=True)
    val_loader = DataLoader(CellDataset(pairs[192:]), batch_size=48)
    model = MiniUNet()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(6):
        model.train()
        total = 0.0
        for image, mask in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(image), mask)
            loss.backward()
            optimizer.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            scores = [dice(model(image), mask) for image, mask in val_loader]
        print(f"epoch {epoch + 1}: loss {total / len(train_loader):.4f}, dice {np.mean(scores):.3f}")


if __name__ == "__main__":
    main()
