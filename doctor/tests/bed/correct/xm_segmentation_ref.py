# expect: nothing
"""Semantic segmentation of synthetic shapes, in the manner of a reference training script."""
from collections import defaultdict, deque

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class MetricLogger:
    def __init__(self, window_size=20):
        self.meters = defaultdict(lambda: deque(maxlen=window_size))

    def update(self, **kwargs):
        for k, v in kwargs.items():
            self.meters[k].append(v)

    def log_every(self, iterable, print_freq, header):
        for i, obj in enumerate(iterable):
            yield obj
            if i % print_freq == 0:
                body = "  ".join(f"{k}: {sum(m) / len(m):.4f}" for k, m in self.meters.items())
                print(f"{header} [{i}/{len(iterable)}]  {body}")


class ConfusionMatrix:
    def __init__(self, num_classes):
        self.num_classes = num_classes
        self.mat = torch.zeros((num_classes, num_classes), dtype=torch.int64)

    def update(self, a, b):
        """a: true labels, b: predicted labels (both flat)"""
        n = self.num_classes
        k = (a >= 0) & (a < n)
        inds = n * a[k].to(torch.int64) + b[k]
        self.mat += torch.bincount(inds, minlength=n ** 2).reshape(n, n)

    def compute(self):
        h = self.mat.float()
        acc_global = torch.diag(h).sum() / h.sum()
        acc = torch.diag(h) / h.sum(1)
        iu = torch.diag(h) / (h.sum(1) + h.sum(0) - torch.diag(h))
        return acc_global, acc, iu


class Shapes(Dataset):
    """Background (0), a square (1) and a disc (2) on a noisy 20x20 canvas."""

    size = 20

    def __init__(self, n, seed, train):
        self.train = train
        g = torch.Generator().manual_seed(seed)
        ii, jj = torch.meshgrid(torch.arange(self.size), torch.arange(self.size), indexing="ij")
        self.images, self.masks = [], []
        for _ in range(n):
            mask = torch.zeros(self.size, self.size, dtype=torch.long)
            r, c = torch.randint(0, 12, (2,), generator=g).tolist()
            mask[r:r + 8, c:c + 8] = 1
            r, c = torch.randint(5, 15, (2,), generator=g).tolist()
            mask[(ii - r) ** 2 + (jj - c) ** 2 <= 20] = 2
            image = 0.9 * (mask - 1).float() + 0.35 * torch.randn(self.size, self.size, generator=g)
            self.images.append(image.unsqueeze(0))
            self.masks.append(mask)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, idx):
        image, mask = self.images[idx], self.masks[idx]
        if self.train and torch.rand(1).item() < 0.5:
            image, mask = image.flip(-1), mask.flip(-1)
        return image, mask


def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


class FCN(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.down, self.mid = block(1, 12), block(12, 24)
        self.classifier = nn.Sequential(block(36, 16), nn.Conv2d(16, num_classes, 1))

    def forward(self, x):
        a = self.down(x)
        b = self.mid(nn.functional.max_pool2d(a, 2))
        b = nn.functional.interpolate(b, scale_factor=2, mode="bilinear", align_corners=False)
        return self.classifier(torch.cat([a, b], dim=1))


def train_one_epoch(model, criterion, optimizer, data_loader, lr_scheduler, epoch, print_freq):
    model.train()
    metric_logger = MetricLogger()
    for image, target in metric_logger.log_every(data_loader, print_freq, f"Epoch: [{epoch}]"):
        output = model(image)
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lr_scheduler.step()
        metric_logger.update(loss=loss.item(), lr=optimizer.param_groups[0]["lr"])


def evaluate(model, data_loader, num_classes):
    model.eval()
    confmat = ConfusionMatrix(num_classes)
    with torch.inference_mode():
        for image, target in data_loader:
            confmat.update(target.flatten(), model(image).argmax(1).flatten())
    return confmat.compute()


def main(epochs=4, batch_size=16, num_classes=3):
    torch.manual_seed(0)
    loader = DataLoader(Shapes(320, seed=1, train=True), batch_size=batch_size, shuffle=True, drop_last=True)
    loader_test = DataLoader(Shapes(96, seed=2, train=False), batch_size=32)
    model = FCN(num_classes)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    iters = len(loader) * epochs
    lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda x: (1 - x / iters) ** 0.9)
    for epoch in range(epochs):
        train_one_epoch(model, criterion, optimizer, loader, lr_scheduler, epoch, print_freq=10)
    acc_global, acc, iu = evaluate(model, loader_test, num_classes)
    print(f"global correct: {acc_global.item() * 100:.1f}")
    print("average row correct:", [f"{v:.1f}" for v in (acc * 100).tolist()])
    print("IoU:", [f"{v:.1f}" for v in (iu * 100).tolist()], f"mean IoU: {iu.mean().item() * 100:.1f}")


if __name__ == "__main__":
    main()
