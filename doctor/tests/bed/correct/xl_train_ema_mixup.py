# expect: nothing
"""Reference-style image classification: warmup + cosine, label smoothing, mixup, EMA weights, CPU autocast."""
import argparse
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", default=10, type=int)
    p.add_argument("--batch-size", default=64, type=int)
    p.add_argument("--lr", default=0.2, type=float)
    p.add_argument("--weight-decay", default=1e-4, type=float)
    p.add_argument("--warmup-epochs", default=2, type=int)
    p.add_argument("--smoothing", default=0.1, type=float)
    p.add_argument("--mixup", default=0.2, type=float)
    p.add_argument("--ema-decay", default=0.97, type=float)
    p.add_argument("--amp", action="store_true")
    p.add_argument("--seed", default=0, type=int)
    return p.parse_args([])


class AverageMeter:
    def __init__(self):
        self.sum = self.count = 0.0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / self.count


def conv_bn(i, o, stride=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


def create_model():
    return nn.Sequential(conv_bn(1, 16), conv_bn(16, 24, 2), conv_bn(24, 32, 2),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def create_loaders(args):
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 16.0
    y = torch.tensor(d.target)
    tr, va = train_test_split(range(len(y)), test_size=0.25, stratify=d.target, random_state=args.seed)
    mean, std = x[tr].mean(), x[tr].std()
    x = (x - mean) / std
    return (DataLoader(TensorDataset(x[tr], y[tr]), args.batch_size, shuffle=True, drop_last=True),
            DataLoader(TensorDataset(x[va], y[va]), 256))


def mixup_batch(x, y, alpha, num_classes=10):
    lam = torch.distributions.Beta(alpha, alpha).sample()
    perm = torch.randperm(len(x))
    target = F.one_hot(y, num_classes).float()
    return lam * x + (1 - lam) * x[perm], lam * target + (1 - lam) * target[perm]


def train_one_epoch(model, ema, loader, criterion, optimizer, scheduler, args):
    model.train()
    losses = AverageMeter()
    for x, y in loader:
        x, target = mixup_batch(x, y, args.mixup)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.amp):
            loss = criterion(model(x), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        scheduler.step()
        ema.update_parameters(model)
        losses.update(loss.item(), len(x))
    return losses.avg


@torch.inference_mode()
def validate(model, loader):
    model.eval()
    losses, top1 = AverageMeter(), AverageMeter()
    for x, y in loader:
        out = model(x)
        losses.update(F.cross_entropy(out, y).item(), len(y))
        top1.update((out.argmax(1) == y).float().mean().item(), len(y))
    return losses.avg, 100 * top1.avg


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    train_loader, val_loader = create_loaders(args)
    model = create_model()
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(args.ema_decay), use_buffers=True)
    criterion = nn.CrossEntropyLoss(label_smoothing=args.smoothing)

    decay = [p for p in model.parameters() if p.ndim > 1]
    no_decay = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD([{"params": decay, "weight_decay": args.weight_decay},
                                 {"params": no_decay, "weight_decay": 0.0}],
                                lr=args.lr, momentum=0.9, nesterov=True)
    warm, total = args.warmup_epochs * len(train_loader), args.epochs * len(train_loader)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: (s + 1) / warm if s < warm else 0.5 * (1 + math.cos(math.pi * (s - warm) / (total - warm))))

    for epoch in range(args.epochs):
        train_loss = train_one_epoch(model, ema, train_loader, criterion, optimizer, scheduler, args)
        loss, acc = validate(model, val_loader)
        _, ema_acc = validate(ema, val_loader)
        print(f"Epoch {epoch}: train {train_loss:.3f}  val {loss:.3f}  acc@1 {acc:.2f}  ema acc@1 {ema_acc:.2f}")


if __name__ == "__main__":
    main()
