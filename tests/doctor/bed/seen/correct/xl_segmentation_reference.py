# expect: nothing
"""Segmentation reference (small): encoder/decoder with auxiliary head, poly schedule."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

CLASSES = ["background", "ring", "bar"]


class SyntheticScenes(Dataset):
    def __init__(self, n, seed, transforms=None, size=24):
        g = torch.Generator().manual_seed(seed)
        self.transforms = transforms
        self.images, self.masks, ax = [], [], torch.arange(size).float()
        for _ in range(n):
            image = 0.4 * torch.randn(1, size, size, generator=g)
            mask = torch.zeros(size, size, dtype=torch.long)
            cy, cx = (7 + 10 * torch.rand(2, generator=g)).tolist()
            d = ((ax[:, None] - cy) ** 2 + (ax[None] - cx) ** 2).sqrt()
            ring = (d > 2.5) & (d < 6.5)
            row = int(torch.randint(0, size - 5, (1,), generator=g))
            bar = torch.zeros(size, size, dtype=torch.bool)
            bar[row:row + 5] = True
            image[0, ring] += 1.2
            mask[ring] = 1
            image[0, bar] -= 0.9
            mask[bar] = 2
            self.images.append(image)
            self.masks.append(mask)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image, mask = self.images[i], self.masks[i]
        return self.transforms(image, mask) if self.transforms else (image, mask)


def random_hflip(image, mask):
    return (image.flip(-1), mask.flip(-1)) if torch.rand(()) < 0.5 else (image, mask)


class ConfusionMatrix:
    def __init__(self, num_classes):
        self.n = num_classes
        self.mat = torch.zeros((num_classes, num_classes), dtype=torch.int64)

    def update(self, a, b):
        inds = self.n * a + b
        self.mat += torch.bincount(inds, minlength=self.n ** 2).reshape(self.n, self.n)

    def __str__(self):
        h = self.mat.float()
        iu = torch.diag(h) / (h.sum(1) + h.sum(0) - torch.diag(h))
        return (f"global correct: {(torch.diag(h).sum() / h.sum()).item() * 100:.1f}\n"
                f"IoU: {[f'{i:.1f}' for i in (iu * 100).tolist()]}\n"
                f"mean IoU: {iu.mean().item() * 100:.1f}")


class FCN(nn.Module):
    def __init__(self, num_classes, w=16):
        super().__init__()
        conv = lambda i, o, s=1: nn.Sequential(nn.Conv2d(i, o, 3, s, 1, bias=False),
                                               nn.BatchNorm2d(o), nn.ReLU())
        self.layer1, self.layer2, self.layer3 = conv(1, w), conv(w, 2 * w, 2), conv(2 * w, 2 * w)
        self.fuse = conv(3 * w, w)
        self.classifier = nn.Conv2d(w, num_classes, 1)
        self.aux_classifier = nn.Conv2d(2 * w, num_classes, 1)

    def forward(self, x):
        size = x.shape[-2:]
        a = self.layer1(x)
        b = self.layer2(a)
        c = F.interpolate(self.layer3(b), size=size, mode="bilinear", align_corners=False)
        out = self.classifier(self.fuse(torch.cat([a, c], 1)))
        aux = F.interpolate(self.aux_classifier(b), size=size, mode="bilinear")
        return {"out": out, "aux": aux}


def criterion(inputs, target):
    losses = {name: F.cross_entropy(x, target, ignore_index=255) for name, x in inputs.items()}
    return losses["out"] + 0.5 * losses["aux"]


def evaluate(model, data_loader, num_classes):
    model.eval()
    confmat = ConfusionMatrix(num_classes)
    with torch.inference_mode():
        for image, target in data_loader:
            output = model(image)["out"]
            confmat.update(target.flatten(), output.argmax(1).flatten())
    return confmat


def train_one_epoch(model, optimizer, data_loader, lr_scheduler, epoch):
    model.train()
    total = 0.0
    for image, target in data_loader:
        loss = criterion(model(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lr_scheduler.step()
        total += loss.item()
    print(f"Epoch: [{epoch}] loss: {total / len(data_loader):.4f} "
          f"lr: {optimizer.param_groups[0]['lr']:.5f}")


def main(epochs=6, lr=0.1):
    torch.manual_seed(0)
    dataset = SyntheticScenes(160, seed=1, transforms=random_hflip)
    dataset_test = SyntheticScenes(60, seed=2)
    data_loader = DataLoader(dataset, batch_size=8, shuffle=True, drop_last=True)
    data_loader_test = DataLoader(dataset_test, batch_size=20)

    model = FCN(len(CLASSES))
    params = [{"params": [p for n, p in model.named_parameters() if not n.startswith("aux")]},
              {"params": model.aux_classifier.parameters(), "lr": lr * 2}]
    optimizer = torch.optim.SGD(params, lr=lr, momentum=0.9, weight_decay=1e-4)
    iters = len(data_loader) * epochs
    lr_scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=iters, power=0.9)

    for epoch in range(epochs):
        train_one_epoch(model, optimizer, data_loader, lr_scheduler, epoch)
    print(evaluate(model, data_loader_test, num_classes=len(CLASSES)))


if __name__ == "__main__":
    main()
