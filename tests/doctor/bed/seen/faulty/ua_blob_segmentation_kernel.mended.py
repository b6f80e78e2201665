# expect: nothing
# Kaggle kernel: tiny U-Net for cell masks
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader

SEED = 2024
np.random.seed(SEED)
torch.manual_seed(SEED)
SIZE, N_TRAIN, N_VALID, EPOCHS = 32, 160, 48, 5


def draw_sample(rng):
    """One grey picture with a few bright cells, and its mask as a png would hold it."""
    yy, xx = np.mgrid[:SIZE, :SIZE]
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for _ in range(rng.integers(1, 4)):
        cx, cy, r = rng.uniform(5, 27), rng.uniform(5, 27), rng.uniform(3, 6)
        mask[(xx - cx) ** 2 + (yy - cy) ** 2 < r ** 2] = 255
    img = 80 + 70 * (mask > 0) + rng.normal(0, 30, mask.shape)
    return img.clip(0, 255).astype(np.uint8), mask


rng = np.random.default_rng(SEED)
samples = [draw_sample(rng) for _ in range(N_TRAIN + N_VALID)]


def to_tensor(array):
    return torch.from_numpy(array).float().unsqueeze(0)


class CellDataset(Dataset):
    def __init__(self, samples, flip):
        self.samples = samples
        self.flip = flip

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        img, mask = self.samples[i]
        img = (to_tensor(img) / 255.0 - 0.4) / 0.2
        mask = to_tensor(mask) / 255.0
        if self.flip and torch.rand(1).item() < 0.5:
            img, mask = img.flip(-1), mask.flip(-1)
        return img, mask


train_dl = DataLoader(CellDataset(samples[:N_TRAIN], True), batch_size=16, shuffle=True)
valid_dl = DataLoader(CellDataset(samples[N_TRAIN:], False), batch_size=48)


def block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1, bias=False),
                         nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class TinyUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = block(1, 8), block(8, 16)
        self.up = block(24, 8)
        self.last = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        b = F.interpolate(b, scale_factor=2, mode="nearest")
        return self.last(self.up(torch.cat([a, b], dim=1)))


model = TinyUNet()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)


def dice(logits, masks, eps=1e-6):
    pred = logits > 0
    true = masks > 0.5
    inter = (pred & true).sum().item()
    return (2 * inter + eps) / (pred.sum().item() + true.sum().item() + eps)


for epoch in range(EPOCHS):
    model.train()
    tr_loss = 0.0
    for img, mask in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(img), mask)
        loss.backward()
        optimizer.step()
        tr_loss += loss.item() * len(img)

    model.eval()
    va_loss, va_dice = 0.0, []
    with torch.no_grad():
        for img, mask in valid_dl:
            out = model(img)
            va_loss += criterion(out, mask).item() * len(img)
            va_dice.append(dice(out, mask))
    print(f"ep {epoch + 1}/{EPOCHS} train {tr_loss / N_TRAIN:.4f} "
          f"valid {va_loss / N_VALID:.4f} dice {np.mean(va_dice):.4f}")
