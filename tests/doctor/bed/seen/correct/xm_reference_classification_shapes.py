# expect: nothing
"""Classification reference script in miniature: warmup + cosine, label smoothing, EMA weights, metric logger."""
import argparse
from collections import defaultdict

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset


class SmoothedValue:
    total, count = 0.0, 0

    def update(self, value, n=1):
        self.total += value * n
        self.count += n

    @property
    def global_avg(self):
        return self.total / self.count


class MetricLogger:
    def __init__(self):
        self.meters = defaultdict(SmoothedValue)

    def __str__(self):
        return "  ".join(f"{name}: {meter.global_avg:.4f}" for name, meter in self.meters.items())


def make_shapes(n, generator):
    """16x16 images of a disc, a square, a cross or a ring, at random places and sizes."""
    yy, xx = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    target = torch.randint(0, 4, (n,), generator=generator)
    cx, cy = (torch.rand(2, n, 1, 1, generator=generator) * 6 + 5)
    r = torch.rand(n, 1, 1, generator=generator) * 2 + 2.5
    dx, dy = (xx - cx).abs(), (yy - cy).abs()
    dist = (dx ** 2 + dy ** 2).sqrt()
    kinds = torch.stack([
        dist < r,
        torch.maximum(dx, dy) < r * 0.9,
        (torch.minimum(dx, dy) < 1.0) & (torch.maximum(dx, dy) < r),
        (dist - r).abs() < 0.8,
    ])
    image = kinds[target, torch.arange(n)].float()
    image = image + 0.3 * torch.randn(n, 16, 16, generator=generator)
    return TensorDataset(image.unsqueeze(1), target)


def conv_bn(i, o, stride):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


def accuracy(output, target):
    return (output.argmax(1) == target).float().mean().item() * 100


def train_one_epoch(model, model_ema, criterion, optimizer, scheduler, data_loader, epoch, args):
    model.train()
    logger = MetricLogger()
    for image, target in data_loader:
        output = model(image)
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        scheduler.step()
        model_ema.update_parameters(model)
        logger.meters["loss"].update(loss.item(), image.size(0))
        logger.meters["acc1"].update(accuracy(output, target), image.size(0))
    print(f"Epoch: [{epoch}]  lr: {optimizer.param_groups[0]['lr']:.5f}  {logger}")


@torch.inference_mode()
def evaluate(model, criterion, data_loader, header):
    model.eval()
    logger = MetricLogger()
    for image, target in data_loader:
        output = model(image)
        logger.meters["loss"].update(criterion(output, target).item(), image.size(0))
        logger.meters["acc1"].update(accuracy(output, target), image.size(0))
    print(f"{header}: {logger}")


def main(args):
    torch.manual_seed(0)
    g = torch.Generator().manual_seed(0)
    loader = DataLoader(make_shapes(2048, g), batch_size=args.batch_size, shuffle=True, drop_last=True)
    loader_test = DataLoader(make_shapes(512, g), batch_size=256)

    model = nn.Sequential(
        conv_bn(1, 12, 1), conv_bn(12, 24, 2), conv_bn(24, 32, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4),
    )
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)

    norm = [p for n, p in model.named_parameters() if p.ndim == 1]
    other = [p for n, p in model.named_parameters() if p.ndim > 1]
    optimizer = torch.optim.SGD(
        [{"params": other, "weight_decay": args.weight_decay}, {"params": norm, "weight_decay": 0.0}],
        lr=args.lr, momentum=0.9, nesterov=True)
    warmup = args.warmup_epochs * len(loader)
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [
        torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=warmup),
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs * len(loader) - warmup),
    ], milestones=[warmup])
    model_ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(args.ema_decay), use_buffers=True)

    for epoch in range(args.epochs):
        train_one_epoch(model, model_ema, criterion, optimizer, scheduler, loader, epoch, args)
    evaluate(model, criterion, loader_test, "Test")
    evaluate(model_ema, criterion, loader_test, "Test EMA")


def get_args_parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", default=0.1, type=float)
    parser.add_argument("-b", "--batch-size", default=64, type=int)
    parser.add_argument("--epochs", default=6, type=int)
    parser.add_argument("--warmup-epochs", default=1, type=int)
    parser.add_argument("--wd", dest="weight_decay", default=1e-4, type=float)
    parser.add_argument("--ema-decay", default=0.95, type=float)
    return parser


if __name__ == "__main__":
    main(get_args_parser().parse_args())
