# expect: nothing
"""Spectra standardised one by one in worker processes; some sensors were unplugged."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Spectra(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(0, 3, (n,), generator=g)
        axis = torch.linspace(0, 1, 40)
        centre = 0.25 + 0.25 * self.labels[:, None]
        self.rows = torch.exp(-(((axis - centre) / 0.1) ** 2)) + 0.3 * torch.randn(n, 40, generator=g)
        self.rows[torch.rand(n, generator=g) < 0.02] = 0.5  # an unplugged sensor reads one value

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        row = self.rows[i]
        return (row - row.mean()) / row.std().clamp(min=1e-3), self.labels[i]


def accuracy(net, loader):
    net.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            right += (net(x).argmax(1) == y).sum().item()
            total += len(y)
    return right / total


def main():
    torch.manual_seed(0)
    train = DataLoader(Spectra(600, 1), batch_size=50, shuffle=True, num_workers=2, persistent_workers=True)
    test = DataLoader(Spectra(200, 2), batch_size=100)
    net = nn.Sequential(nn.Linear(40, 24), nn.ReLU(), nn.Linear(24, 3))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(4):
        net.train()
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
        print(f"epoch {epoch} loss {loss.item():.4f} test {accuracy(net, test):.3f}")


if __name__ == "__main__":
    main()
