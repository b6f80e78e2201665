# expect: nothing
"""Segmentation of drawn 'lesions': 8-bit pictures and 8-bit masks (as an annotation tool exports them), small U-shaped net."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


def draw(rng, size=24):
    """Return an 8-bit picture and an 8-bit mask with one ellipse, white where the lesion is."""
    yy, xx = np.mgrid[:size, :size]
    cy, cx = rng.uniform(7, size - 7, 2)
    ry, rx = rng.uniform(3, 6, 2)
    inside = ((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2 <= 1
    picture = rng.normal(90, 18, (size, size)) + inside * rng.uniform(45, 70) + yy * rng.uniform(-1, 1)
    return np.clip(picture, 0, 255).astype(np.uint8), (inside * 255).astype(np.uint8)


class Lesions(Dataset):
    def __init__(self, count, seed):
        rng = np.random.default_rng(seed)
        self.items = [draw(rng) for _ in range(count)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        picture, mask = self.items[i]
        picture = torch.from_numpy(picture).float().div(127.5).sub(1.0)
        mask = torch.from_numpy(mask).float().div(255.0)
        return picture.unsqueeze(0), mask.unsqueeze(0)


def block(cin, cout):
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(),
        nn.Conv2d(cout, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(),
    )


class SmallUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.middle, self.up = block(1, 8), block(8, 16), block(24, 8)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        fine = self.down(x)
        coarse = self.middle(F.max_pool2d(fine, 2))
        coarse = F.interpolate(coarse, scale_factor=2, mode="nearest")
        return self.out(self.up(torch.cat([fine, coarse], dim=1)))


@torch.no_grad()
def dice(model, loader):
    model.eval()
    overlap = total = 0.0
    for picture, mask in loader:
        guess, truth = model(picture) > 0, mask > 0
        overlap += 2 * (guess & truth).sum().item()
        total += guess.sum().item() + truth.sum().item()
    return overlap / total


def main(epochs=6):
    torch.manual_seed(2)
    train = DataLoader(Lesions(160, seed=10), batch_size=16, shuffle=True)
    test = DataLoader(Lesions(60, seed=20), batch_size=30)
    model = SmallUNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        model.train()
        losses = []
        for picture, mask in train:
            optimizer.zero_grad()
            loss = criterion(model(picture), mask)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")
    print(f"test dice {dice(model, test):.3f}")


if __name__ == "__main__":
    main()
