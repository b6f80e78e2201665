# expect: nothing
"""Image classification in the shape of the torchvision / timm reference scripts (EMA, warmup, label smoothing)."""
import argparse
import copy

import torch
import torch.utils.data
from torch import nn


class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / self.count


class ShapesDataset(torch.utils.data.Dataset):
    """Noisy 12x12 pictures: 0 square, 1 cross, 2 diagonal."""

    def __init__(self, n, seed, train):
        g = torch.Generator().manual_seed(seed)
        self.train = train
        self.targets = torch.randint(0, 3, (n,), generator=g)
        self.images = 0.6 * torch.randn(n, 1, 12, 12, generator=g)
        offs = torch.randint(0, 5, (n, 2), generator=g)
        for img, t, (r, c) in zip(self.images, self.targets, offs.tolist()):
            patch = torch.zeros(8, 8)
            if t == 0:
                patch[[0, -1], :] = 1
                patch[:, [0, -1]] = 1
            elif t == 1:
                patch[3:5, :] = 1
                patch[:, 3:5] = 1
            else:
                patch += torch.eye(8) + torch.eye(8).flip(0)
            img[0, r:r + 8, c:c + 8] += patch

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, i):
        img = self.images[i]
        if self.train and torch.rand(1).item() < 0.5:
            img = img.flip(-1)
        return img, self.targets[i]


def make_model():
    def cbr(i, o):
        return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))
    return nn.Sequential(cbr(1, 12), nn.MaxPool2d(2), cbr(12, 24), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
                         nn.Linear(96, 3))


def accuracy(output, target, topk=(1,)):
    with torch.inference_mode():
        _, pred = output.topk(max(topk), dim=1)
        correct = pred.t().eq(target[None])
        return [correct[:k].flatten().sum().item() * 100.0 / target.size(0) for k in topk]


@torch.no_grad()
def update_ema(ema, model, decay):
    for e, p in zip(ema.state_dict().values(), model.state_dict().values()):
        if e.dtype.is_floating_point:
            e.mul_(decay).add_(p, alpha=1 - decay)
        else:
            e.copy_(p)


def train_one_epoch(model, ema, criterion, optimizer, scheduler, loader, epoch, args):
    model.train()
    losses, top1 = AverageMeter(), AverageMeter()
    for image, target in loader:
        output = model(image)
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.clip_grad_norm)
        optimizer.step()
        scheduler.step()
        update_ema(ema, model, args.ema_decay)
        losses.update(loss.item(), image.size(0))
        top1.update(accuracy(output, target)[0], image.size(0))
    print(f"Epoch: [{epoch}] loss {losses.avg:.4f} acc1 {top1.avg:.2f} lr {scheduler.get_last_lr()[0]:.4f}")


def evaluate(model, criterion, loader, header):
    model.eval()
    losses, top1 = AverageMeter(), AverageMeter()
    with torch.inference_mode():
        for image, target in loader:
            output = model(image)
            losses.update(criterion(output, target).item(), image.size(0))
            top1.update(accuracy(output, target)[0], image.size(0))
    print(f"{header} loss {losses.avg:.4f} acc1 {top1.avg:.2f}")


def main(args):
    torch.manual_seed(args.seed)
    train_loader = torch.utils.data.DataLoader(ShapesDataset(1500, 100, True), args.batch_size, shuffle=True,
                                               drop_last=True)
    val_loader = torch.utils.data.DataLoader(ShapesDataset(600, 200, False), 200)
    model = make_model()
    ema = copy.deepcopy(model)
    criterion = nn.CrossEntropyLoss(label_smoothing=args.label_smoothing)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4, nesterov=True)
    iters = args.epochs * len(train_loader)
    warmup = len(train_loader)
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=warmup),
         torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=iters - warmup)],
        milestones=[warmup])
    for epoch in range(args.epochs):
        train_one_epoch(model, ema, criterion, optimizer, scheduler, train_loader, epoch, args)
    evaluate(model, criterion, val_loader, "Test:")
    evaluate(ema, criterion, val_loader, "Test EMA:")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--batch-size", default=50, type=int)
    p.add_argument("--epochs", default=6, type=int)
    p.add_argument("--lr", default=0.05, type=float)
    p.add_argument("--label-smoothing", default=0.1, type=float)
    p.add_argument("--clip-grad-norm", default=2.0, type=float)
    p.add_argument("--ema-decay", default=0.95, type=float)
    p.add_argument("--seed", default=0, type=int)
    main(p.parse_args())
