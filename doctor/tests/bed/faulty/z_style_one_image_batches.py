# expect: batchnorm_batch_of_one @ 35
# allowed: batchnorm_batch_of_one @ 20
# allowed: batchnorm_batch_of_one @ 40
# mend: 35 → loader = DataLoader(train, batch_size=8, shuffle=True)
"""A small restoration net, one picture at a time, with batch norm."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
base = torch.randn(60, 1, 6, 6)
sharp = nn.functional.interpolate(base, scale_factor=4, mode="bilinear", align_corners=False)
blurred = nn.functional.avg_pool2d(sharp, 3, stride=1, padding=1) + 0.05 * torch.randn_like(sharp)
train = TensorDataset(blurred[:48], sharp[:48])
held_out = TensorDataset(blurred[48:], sharp[48:])


def conv_block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU())


class Restore(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv_block(1, 12), conv_block(12, 12), nn.Conv2d(12, 1, 3, padding=1))

    def forward(self, x):
        return x + self.body(x)


net = Restore()
criterion = nn.L1Loss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
loader = DataLoader(train, batch_size=1, shuffle=True)

for epoch in range(3):
    net.train()
    for noisy, clean in loader:
        loss = criterion(net(noisy), clean)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        error = sum(criterion(net(a), b).item() for a, b in DataLoader(held_out, batch_size=4)) / 3
    print(f"epoch {epoch} held-out L1 {error:.4f}")
