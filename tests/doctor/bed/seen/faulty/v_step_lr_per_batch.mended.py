# expect: nothing
"""Segmentation of bright rectangles with a tiny conv net and a step schedule."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Rectangles(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.x = torch.randn(n, 1, 16, 16, generator=g) * 0.6
        self.y = torch.zeros(n, 16, 16)
        for i in range(n):
            r, c = torch.randint(0, 10, (2,), generator=g).tolist()
            h, w = torch.randint(3, 7, (2,), generator=g).tolist()
            self.y[i, r:r + h, c:c + w] = 1.0
        self.x[:, 0] += self.y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class SegNet(nn.Module):
    def __init__(self, w=8):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(1, w, 3, padding=1), nn.BatchNorm2d(w), nn.ReLU())
        self.b = nn.Sequential(nn.Conv2d(w, w, 5, padding=2), nn.BatchNorm2d(w), nn.ReLU())
        self.c = nn.Conv2d(w, 1, 1)

    def forward(self, x):
        return self.c(self.b(self.a(x))).squeeze(1)


def iou(model, loader):
    model.eval()
    inter = union = 0.0
    with torch.no_grad():
        for x, y in loader:
            p = (model(x) > 0).float()
            inter += (p * y).sum().item()
            union += ((p + y) > 0).float().sum().item()
    return inter / union


def main():
    torch.manual_seed(44)
    train = DataLoader(Rectangles(320, 0), batch_size=32, shuffle=True)
    val = DataLoader(Rectangles(100, 1), batch_size=50)
    model = SegNet()
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(opt, step_size=4, gamma=0.2)  # drop every 4 epochs
    crit = nn.BCEWithLogitsLoss()
    for epoch in range(10):
        model.train()
        total = 0.0
        for x, y in train:
            opt.zero_grad()
            loss = crit(model(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        scheduler.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {total / len(train):.4f} lr {scheduler.get_last_lr()[0]:.2e}")
    print(f"val iou {iou(model, val):.3f}")


if __name__ == "__main__":
    main()
