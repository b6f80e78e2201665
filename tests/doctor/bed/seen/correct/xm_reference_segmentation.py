# expect: nothing
# Segmentation in the manner of the torchvision references: shapes on a textured ground
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

NUM_CLASSES = 3  # ground, square, disc


class ShapesDataset(Dataset):
    def __init__(self, n, seed, train):
        g = torch.Generator().manual_seed(seed)
        S = 24
        yy, xx = torch.meshgrid(torch.arange(S), torch.arange(S), indexing="ij")
        self.items, self.train = [], train
        for _ in range(n):
            mask = torch.zeros(S, S, dtype=torch.long)
            for kind in (1, 2):
                cy, cx = torch.randint(5, S - 5, (2,), generator=g).tolist()
                r = int(torch.randint(3, 6, (1,), generator=g))
                if kind == 1:
                    mask[(abs(yy - cy) <= r) & (abs(xx - cx) <= r)] = 1
                else:
                    mask[(yy - cy) ** 2 + (xx - cx) ** 2 <= r * r] = 2
            tint = torch.tensor([[-0.5, -0.5], [0.8, 0.0], [0.0, 0.8]])
            img = tint[mask].permute(2, 0, 1) + 0.4 * torch.randn(2, S, S, generator=g)
            self.items.append((img, mask))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        img, mask = self.items[i]
        if self.train and random.random() < 0.5:
            img, mask = img.flip(-1), mask.flip(-1)
        return img, mask


class ConfusionMatrix:
    def __init__(self, n):
        self.n = n
        self.mat = torch.zeros(n, n, dtype=torch.long)

    def update(self, a, b):
        self.mat += torch.bincount(self.n * a + b, minlength=self.n ** 2).reshape(self.n, self.n)

    def compute(self):
        h = self.mat.double()
        acc_global = h.diag().sum() / h.sum()
        iou = h.diag() / (h.sum(1) + h.sum(0) - h.diag())
        return acc_global.item(), iou.tolist()


def conv_bn(cin, cout, stride=1):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, stride=stride, padding=1, bias=False),
                         nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class SmallFCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.low = conv_bn(2, 12)
        self.high = nn.Sequential(conv_bn(12, 24, stride=2), conv_bn(24, 24))
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.classifier = nn.Sequential(conv_bn(36, 16), nn.Conv2d(16, NUM_CLASSES, 1))

    def forward(self, x):
        low = self.low(x)
        return self.classifier(torch.cat([low, self.up(self.high(low))], dim=1))


def train_one_epoch(model, criterion, optimizer, loader, lr_scheduler, epoch):
    model.train()
    total = 0.0
    for image, target in loader:
        loss = criterion(model(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lr_scheduler.step()
        total += loss.item() * len(image)
    print(f"Epoch [{epoch}] loss {total / len(loader.dataset):.4f}")


def evaluate(model, loader):
    model.eval()
    confmat = ConfusionMatrix(NUM_CLASSES)
    with torch.inference_mode():
        for image, target in loader:
            confmat.update(target.flatten(), model(image).argmax(1).flatten())
    return confmat.compute()


def main():
    random.seed(0)
    torch.manual_seed(0)
    epochs = 6
    train_loader = DataLoader(ShapesDataset(200, 0, train=True), batch_size=16, shuffle=True)
    test_loader = DataLoader(ShapesDataset(60, 1, train=False), batch_size=30)
    model = SmallFCN()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    iters = epochs * len(train_loader)
    lr_scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=iters, power=0.9)
    for epoch in range(epochs):
        train_one_epoch(model, criterion, optimizer, train_loader, lr_scheduler, epoch)
    acc, iou = evaluate(model, test_loader)
    print(f"global correct: {acc:.4f}  IoU: {['%.3f' % v for v in iou]}  mean IoU: {sum(iou) / len(iou):.4f}")


if __name__ == "__main__":
    main()
