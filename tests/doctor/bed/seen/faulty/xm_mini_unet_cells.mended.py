# expect: nothing
"""Segment round cells in noisy microscope-like patches with a mini U-Net."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def make_patches(n, size=24, seed=0):
    g = torch.Generator().manual_seed(seed)
    yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    masks = torch.zeros(n, size, size)
    for _ in range(3):
        c = torch.rand(n, 2, generator=g) * (size - 6) + 3
        r = torch.rand(n, generator=g) * 2.5 + 2.5
        d2 = (yy - c[:, 0, None, None]) ** 2 + (xx - c[:, 1, None, None]) ** 2
        masks = torch.maximum(masks, (d2 < r[:, None, None] ** 2).float())
    images = masks - 0.3 + 0.5 * torch.randn(n, size, size, generator=g)
    return images.unsqueeze(1), masks.unsqueeze(1)


def block(cin, cout):
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True),
        nn.Conv2d(cout, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class MiniUNet(nn.Module):
    def __init__(self, base=8):
        super().__init__()
        self.enc1 = block(1, base)
        self.enc2 = block(base, base * 2)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.dec1 = block(base * 2, base)
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        e1 = self.enc1(x)
        e2 = self.enc2(self.pool(e1))
        d1 = self.dec1(torch.cat([self.up(e2), e1], dim=1))
        return self.head(d1)


@torch.no_grad()
def dice_score(model, loader):
    model.eval()
    inter, total = 0.0, 0.0
    for x, m in loader:
        pred = (model(x) > 0).float()
        inter += (pred * m).sum().item()
        total += pred.sum().item() + m.sum().item()
    return 2 * inter / max(total, 1.0)


if __name__ == "__main__":
    torch.manual_seed(7)
    train_dl = DataLoader(TensorDataset(*make_patches(240, seed=0)), batch_size=16, shuffle=True)
    test_dl = DataLoader(TensorDataset(*make_patches(80, seed=1)), batch_size=40)

    model = MiniUNet()
    loss_fn = nn.BCEWithLogitsLoss()
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    for epoch in range(10):
        model.train()
        history = []
        for x, m in train_dl:
            opt.zero_grad()
            loss = loss_fn(model(x), m)
            loss.backward()
            opt.step()
            history.append(loss.item())
        print(f"[{epoch + 1:02d}] loss {sum(history) / len(history):.4f}")
    print(f"test dice {dice_score(model, test_dl):.4f}")
