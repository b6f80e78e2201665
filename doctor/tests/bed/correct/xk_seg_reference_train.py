# expect: nothing
"""Semantic segmentation, reference-script style: confusion matrix, poly schedule."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Scenes(Dataset):
    """Images with a box (class 1) and a disc (class 2) on background (class 0)."""

    def __init__(self, n, seed, train):
        g = torch.Generator().manual_seed(seed)
        yy, xx = torch.meshgrid(torch.arange(20), torch.arange(20), indexing="ij")
        self.images, self.masks, self.train = [], [], train
        for _ in range(n):
            by, bx, cy, cx = torch.randint(4, 16, (4,), generator=g).tolist()
            mask = torch.zeros(20, 20, dtype=torch.long)
            mask[((yy - by).abs() < 5) & ((xx - bx).abs() < 5)] = 1
            mask[(yy - cy) ** 2 + (xx - cx) ** 2 < 25] = 2
            img = torch.stack([(mask == 1).float(), (mask == 2).float(), (mask > 0).float()])
            self.images.append(img - 0.5 + 0.7 * torch.randn(3, 20, 20, generator=g))
            self.masks.append(mask)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        img, mask = self.images[i], self.masks[i]
        if self.train and torch.rand(()) < 0.5:
            img, mask = img.flip(-1), mask.flip(-1)
        return img, mask


class ConfusionMatrix:
    def __init__(self, num_classes):
        self.num_classes = num_classes
        self.mat = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    def update(self, a, b):
        inds = self.num_classes * a + b
        self.mat += torch.bincount(inds, minlength=self.num_classes ** 2).reshape(
            self.num_classes, self.num_classes)

    def compute(self):
        h = self.mat.float()
        acc_global = torch.diag(h).sum() / h.sum()
        iu = torch.diag(h) / (h.sum(1) + h.sum(0) - torch.diag(h))
        return acc_global, iu


class FCN(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1, stride=2, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.classifier = nn.Sequential(
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, num_classes, 1))

    def forward(self, x):
        y = self.classifier(self.backbone(x))
        return F.interpolate(y, size=x.shape[-2:], mode="bilinear", align_corners=False)


def evaluate(model, data_loader, num_classes):
    model.eval()
    confmat = ConfusionMatrix(num_classes)
    with torch.inference_mode():
        for image, target in data_loader:
            output = model(image)
            confmat.update(target.flatten(), output.argmax(1).flatten())
    return confmat


def train_one_epoch(model, criterion, optimizer, data_loader, lr_scheduler):
    model.train()
    total = 0.0
    for image, target in data_loader:
        loss = criterion(model(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lr_scheduler.step()
        total += loss.item() * len(image)
    return total / len(data_loader.dataset)


def main(epochs=6):
    torch.manual_seed(0)
    data_loader = DataLoader(Scenes(320, 1, True), batch_size=16, shuffle=True, drop_last=True)
    data_loader_test = DataLoader(Scenes(80, 2, False), batch_size=40)
    model = FCN(3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    iters = epochs * len(data_loader)
    lr_scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=iters, power=0.9)
    for epoch in range(epochs):
        loss = train_one_epoch(model, criterion, optimizer, data_loader, lr_scheduler)
        print(f"Epoch: {epoch} loss {loss:.4f}")
    acc, iu = evaluate(model, data_loader_test, 3).compute()
    print(f"global correct: {acc * 100:.1f}  IoU: {[f'{i * 100:.1f}' for i in iu.tolist()]}"
          f"  mean IoU: {iu.mean() * 100:.1f}")


if __name__ == "__main__":
    main()
