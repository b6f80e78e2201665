# expect: nothing
"""Segments discs and bars on noisy pictures with a two-level U-Net, cross entropy plus Dice, and IoU for each class."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

SIDE, CLASSES = 24, 3


def scene(rng):
    yy, xx = np.mgrid[:SIDE, :SIDE]
    mask = np.zeros((SIDE, SIDE), np.int64)
    cx, cy = rng.integers(5, SIDE - 5, 2)
    mask[(xx - cx) ** 2 + (yy - cy) ** 2 <= rng.integers(3, 6) ** 2] = 1
    top, left = rng.integers(1, SIDE - 13), rng.integers(1, SIDE - 5)
    mask[top:top + 12, left:left + 4] = 2
    light = np.array([0.0, 0.8, 1.0])[mask] + 0.02 * xx * rng.uniform(-1, 1) + rng.normal(0, 0.2, mask.shape)
    return light.astype(np.float32), mask


class Scenes(Dataset):
    def __init__(self, n, seed, flips=False):
        rng = np.random.default_rng(seed)
        pictures, masks = zip(*(scene(rng) for _ in range(n)))
        self.x = torch.from_numpy(np.stack(pictures))[:, None]
        self.y = torch.from_numpy(np.stack(masks))
        self.flips = flips

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        x, y = self.x[i], self.y[i]
        if self.flips:
            for axis in (-1, -2):
                if torch.rand(()) < 0.5:
                    x, y = x.flip(axis), y.flip(axis)
        return x, y


def double(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True),
                         nn.Conv2d(cout, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class TinyUNet(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.down, self.bottom = double(1, width), double(width, 2 * width)
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.merge = double(2 * width, width)
        self.head = nn.Conv2d(width, CLASSES, 1)

    def forward(self, x):
        fine = self.down(x)
        coarse = self.bottom(F.max_pool2d(fine, 2))
        return self.head(self.merge(torch.cat([fine, self.up(coarse)], dim=1)))


def dice_loss(logits, mask, smooth=1.0):
    chance = logits.softmax(dim=1)
    wanted = F.one_hot(mask, CLASSES).permute(0, 3, 1, 2).float()
    overlap = (chance * wanted).sum(dim=(0, 2, 3))
    return 1 - ((2 * overlap + smooth) / (chance.sum(dim=(0, 2, 3)) + wanted.sum(dim=(0, 2, 3)) + smooth)).mean()


@torch.inference_mode()
def iou(model, loader):
    model.eval()
    both, either = torch.zeros(CLASSES), torch.zeros(CLASSES)
    for x, mask in loader:
        guess = model(x).argmax(dim=1)
        for c in range(CLASSES):
            both[c] += ((guess == c) & (mask == c)).sum()
            either[c] += ((guess == c) | (mask == c)).sum()
    return both / either


def main():
    torch.manual_seed(66)
    train = DataLoader(Scenes(240, seed=1, flips=True), batch_size=16, shuffle=True, drop_last=True)
    test = DataLoader(Scenes(80, seed=2), batch_size=40)
    mean, std = train.dataset.x.mean(), train.dataset.x.std()
    for part in (train.dataset, test.dataset):
        part.x = (part.x - mean) / std
    model = TinyUNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, epochs=6, steps_per_epoch=len(train))
    for epoch in range(6):
        model.train()
        total = 0.0
        for x, mask in train:
            logits = model(x)
            loss = F.cross_entropy(logits, mask) + dice_loss(logits, mask)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}  loss {total / len(train):.4f}")
    print("IoU  " + "  ".join(f"{n} {v:.3f}" for n, v in zip(("ground", "disc", "bar"), iou(model, test).tolist())))


if __name__ == "__main__":
    main()
