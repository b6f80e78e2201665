# expect: nothing
"""Tiny centre-point detector: predict a heatmap of object centres, focal style head."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

PRIOR = 0.05
GRID = 16


def make_scenes(n, seed):
    g = torch.Generator().manual_seed(seed)
    imgs = 0.15 * torch.randn(n, 1, GRID, GRID, generator=g)
    heat = torch.zeros(n, 1, GRID, GRID)
    for i in range(n):
        for _ in range(int(torch.randint(1, 4, (1,), generator=g))):
            r, c = torch.randint(2, GRID - 2, (2,), generator=g).tolist()
            imgs[i, 0, r - 1:r + 2, c] += 1.0          # a plus sign
            imgs[i, 0, r, c - 1:c + 2] += 1.0
            heat[i, 0, r, c] = 1.0
        for _ in range(3):                             # clutter: short bars
            r, c = torch.randint(2, GRID - 2, (2,), generator=g).tolist()
            imgs[i, 0, r, c - 1:c + 2] += 1.0
    return imgs, heat


class CenterHead(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.c1 = nn.Conv2d(1, width, 3, padding=1)
        self.c2 = nn.Conv2d(width, width, 3, padding=1)
        self.c3 = nn.Conv2d(width, width, 3, padding=1)
        self.cls = nn.Conv2d(width, 1, 1)
        self.reset_parameters()

    def reset_parameters(self):
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.normal_(m.weight, std=math.sqrt(2.0 / (m.in_channels * m.kernel_size[0] ** 2)))
                nn.init.zeros_(m.bias)
        nn.init.constant_(self.cls.bias, -math.log((1 - PRIOR) / PRIOR))

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.relu(self.c2(x))
        x = F.relu(self.c3(x))
        return self.cls(x)


def focal_loss(logits, target, gamma=2.0, alpha=0.75):
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p = torch.sigmoid(logits)
    p_t = p * target + (1 - p) * (1 - target)
    a_t = alpha * target + (1 - alpha) * (1 - target)
    return (a_t * (1 - p_t) ** gamma * ce).sum(dim=(1, 2, 3)).mean()


def main():
    torch.manual_seed(0)
    train_dl = DataLoader(TensorDataset(*make_scenes(600, 0)), batch_size=20, shuffle=True)
    test_dl = DataLoader(TensorDataset(*make_scenes(150, 1)), batch_size=75)
    net = CenterHead()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)

    for epoch in range(8):
        net.train()
        tot = 0.0
        for x, h in train_dl:
            opt.zero_grad()
            loss = focal_loss(net(x), h)
            loss.backward()
            opt.step()
            tot += loss.item() * len(x)
        print(f"epoch {epoch} focal loss {tot / len(train_dl.dataset):.4f}")

    net.eval()
    tp = fp = fn = 0
    with torch.no_grad():
        for x, h in test_dl:
            found = torch.sigmoid(net(x)) > 0.5
            tp += (found & (h > 0)).sum().item()
            fp += (found & (h == 0)).sum().item()
            fn += (~found & (h > 0)).sum().item()
    print(f"centres: precision {tp / max(tp + fp, 1):.3f} recall {tp / max(tp + fn, 1):.3f}")


if __name__ == "__main__":
    main()
