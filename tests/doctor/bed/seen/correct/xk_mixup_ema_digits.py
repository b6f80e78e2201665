# expect: nothing
"""Image training with mixup, label smoothing, warmup + cosine and a weight EMA."""
import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class AverageMeter:
    def __init__(self):
        self.sum = self.count = 0.0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / self.count


class ModelEma(nn.Module):
    def __init__(self, model, decay=0.98):
        super().__init__()
        self.module = copy.deepcopy(model)
        self.module.eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for e, m in zip(self.module.state_dict().values(), model.state_dict().values()):
            if e.dtype.is_floating_point:
                e.mul_(self.decay).add_(m, alpha=1 - self.decay)
            else:
                e.copy_(m)


def mixup(x, target, alpha, smoothing, num_classes=10):
    lam = torch.distributions.Beta(alpha, alpha).sample().item()
    off = smoothing / num_classes
    y = F.one_hot(target, num_classes).float() * (1 - smoothing) + off
    perm = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[perm], lam * y + (1 - lam) * y[perm]


class ConvBnAct(nn.Sequential):
    def __init__(self, i, o, stride=1):
        super().__init__(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.SiLU())


def create_model():
    return nn.Sequential(ConvBnAct(1, 16), ConvBnAct(16, 32, 2), ConvBnAct(32, 32),
                         nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 10))


def param_groups(model, weight_decay):
    decay = [p for p in model.parameters() if p.ndim > 1]
    no_decay = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": decay, "weight_decay": weight_decay},
            {"params": no_decay, "weight_decay": 0.0}]


def validate(model, x, y):
    model.eval()
    with torch.no_grad():
        out = model(x)
        return F.cross_entropy(out, y).item(), (out.argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(42)
    epochs, warmup, base_lr, batch = 14, 2, 5e-3, 64
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    y = torch.tensor(digits.target)
    xt, xv, yt, yv = train_test_split(x, y, test_size=0.25, stratify=y, random_state=42)
    mean, std = xt.mean(), xt.std()
    xt, xv = (xt - mean) / std, (xv - mean) / std

    model = create_model()
    ema = ModelEma(model)
    optimizer = torch.optim.AdamW(param_groups(model, 0.02), lr=base_lr)
    steps = math.ceil(len(xt) / batch)

    def schedule(it):
        if it < warmup * steps:
            return (it + 1) / (warmup * steps)
        p = (it - warmup * steps) / ((epochs - warmup) * steps)
        return 0.5 * (1 + math.cos(math.pi * p))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
    for epoch in range(epochs):
        model.train()
        losses = AverageMeter()
        for idx in torch.randperm(len(xt)).split(batch):
            xb, tb = mixup(xt[idx], yt[idx], alpha=0.2, smoothing=0.1)
            loss = F.cross_entropy(model(xb), tb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ema.update(model)
            scheduler.step()
            losses.update(loss.item(), len(idx))
        print(f"Train: {epoch:2d} Loss: {losses.avg:.4f} LR: {scheduler.get_last_lr()[0]:.2e}")
    for name, m in (("model", model), ("ema", ema.module)):
        loss, top1 = validate(m, xv, yv)
        print(f"{name:6s} Loss: {loss:.4f} Acc@1: {100 * top1:.2f}")


if __name__ == "__main__":
    main()
