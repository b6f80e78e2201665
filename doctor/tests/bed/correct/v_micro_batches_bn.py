# expect: nothing
"""Conv net on brightness patches, trained in micro-batches with gradient accumulation."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

ACCUM = 2


class Patches(Dataset):
    """12x12 noise patches; the class is the brightness step, a random ramp disturbs it."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, 4, (n,), generator=g)
        ramp = torch.linspace(-0.5, 0.5, 12)
        level = (self.y.float() - 1.5) * 0.6
        slope = torch.randn(n, generator=g)
        self.x = level.view(-1, 1, 1, 1) + slope.view(-1, 1, 1, 1) * ramp + 0.5 * torch.randn(n, 1, 12, 12, generator=g)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def conv_bn(c_in, c_out):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, bias=False), nn.BatchNorm2d(c_out), nn.ReLU())


def build():
    return nn.Sequential(conv_bn(1, 8), nn.MaxPool2d(2), conv_bn(8, 16), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 4))


def make_loader(dataset, train):
    micro = 16 if train else 100
    return DataLoader(dataset, batch_size=micro, shuffle=train)


torch.manual_seed(0)
net = build()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
train_loader = make_loader(Patches(320, 1), True)
test_loader = make_loader(Patches(200, 2), False)
for epoch in range(6):
    net.train()
    total = 0.0
    optimizer.zero_grad()
    for i, (x, y) in enumerate(train_loader, 1):
        loss = nn.functional.cross_entropy(net(x), y)
        (loss / ACCUM).backward()
        total += loss.item()
        if i % ACCUM == 0:
            optimizer.step()
            optimizer.zero_grad()
    net.eval()
    with torch.no_grad():
        hits = sum((net(x).argmax(1) == y).sum().item() for x, y in test_loader)
    print(f"epoch {epoch} loss {total / len(train_loader):.4f} test acc {hits / 200:.3f}")
