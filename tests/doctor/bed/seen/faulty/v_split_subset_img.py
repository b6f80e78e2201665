# expect: sorted_split @ 33
# allowed: sorted_split @ 47
"""Defect images built class by class, small conv net, train/validation Subsets from a helper."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(11)


def build_images(per_class=200, size=12):
    """Four kinds of surface texture: horizontal, vertical, diagonal, spots."""
    xs, ys = [], []
    grid = torch.arange(size).float()
    for k in range(4):
        phase = torch.rand(per_class, 1, 1) * 6.28
        if k == 0:
            base = torch.sin(grid.view(1, size, 1) * 1.5 + phase).expand(-1, size, size)
        elif k == 1:
            base = torch.sin(grid.view(1, 1, size) * 1.5 + phase).expand(-1, size, size)
        elif k == 2:
            base = torch.sin((grid.view(1, size, 1) + grid.view(1, 1, size)) * 1.2 + phase)
        else:
            base = 2 * (torch.rand(per_class, size, size) > 0.8).float()
        xs.append((base + 0.5 * torch.randn(per_class, size, size)).unsqueeze(1))
        ys.append(torch.full((per_class,), k))
    return TensorDataset(torch.cat(xs), torch.cat(ys))


def split_dataset(ds, val_frac=0.25):
    n_val = int(len(ds) * val_frac)
    return Subset(ds, range(n_val, len(ds))), Subset(ds, range(n_val))


class TextureNet(nn.Module):
    def __init__(self, n_classes=4):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.fc = nn.Linear(64, n_classes)

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


train_set, val_set = split_dataset(build_images())
train_loader = DataLoader(train_set, batch_size=40, shuffle=True)
val_loader = DataLoader(val_set, batch_size=100)
net = TextureNet()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)


def run(loader, training):
    net.train(training)
    total, hits = 0.0, 0
    with torch.set_grad_enabled(training):
        for x, y in loader:
            out = net(x)
            loss = F.cross_entropy(out, y)
            if training:
                opt.zero_grad()
                loss.backward()
                opt.step()
            total += loss.item() * len(y)
            hits += (out.argmax(1) == y).sum().item()
    return total / len(loader.dataset), hits / len(loader.dataset)


for ep in range(6):
    a, b = run(train_loader, True), run(val_loader, False)
    print(f"ep {ep} train {a[0]:.3f}/{a[1]:.3f} val {b[0]:.3f}/{b[1]:.3f}")
