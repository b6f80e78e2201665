# expect: bad_label_values @ 27
# allowed: bad_label_values @ 39
"""Masks read like from PNG files: 0 and 255 where 0 and 1 are meant."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Discs(Dataset):
    """Noisy images of one disc each, with a mask of bytes."""

    def __init__(self, n=96, size=16):
        rng = np.random.default_rng(0)
        yy, xx = np.mgrid[:size, :size]
        cy, cx = rng.uniform(4, size - 4, (2, n, 1, 1))
        inside = (yy - cy) ** 2 + (xx - cx) ** 2 < 14
        self.images = (inside * 0.8 + 0.2 * rng.standard_normal((n, size, size))).astype("float32")
        self.masks = (inside * 255).astype("uint8")

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = torch.from_numpy(self.images[i]).unsqueeze(0)
        mask = torch.from_numpy(self.masks[i]).float().unsqueeze(0)
        return image, mask


torch.manual_seed(0)
loader = DataLoader(Discs(), batch_size=16, shuffle=True)
unet = nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(unet.parameters(), lr=5e-3)
for epoch in range(4):
    for images, masks in loader:
        optimizer.zero_grad()
        loss = criterion(unet(images), masks)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.3f}")
