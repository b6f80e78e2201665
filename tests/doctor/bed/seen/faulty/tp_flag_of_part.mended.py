# expect: nothing
"""Letters on a noisy grid; a dataset is told its part and jitters the pixels of all but the validation part."""
import copy

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(17)
PIXELS, LABELS = load_digits(return_X_y=True)
ORDER = torch.randperm(len(LABELS), generator=torch.Generator().manual_seed(17)).tolist()
BOUNDS = {"fit": (0, 1100), "tune": (1100, 1400), "test": (1400, 1797)}


class Grid(Dataset):
    def __init__(self, part):
        self.part = part
        start, end = BOUNDS[part]
        self.x = torch.tensor(PIXELS[ORDER[start:end]] / 16, dtype=torch.float32)
        self.y = torch.tensor(LABELS[ORDER[start:end]])

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        row = self.x[i]
        if self.part == "fit":
            row = row + 0.3 * torch.randn(64)
        return row, self.y[i]


def share(net, loader):
    net.eval()
    with torch.no_grad():
        return sum((net(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


fit, tune, test = (DataLoader(Grid(p), batch_size=50, shuffle=p == "fit") for p in ("fit", "tune", "test"))
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
best, kept = 0.0, None
for epoch in range(6):
    net.train()
    for x, y in fit:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    tuned = share(net, tune)
    if tuned > best:
        best, kept = tuned, copy.deepcopy(net.state_dict())
net.load_state_dict(kept)
print(f"tuned {best:.3f} test {share(net, test):.3f}")
