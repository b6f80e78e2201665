# expect: nothing
""" Training script for small texture patches, after the shape of the timm one (mixup, EMA, cosine) """
import argparse
import math
from copy import deepcopy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--warmup-epochs", type=int, default=1)
parser.add_argument("-b", "--batch-size", type=int, default=50)
parser.add_argument("--lr", type=float, default=5e-3)
parser.add_argument("--weight-decay", type=float, default=0.02)
parser.add_argument("--mixup", type=float, default=0.1)
parser.add_argument("--smoothing", type=float, default=0.05)
parser.add_argument("--model-ema-decay", type=float, default=0.95)
parser.add_argument("--seed", type=int, default=42)


class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(1, self.count)


class ModelEma(nn.Module):
    def __init__(self, model, decay):
        super().__init__()
        self.module = deepcopy(model)
        self.module.eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for ema_v, model_v in zip(self.module.state_dict().values(), model.state_dict().values()):
            if ema_v.is_floating_point():
                ema_v.lerp_(model_v, 1.0 - self.decay)
            else:
                ema_v.copy_(model_v)


def create_dataset(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 4)
    u, v = np.meshgrid(np.arange(12), np.arange(12), indexing="ij")
    waves = [u, v, u + v, u - v]
    x = np.stack([np.sin(waves[c] * rng.uniform(0.9, 1.5) + rng.uniform(0, 6.28)) for c in y])
    x = x + rng.normal(0, 1.6, x.shape)
    return TensorDataset(torch.tensor(x[:, None], dtype=torch.float32), torch.tensor(y))


def create_model(num_classes=4):
    def block(i, o, stride=1):
        return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.SiLU())
    return nn.Sequential(block(1, 12), block(12, 24, 2), block(24, 32),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, num_classes))


def train_one_epoch(epoch, model, loader, optimizer, loss_fn, args, scheduler, model_ema):
    model.train()
    losses = AverageMeter()
    for input, target in loader:
        lam = float(np.random.beta(args.mixup, args.mixup))
        onehot = F.one_hot(target, 4).float()
        input = lam * input + (1 - lam) * input.flip(0)
        soft = lam * onehot + (1 - lam) * onehot.flip(0)
        loss = loss_fn(model(input), soft)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        model_ema.update(model)
        losses.update(loss.item(), input.size(0))
    return losses.avg


def validate(model, loader):
    model.eval()
    top1, losses = AverageMeter(), AverageMeter()
    with torch.no_grad():
        for input, target in loader:
            output = model(input)
            losses.update(F.cross_entropy(output, target).item(), target.size(0))
            top1.update((output.argmax(1) == target).float().mean().item() * 100, target.size(0))
    return top1.avg, losses.avg


def main():
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    loader_train = DataLoader(create_dataset(1200, 0), batch_size=args.batch_size, shuffle=True, drop_last=True)
    loader_eval = DataLoader(create_dataset(400, 1), batch_size=100)
    model = create_model()
    model_ema = ModelEma(model, args.model_ema_decay)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    warmup, total = args.warmup_epochs * len(loader_train), args.epochs * len(loader_train)

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=args.smoothing)
    for epoch in range(args.epochs):
        train_loss = train_one_epoch(epoch, model, loader_train, optimizer, loss_fn, args, scheduler, model_ema)
        acc, loss = validate(model, loader_eval)
        ema_acc, _ = validate(model_ema.module, loader_eval)
        print(f"Train: {epoch} loss {train_loss:.3f}  Test: loss {loss:.3f} acc@1 {acc:.2f} (EMA {ema_acc:.2f})")


if __name__ == "__main__":
    main()
