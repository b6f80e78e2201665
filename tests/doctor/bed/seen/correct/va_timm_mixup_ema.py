# expect: nothing
""" timm-like training: mixup with soft targets, EMA weights, warm-up + cosine per update, split param groups. """
import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class TrainCfg:
    epochs: int = 10
    batch_size: int = 64
    lr: float = 4e-3
    warmup_epochs: float = 1.0
    min_lr_ratio: float = 0.02
    weight_decay: float = 0.05
    mixup_alpha: float = 0.2
    ema_decay: float = 0.97
    seed: int = 42


def soft_target_cross_entropy(x, target):
    return torch.sum(-target * F.log_softmax(x, dim=-1), dim=-1).mean()


class Mixup:
    def __init__(self, alpha, smoothing, num_classes, rng):
        self.alpha, self.smoothing, self.num_classes, self.rng = alpha, smoothing, num_classes, rng

    def one_hot(self, y):
        return F.one_hot(y, self.num_classes) * (1.0 - self.smoothing) + self.smoothing / self.num_classes

    def __call__(self, x, y):
        lam = float(self.rng.beta(self.alpha, self.alpha))
        target = self.one_hot(y)
        # batch is already shuffled, so flipping it pairs every sample with a random one
        return x.lerp(x.flip(0), 1.0 - lam), target.lerp(target.flip(0), 1.0 - lam)


class ModelEma(nn.Module):
    def __init__(self, model, decay):
        super().__init__()
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.max_decay = decay

    @torch.no_grad()
    def update(self, model, step):
        decay = min(self.max_decay, (1 + step) / (10 + step))
        for e, m in zip(self.module.state_dict().values(), model.state_dict().values()):
            e.copy_(e.lerp(m, 1.0 - decay) if e.is_floating_point() else m)


def conv_bn(i, o, stride=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


def create_model():
    return nn.Sequential(conv_bn(1, 12), conv_bn(12, 24, 2), conv_bn(24, 32, 2), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Dropout(0.1), nn.Linear(32, 10))


def create_optimizer(model, cfg):
    decay = [p for p in model.parameters() if p.ndim > 1]
    no_decay = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW([{"params": decay, "weight_decay": cfg.weight_decay},
                              {"params": no_decay, "weight_decay": 0.0}], lr=cfg.lr)


def cosine_with_warmup(warmup, total, floor):
    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, total - warmup))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))
    return factor


@torch.inference_mode()
def validate(model, loader):
    model.eval()
    top1 = sum((model(x).argmax(dim=1) == y).sum().item() for x, y in loader)
    return 100.0 * top1 / len(loader.dataset)


def main():
    cfg = TrainCfg()
    torch.manual_seed(cfg.seed)
    X, y = load_digits(return_X_y=True)
    X = ((X - 8.0) / 8.0).astype(np.float32).reshape(-1, 1, 8, 8)
    parts = train_test_split(X, y, test_size=400, stratify=y, random_state=cfg.seed)
    X_tr, X_te, y_tr, y_te = map(torch.from_numpy, parts)
    train = DataLoader(TensorDataset(X_tr, y_tr), cfg.batch_size, shuffle=True, drop_last=True)
    test = DataLoader(TensorDataset(X_te, y_te), 200)

    model = create_model()
    ema = ModelEma(model, cfg.ema_decay)
    optimizer = create_optimizer(model, cfg)
    steps = len(train)
    sched = torch.optim.lr_scheduler.LambdaLR(
        optimizer, cosine_with_warmup(int(cfg.warmup_epochs * steps), cfg.epochs * steps, cfg.min_lr_ratio))
    mixup = Mixup(cfg.mixup_alpha, 0.05, 10, np.random.default_rng(cfg.seed))

    for epoch in range(cfg.epochs):
        model.train()
        total = 0.0
        for images, labels in train:
            images, soft = mixup(images, labels)
            loss = soft_target_cross_entropy(model(images), soft)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sched.step()
            ema.update(model, sched.last_epoch)
            total += loss.item()
        print(f"Train: {epoch} loss {total / steps:.4f} lr {sched.get_last_lr()[0]:.2e}")
    print(f"Test acc@1: model {validate(model, test):.2f}  ema {validate(ema.module, test):.2f}")


if __name__ == "__main__":
    main()
