# expect: nothing
""" Image classification: mixup, label smoothing, warmup + cosine schedule, weight EMA """
import copy
import math
from collections import OrderedDict

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    avg = property(lambda self: self.sum / max(self.count, 1))


class ModelEma(nn.Module):
    def __init__(self, model, decay):
        super().__init__()
        self.module = copy.deepcopy(model)
        self.module.eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for e, m in zip(self.module.state_dict().values(), model.state_dict().values()):
            if e.dtype.is_floating_point:
                e.copy_(self.decay * e + (1.0 - self.decay) * m)
            else:
                e.copy_(m)


class Mixup:
    def __init__(self, alpha, smoothing, num_classes):
        self.alpha, self.smoothing, self.num_classes = alpha, smoothing, num_classes

    def _one_hot(self, y):
        off = self.smoothing / self.num_classes
        out = torch.full((len(y), self.num_classes), off)
        return out.scatter_(1, y.view(-1, 1), 1.0 - self.smoothing + off)

    def __call__(self, x, y):
        lam = np.random.beta(self.alpha, self.alpha)
        x_mix = lam * x + (1 - lam) * x.flip(0)
        return x_mix, lam * self._one_hot(y) + (1 - lam) * self._one_hot(y.flip(0))


def create_model(num_classes=10, width=16):
    return nn.Sequential(OrderedDict(
        stem=nn.Sequential(nn.Conv2d(1, width, 3, padding=1, bias=False),
                           nn.BatchNorm2d(width), nn.SiLU()),
        stage=nn.Sequential(nn.Conv2d(width, width * 2, 3, stride=2, padding=1, bias=False),
                            nn.BatchNorm2d(width * 2), nn.SiLU()),
        flat=nn.Flatten(),
        fc=nn.Linear(width * 2 * 16, num_classes)))


def train_one_epoch(epoch, model, loader, optimizer, loss_fn, mixup_fn, model_ema):
    model.train()
    losses = AverageMeter()
    for images, target in loader:
        images, target = mixup_fn(images, target)
        loss = loss_fn(model(images), target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        model_ema.update(model)
        losses.update(loss.item(), images.size(0))
    print(f"Train: {epoch}  Loss: {losses.avg:.4f}  LR: {optimizer.param_groups[0]['lr']:.2e}")


@torch.no_grad()
def validate(model, loader, loss_fn):
    model.eval()
    losses, top1 = AverageMeter(), AverageMeter()
    for images, target in loader:
        output = model(images)
        losses.update(loss_fn(output, target).item(), images.size(0))
        top1.update((output.argmax(1) == target).float().mean().item(), images.size(0))
    return OrderedDict(loss=losses.avg, top1=100 * top1.avg)


def main(epochs=12, warmup=2, lr=4e-3, seed=42):
    torch.manual_seed(seed)
    np.random.seed(seed)
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32).reshape(-1, 1, 8, 8)
    X_dev, X_test, y_dev, y_test = train_test_split(X, y, test_size=0.2, stratify=y)
    X_tr, X_val, y_tr, y_val = train_test_split(X_dev, y_dev, test_size=0.2, stratify=y_dev)
    mean, std = X_tr.mean(), X_tr.std()
    sets = [TensorDataset(torch.from_numpy((a - mean) / std), torch.from_numpy(b))
            for a, b in ((X_tr, y_tr), (X_val, y_val), (X_test, y_test))]
    loader_train = DataLoader(sets[0], batch_size=64, shuffle=True, drop_last=True)
    loader_val, loader_test = (DataLoader(s, batch_size=256) for s in sets[1:])

    model = create_model()
    model_ema = ModelEma(model, decay=0.95)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.02)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda e: (e + 1) / (warmup + 1) if e < warmup
        else 0.5 * (1 + math.cos(math.pi * (e - warmup) / (epochs - warmup))))
    mixup_fn = Mixup(alpha=0.2, smoothing=0.1, num_classes=10)
    loss_fn = nn.CrossEntropyLoss()  # takes class indices and soft targets

    best, best_state = 0.0, None
    for epoch in range(epochs):
        train_one_epoch(epoch, model, loader_train, optimizer, loss_fn, mixup_fn, model_ema)
        metrics = validate(model_ema.module, loader_val, loss_fn)
        scheduler.step()
        if metrics["top1"] > best:
            best, best_state = metrics["top1"], copy.deepcopy(model_ema.module.state_dict())
    print(f"*** Best validation top1: {best:.2f}")
    model_ema.module.load_state_dict(best_state)
    print("Test:", {k: round(v, 4) for k, v in
                    validate(model_ema.module, loader_test, loss_fn).items()})


if __name__ == "__main__":
    main()
