# expect: batchnorm_batch_of_one @ 35
# allowed: batchnorm_batch_of_one @ 30
# allowed: batchnorm_batch_of_one @ 40
# allowed: batchnorm_batch_of_one @ 42
"""Orientation classifier for striped patches with batch-normalised convolutions."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Stripes(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.label = torch.randint(0, 3, (n,), generator=g)
        phase = torch.rand(n, generator=g) * 6.28
        bright = torch.randn(n, generator=g)
        yy, xx = torch.meshgrid(torch.arange(10.), torch.arange(10.), indexing="ij")
        waves = torch.stack([yy, xx, (xx + yy) * 0.7])
        self.img = torch.sin(1.3 * waves[self.label] + phase[:, None, None]) + bright[:, None, None]
        self.img = (self.img + 0.4 * torch.randn(n, 10, 10, generator=g))[:, None]

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return self.img[i], self.label[i]


def conv(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


torch.manual_seed(0)
net = nn.Sequential(conv(1, 8), nn.MaxPool2d(2), conv(8, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3))
loader = DataLoader(Stripes(300, 0), batch_size=1, shuffle=True)
test = DataLoader(Stripes(150, 1), batch_size=50)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(4):
    net.train()
    for img, lab in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(img), lab)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = sum((net(a).argmax(1) == b).sum().item() for a, b in test) / 150
    print(f"epoch {epoch} acc {acc:.3f}")
