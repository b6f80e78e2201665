# missed: unshuffled_sorted @ 26
# mend: 26 →     train_loader = loader_of(x[~held], y[~held], shuffle=True)
"""Iris-like blobs told apart; loaders come from a helper that shuffles when asked to."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def blobs(each, generator):
    centres = torch.randn(4, 6, generator=generator) * 1.5
    x = torch.cat([c + torch.randn(each, 6, generator=generator) for c in centres])
    return x, torch.arange(4).repeat_interleave(each), centres


def loader_of(x, y, size=25, shuffle=False):
    data = TensorDataset(x, y)
    return DataLoader(data, batch_size=size, shuffle=shuffle)


def main():
    g = torch.Generator().manual_seed(8)
    torch.manual_seed(8)
    x, y, _ = blobs(250, g)
    held = torch.zeros(len(x), dtype=torch.bool)
    held[torch.arange(0, len(x), 5)] = True
    train_loader = loader_of(x[~held], y[~held])
    test_loader = loader_of(x[held], y[held], size=100)
    net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 4))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    for epoch in range(8):
        for xb, yb in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(xb), yb)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1} loss {loss.item():.3f}")
    with torch.no_grad():
        right = sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in test_loader)
    print(f"test accuracy {right / int(held.sum()):.3f}")


main()
