# expect: nothing
"""Segment small bright lesions in noisy images with a small conv net (three tissue classes)."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def scans(n, size=24, seed=0):
    g = torch.Generator().manual_seed(seed)
    mask = torch.zeros(n, size, size, dtype=torch.long)
    for i in range(n):
        for label in (1, 2):
            r, c = torch.randint(1, size - 3, (2,), generator=g).tolist()
            mask[i, r:r + 2, c:c + 2] = label
    level = torch.tensor([0.0, 0.9, -0.9])[mask]
    img = level + 0.55 * torch.randn(n, size, size, generator=g)
    return img.unsqueeze(1), mask


class SegNet(nn.Module):
    def __init__(self, ch=8):
        super().__init__()
        self.enc = nn.Conv2d(1, ch, 3, padding=1)
        self.mid = nn.Conv2d(ch, ch, 3, padding=1)
        self.cls = nn.Conv2d(ch, 3, 1)

    def forward(self, x):
        x = F.relu(self.enc(x))
        return self.cls(F.relu(self.mid(x)))


class Criterion:
    def __init__(self, masks):
        freq = torch.bincount(masks.flatten(), minlength=3).float() / masks.numel()
        self.weight = 1.0 / (3 * freq)

    def __call__(self, logits, mask):
        return F.cross_entropy(logits, mask, weight=self.weight)


def class_recalls(net, img, mask):
    net.eval()
    with torch.no_grad():
        pred = net(img).argmax(1)
    return [(pred[mask == k] == k).float().mean().item() for k in range(3)]


torch.manual_seed(0)
x, m = scans(160)
x_te, m_te = scans(40, seed=1)
net = SegNet()
criterion = Criterion(m)
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(6):
    net.train()
    for idx in torch.randperm(len(x)).split(16):
        opt.zero_grad()
        loss = criterion(net(x[idx]), m[idx])
        loss.backward()
        opt.step()
    if epoch % 2 == 1:
        rec = class_recalls(net, x_te, m_te)
        print(f"epoch {epoch} loss {loss.item():.3f} recall per class {[round(r, 3) for r in rec]} "
              f"mean {sum(rec) / 3:.3f}")
