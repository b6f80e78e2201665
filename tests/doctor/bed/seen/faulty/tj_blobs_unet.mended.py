# expect: nothing
"""Segmentation of bright cells on noisy 16x16 images with a two-level U-Net; SGD with momentum."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def cells(n, rng, size=16):
    yy, xx = np.mgrid[:size, :size]
    images, masks = [], []
    for _ in range(n):
        mask = np.zeros((size, size), dtype=bool)
        for _ in range(rng.integers(1, 4)):
            r, c = rng.uniform(2, size - 2, 2)
            a, b = rng.uniform(1.5, 3.5, 2)
            mask |= ((yy - r) / a) ** 2 + ((xx - c) / b) ** 2 < 1
        images.append(0.8 * mask + 0.4 * rng.standard_normal((size, size)))
        masks.append(mask)
    to = lambda a: torch.tensor(np.stack(a), dtype=torch.float32).unsqueeze(1)
    return to(images), to(masks)


def block(c_in, c_out):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU())


class TinyUNet(nn.Module):
    def __init__(self, c=8):
        super().__init__()
        self.down, self.deep, self.up = block(1, c), block(c, 2 * c), block(3 * c, c)
        self.out = nn.Conv2d(c, 1, 1)

    def forward(self, x):
        skip = self.down(x)
        deep = self.deep(F.max_pool2d(skip, 2))
        deep = F.interpolate(deep, scale_factor=2, mode="nearest")
        return self.out(self.up(torch.cat([skip, deep], dim=1)))


def make_sgd(model, lr, momentum, weight_decay):
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay)


def iou(model, images, masks):
    model.eval()
    with torch.no_grad():
        found = model(images) > 0
    truth = masks > 0.5
    return ((found & truth).sum() / (found | truth).sum()).item()


def fit(model, opt, loader, epochs):
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for images, masks in loader:
            loss = F.binary_cross_entropy_with_logits(model(images), masks)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            total += loss.item() * len(images)
        if epoch % 2 == 0:
            print(f"epoch {epoch}: loss {total / len(loader.dataset):.4f}")


def main():
    torch.manual_seed(13)
    rng = np.random.default_rng(13)
    x_train, m_train = cells(400, rng)
    x_test, m_test = cells(150, rng)
    loader = DataLoader(TensorDataset(x_train, m_train), batch_size=20, shuffle=True)

    model = TinyUNet()
    opt = make_sgd(model, 0.1, 0.9, 5e-4)
    fit(model, opt, loader, epochs=6)
    print(f"share of cell pixels in the test masks: {m_test.mean().item():.3f}")
    print(f"test IoU {iou(model, x_test, m_test):.3f}")


if __name__ == "__main__":
    main()
