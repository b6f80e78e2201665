# expect: nothing
#!/usr/bin/env python3
""" Compact image training script: EMA weights, cosine schedule with warmup, label smoothing """
import argparse
import copy
import math

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset



class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(self.count, 1)


class ModelEma(nn.Module):
    def __init__(self, model, decay=0.95):
        super().__init__()
        self.module = copy.deepcopy(model).eval()
        self.decay = decay
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for ema_v, v in zip(self.module.state_dict().values(), model.state_dict().values()):
            if ema_v.dtype.is_floating_point:
                ema_v.mul_(self.decay).add_(v, alpha=1.0 - self.decay)
            else:
                ema_v.copy_(v)


def conv_bn(i, o, stride=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


def tinynet(num_classes=10, drop_rate=0.1):
    return nn.Sequential(conv_bn(1, 16), conv_bn(16, 32, 2), conv_bn(32, 32),
                         nn.Flatten(), nn.Dropout(drop_rate), nn.Linear(32 * 16, num_classes))


class ImageSet(Dataset):
    def __init__(self, images, target, is_training):
        self.images, self.target, self.is_training = images, target, is_training

    def __len__(self):
        return len(self.target)

    def __getitem__(self, index):
        img = self.images[index]
        if self.is_training and torch.rand(1).item() < 0.2:
            img = img + 0.1 * torch.randn_like(img)
        return img, self.target[index]


def train_one_epoch(epoch, model, loader, optimizer, loss_fn, lr_fn, model_ema):
    losses_m = AverageMeter()
    model.train()
    num_updates = epoch * len(loader)
    for input, target in loader:
        for group in optimizer.param_groups:
            group['lr'] = lr_fn(num_updates)
        loss = loss_fn(model(input), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model_ema.update(model)
        num_updates += 1
        losses_m.update(loss.item(), input.size(0))
    return {'loss': losses_m.avg}


@torch.no_grad()
def validate(model, loader, loss_fn):
    losses_m, top1_m = AverageMeter(), AverageMeter()
    model.eval()
    for input, target in loader:
        output = model(input)
        losses_m.update(loss_fn(output, target).item(), input.size(0))
        top1_m.update((output.argmax(1) == target).float().mean().item() * 100, input.size(0))
    return {'loss': losses_m.avg, 'top1': top1_m.avg}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--epochs', default=5, type=int)
    parser.add_argument('--lr', default=0.1, type=float)
    parser.add_argument('--warmup-updates', default=20, type=int)
    parser.add_argument('--smoothing', default=0.1, type=float)
    parser.add_argument('--seed', default=42, type=int)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    digits = load_digits()
    images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
    target = torch.tensor(digits.target)
    perm = torch.randperm(len(target))
    tr, va, te = perm[:1200], perm[1200:1500], perm[1500:]
    mean, std = images[tr].mean(), images[tr].std()
    images = (images - mean) / std
    loader_train = DataLoader(ImageSet(images[tr], target[tr], True), batch_size=48, shuffle=True, drop_last=True)
    loader_eval = DataLoader(ImageSet(images[va], target[va], False), batch_size=128)
    loader_test = DataLoader(ImageSet(images[te], target[te], False), batch_size=128)

    model = tinynet()
    model_ema = ModelEma(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, nesterov=True, weight_decay=1e-4)
    total = args.epochs * len(loader_train)

    def lr_fn(update):
        if update < args.warmup_updates:
            return args.lr * (update + 1) / args.warmup_updates
        frac = (update - args.warmup_updates) / (total - args.warmup_updates)
        return 0.5 * args.lr * (1 + math.cos(math.pi * frac))

    train_loss_fn = nn.CrossEntropyLoss(label_smoothing=args.smoothing)
    eval_loss_fn = nn.CrossEntropyLoss()
    best_metric, best_epoch, best_state = None, None, None
    for epoch in range(args.epochs):
        train_metrics = train_one_epoch(epoch, model, loader_train, optimizer, train_loss_fn, lr_fn, model_ema)
        eval_metrics = validate(model_ema.module, loader_eval, eval_loss_fn)
        print(f"Epoch {epoch}: train loss {train_metrics['loss']:.4f}  ema eval loss {eval_metrics['loss']:.4f}  top1 {eval_metrics['top1']:.2f}")
        if best_metric is None or eval_metrics['top1'] > best_metric:
            best_metric, best_epoch = eval_metrics['top1'], epoch
            best_state = copy.deepcopy(model_ema.module.state_dict())
    model_ema.module.load_state_dict(best_state)
    test_metrics = validate(model_ema.module, loader_test, eval_loss_fn)
    print(f"*** Best metric: {best_metric:.2f} (epoch {best_epoch}), test top1 {test_metrics['top1']:.2f}")


if __name__ == '__main__':
    main()
