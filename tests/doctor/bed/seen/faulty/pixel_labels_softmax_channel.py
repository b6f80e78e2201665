# expect: softmax_before_cross_entropy @ 41
"""Segment bright squares out of noise with a conv net, class per pixel."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Squares(Dataset):
    def __init__(self, n, size=12):
        g = torch.Generator().manual_seed(0)
        self.x = 0.3 * torch.randn(n, 1, size, size, generator=g)
        self.y = torch.zeros(n, size, size, dtype=torch.long)
        for i in range(n):
            r, c = torch.randint(0, size - 5, (2,), generator=g).tolist()
            self.x[i, 0, r : r + 5, c : c + 5] += 1.0
            self.y[i, r : r + 5, c : c + 5] = 1

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


torch.manual_seed(0)
loader = DataLoader(Squares(160), batch_size=16, shuffle=True)
net = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(8, 8, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(8, 2, 1),
)
activation = nn.Softmax(dim=1)
criterion = nn.CrossEntropyLoss()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(3):
    total, hits = 0.0, 0
    for image, mask in loader:
        pred = activation(net(image))
        loss = criterion(pred, mask)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
        hits += (pred.argmax(1) == mask).sum().item()
    print(f"epoch {epoch} loss {total / len(loader):.4f} pixel accuracy {hits / 160 / 144:.3f}")
