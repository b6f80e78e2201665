# expect: nothing
"""Classifies texture patches kept class after class, as read from folders."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(70)
CLASSES = ("stripes", "checks", "waves", "dots")


class TextureFolders(Dataset):
    """Walks the class folders one after the other."""

    def __init__(self, per_class, seed):
        g = torch.Generator().manual_seed(seed)
        self.items = []
        for label, name in enumerate(CLASSES):
            for _ in range(per_class):
                self.items.append((self.render(name, g), label))

    @staticmethod
    def render(name, g):
        i, j = torch.meshgrid(torch.arange(10.0), torch.arange(10.0), indexing="ij")
        p = torch.rand(1, generator=g).item() * 6.28
        img = {"stripes": torch.sin(i * 1.6 + p), "checks": torch.sin(i * 1.6 + p) * torch.sin(j * 1.6 + p),
               "waves": torch.sin((i + j) * 1.1 + p), "dots": (torch.cos(i * 2.1) + torch.cos(j * 2.1 + p)) / 1.4}[name]
        return (img + 0.5 * torch.randn(10, 10, generator=g)).unsqueeze(0)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, k):
        return self.items[k]


def make_loader(ds, train):
    if train:
        return DataLoader(ds, batch_size=25, num_workers=0, shuffle=True)
    return DataLoader(ds, batch_size=100)


def main():
    train_loader = make_loader(TextureFolders(200, 1), train=True)
    test_loader = make_loader(TextureFolders(75, 2), train=False)
    model = nn.Sequential(nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(90, 4))
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(8):
        model.train()
        total = 0.0
        for x, y in train_loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(train_loader):.3f}")
    model.eval()
    with torch.no_grad():
        hits = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader)
    print(f"test accuracy {hits / 300:.3f}")


if __name__ == "__main__":
    main()
