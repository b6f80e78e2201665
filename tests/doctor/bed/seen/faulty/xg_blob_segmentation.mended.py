# expect: nothing
# Foreground masks for noisy ellipses with a tiny U-Net
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset


def make_ellipses(n, size=24, seed=0):
    r = np.random.RandomState(seed)
    yy, xx = np.mgrid[:size, :size]
    imgs, masks = [], []
    for _ in range(n):
        m = np.zeros((size, size), bool)
        for _ in range(r.randint(2, 5)):
            cy, cx = r.uniform(4, size - 4, 2)
            a, b = r.uniform(3, 7, 2)
            m |= ((yy - cy) / a) ** 2 + ((xx - cx) / b) ** 2 < 1
        img = 0.3 * m + 0.3 + r.normal(0, 0.5, m.shape)
        imgs.append(img)
        masks.append(m)
    x = torch.tensor(np.stack(imgs), dtype=torch.float32)[:, None]
    t = torch.tensor(np.stack(masks), dtype=torch.float32)[:, None]
    return x, t


def double_conv(cin, cout):
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, padding=1, bias=False),
        nn.BatchNorm2d(cout),
        nn.ReLU(inplace=True),
        nn.Conv2d(cout, cout, 3, padding=1, bias=False),
        nn.BatchNorm2d(cout),
        nn.ReLU(inplace=True),
    )


class TinyUNet(nn.Module):
    def __init__(self, base=8):
        super().__init__()
        self.enc1 = double_conv(1, base)
        self.enc2 = double_conv(base, base * 2)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.dec = double_conv(base * 2, base)
        self.outc = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        e1 = self.enc1(x)
        e2 = self.enc2(self.pool(e1))
        d = self.up(e2)
        d = self.dec(torch.cat([d, e1], dim=1))
        return torch.sigmoid(self.outc(d))


def dice_score(p, t, eps=1e-6):
    inter = (p * t).sum(dim=(1, 2, 3))
    return (2 * inter + eps) / (p.sum((1, 2, 3)) + t.sum((1, 2, 3)) + eps)


def evaluate(net, loader):
    net.eval()
    scores = []
    with torch.no_grad():
        for x, t in loader:
            pred = (net(x) > 0.5).float()
            scores.append(dice_score(pred, t))
    return torch.cat(scores).mean().item()


def main(epochs=8, batch_size=16, lr=3e-3):
    torch.manual_seed(0)
    train_loader = DataLoader(TensorDataset(*make_ellipses(240, seed=1)),
                              batch_size=batch_size, shuffle=True)
    test_loader = DataLoader(TensorDataset(*make_ellipses(80, seed=2)),
                             batch_size=40)
    net = TinyUNet()
    criterion = nn.BCELoss()
    optimizer = optim.Adam(net.parameters(), lr=lr)

    for epoch in range(epochs):
        net.train()
        total = 0.0
        for x, t in train_loader:
            optimizer.zero_grad()
            loss = criterion(net(x), t)
            loss.backward()
            optimizer.step()
            total += loss.item() * x.size(0)
        print(f"[{epoch + 1}/{epochs}] loss {total / len(train_loader.dataset):.4f}")

    print(f"test dice {evaluate(net, test_loader):.4f}")


if __name__ == "__main__":
    main()
