# expect: nothing
#!/usr/bin/env python3
""" Training script with registry, EMA of the weights, warmup + cosine schedule, label smoothing """
import copy
import math
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

_model_entrypoints = {}


def register_model(fn):
    _model_entrypoints[fn.__name__] = fn
    return fn


def create_model(model_name, **kwargs):
    return _model_entrypoints[model_name](**kwargs)


@register_model
def convnet_nano(num_classes=10, drop_rate=0.1):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(drop_rate), nn.Linear(128, num_classes))


class ModelEma:
    def __init__(self, model, decay=0.95):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for e, m in zip(self.module.state_dict().values(), model.state_dict().values()):
            if e.dtype.is_floating_point:
                e.mul_(self.decay).add_(m, alpha=1.0 - self.decay)
            else:
                e.copy_(m)


class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / self.count


def train_one_epoch(model, loader, optimizer, scheduler, loss_fn, ema):
    losses_m = AverageMeter()
    model.train()
    for input, target in loader:
        optimizer.zero_grad()
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=False):
            loss = loss_fn(model(input), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        ema.update(model)
        losses_m.update(loss.item(), input.size(0))
    return losses_m.avg


@torch.no_grad()
def validate(model, loader):
    losses_m, top1_m = AverageMeter(), AverageMeter()
    model.eval()
    for input, target in loader:
        output = model(input)
        losses_m.update(nn.functional.cross_entropy(output, target).item(), input.size(0))
        top1_m.update((output.argmax(dim=1) == target).float().mean().item(), input.size(0))
    return losses_m.avg, top1_m.avg


def main(epochs=8, warmup=1, batch_size=64, lr=4e-3, seed=42):
    torch.manual_seed(seed)
    images, labels = load_digits(return_X_y=True)
    ti, vi, tl, vl = train_test_split(images / 16.0, labels, test_size=0.2, stratify=labels, random_state=seed)
    mean, std = ti.mean(), ti.std()
    make = lambda a, b: TensorDataset(
        torch.tensor((a - mean) / std, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(b))
    loader_train = DataLoader(make(ti, tl), batch_size=batch_size, shuffle=True, drop_last=True)
    loader_eval = DataLoader(make(vi, vl), batch_size=128)
    model = create_model('convnet_nano')
    ema = ModelEma(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.02)
    total, w = epochs * len(loader_train), warmup * len(loader_train)

    def factor(step):
        if step < w:
            return (step + 1) / w
        return 0.01 + 0.495 * (1 + math.cos(math.pi * (step - w) / (total - w)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
    for epoch in range(epochs):
        train_loss = train_one_epoch(model, loader_train, optimizer, scheduler, loss_fn, ema)
        if epoch % 2 == 1:
            loss, top1 = validate(model, loader_eval)
            _, top1_ema = validate(ema.module, loader_eval)
            print(f'Epoch {epoch}: train {train_loss:.4f} eval {loss:.4f} top1 {top1:.4f} ema {top1_ema:.4f}')


if __name__ == '__main__':
    main()
