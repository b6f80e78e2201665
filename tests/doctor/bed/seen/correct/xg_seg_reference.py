# expect: nothing
"""Semantic segmentation in the manner of the reference scripts: 3 classes,
random flips for training, confusion matrix for the evaluation."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class ConfusionMatrix:
    def __init__(self, num_classes):
        self.n = num_classes
        self.mat = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    def update(self, a, b):
        k = (a >= 0) & (a < self.n)
        inds = self.n * a[k].to(torch.int64) + b[k]
        self.mat += torch.bincount(inds, minlength=self.n ** 2).reshape(self.n, self.n)

    def compute(self):
        h = self.mat.float()
        acc_global = torch.diag(h).sum() / h.sum()
        acc = torch.diag(h) / h.sum(1)
        iu = torch.diag(h) / (h.sum(1) + h.sum(0) - torch.diag(h))
        return acc_global.item(), acc, iu

    def __str__(self):
        g, acc, iu = self.compute()
        return ("global correct: {:.1f}\naverage row correct: {}\nIoU: {}\nmean IoU: {:.1f}").format(
            g * 100, [f"{i:.1f}" for i in (acc * 100).tolist()],
            [f"{i:.1f}" for i in (iu * 100).tolist()], iu.mean().item() * 100)


class RandomHorizontalFlip:
    def __init__(self, flip_prob):
        self.flip_prob = flip_prob

    def __call__(self, image, target):
        if torch.rand(()) < self.flip_prob:
            image, target = image.flip(-1), target.flip(-1)
        return image, target


class Scenes(Dataset):
    """Background, one box (1) and one disc (2) per picture."""

    def __init__(self, n, seed, transforms=None, size=24):
        g = torch.Generator().manual_seed(seed)
        self.transforms = transforms
        yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        self.samples = []
        for _ in range(n):
            c = torch.randint(5, size - 5, (4,), generator=g)
            r = torch.randint(4, 8, (2,), generator=g)
            t = torch.zeros(size, size, dtype=torch.int64)
            t[((yy - c[0]).abs() < r[0]) & ((xx - c[1]).abs() < r[0])] = 1
            t[(yy - c[2]) ** 2 + (xx - c[3]) ** 2 < r[1] ** 2] = 2
            colour = torch.tensor([[0.2, 0.2, 0.2], [0.6, 0.3, 0.3], [0.3, 0.6, 0.3]])
            img = colour[t].permute(2, 0, 1) + 0.2 * torch.randn(3, size, size, generator=g)
            self.samples.append((img, t))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        img, t = self.samples[i]
        if self.transforms is not None:
            img, t = self.transforms(img, t)
        return img, t


def conv_bn(i, o, stride=1, dilation=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, dilation, dilation, bias=False),
                         nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class FCN(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.backbone = nn.Sequential(conv_bn(3, 12), conv_bn(12, 24, stride=2),
                                      conv_bn(24, 24, dilation=2))
        self.classifier = nn.Sequential(conv_bn(24, 16), nn.Dropout(0.1),
                                        nn.Conv2d(16, num_classes, 1))

    def forward(self, x):
        out = self.classifier(self.backbone(x))
        return nn.functional.interpolate(out, size=x.shape[-2:], mode="bilinear",
                                         align_corners=False)


def evaluate(model, data_loader, num_classes):
    model.eval()
    confmat = ConfusionMatrix(num_classes)
    with torch.inference_mode():
        for image, target in data_loader:
            output = model(image)
            confmat.update(target.flatten(), output.argmax(1).flatten())
    return confmat


def train_one_epoch(model, criterion, optimizer, data_loader, lr_scheduler, epoch):
    model.train()
    total, n = 0.0, 0
    for image, target in data_loader:
        loss = criterion(model(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lr_scheduler.step()
        total += loss.item() * image.shape[0]
        n += image.shape[0]
    print(f"Epoch: [{epoch}] loss: {total / n:.4f} lr: {optimizer.param_groups[0]['lr']:.5f}")


def main(epochs=10, batch_size=16, lr=0.1):
    torch.manual_seed(0)
    train_loader = DataLoader(Scenes(240, 1, RandomHorizontalFlip(0.5)),
                              batch_size=batch_size, shuffle=True, drop_last=True)
    test_loader = DataLoader(Scenes(60, 2), batch_size=30)
    model = FCN(num_classes=3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    iters = len(train_loader)
    lr_scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=iters * epochs, power=0.9)
    for epoch in range(epochs):
        train_one_epoch(model, criterion, optimizer, train_loader, lr_scheduler, epoch)
    print(evaluate(model, test_loader, num_classes=3))


if __name__ == "__main__":
    main()
