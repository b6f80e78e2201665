# expect: nothing
"""Reference-style training: label smoothing, warmup + cosine, averaged weights."""
import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--warmup-epochs", type=int, default=2)
    p.add_argument("-b", "--batch-size", type=int, default=64)
    p.add_argument("--lr", type=float, default=0.1)
    p.add_argument("--wd", type=float, default=1e-4)
    p.add_argument("--smoothing", type=float, default=0.1)
    p.add_argument("--ema-decay", type=float, default=0.95)
    p.add_argument("--seed", type=int, default=42)
    return p.parse_args()


class ConvBNAct(nn.Sequential):
    def __init__(self, i, o, stride=1):
        super().__init__(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


def param_groups(model, wd):
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": decay, "weight_decay": wd}, {"params": rest, "weight_decay": 0.0}]


def train_one_epoch(model, ema, criterion, optimizer, scheduler, loader):
    model.train()
    total, seen = 0.0, 0
    for image, target in loader:
        loss = criterion(model(image), target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        ema.update_parameters(model)
        total += loss.item() * image.shape[0]
        seen += image.shape[0]
    return total / seen


@torch.inference_mode()
def evaluate(model, loader):
    model.eval()
    correct = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return 100.0 * correct / len(loader.dataset)


def main(args):
    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    y = torch.tensor(y)
    tr, te = train_test_split(range(len(y)), test_size=0.25, random_state=args.seed, stratify=y)
    mean, std = x[tr].mean(), x[tr].std()
    x = (x - mean) / std
    loader = DataLoader(TensorDataset(x[tr], y[tr]), args.batch_size, shuffle=True, drop_last=True)
    val_loader = DataLoader(TensorDataset(x[te], y[te]), 256)

    model = nn.Sequential(ConvBNAct(1, 12), ConvBNAct(12, 24, 2), ConvBNAct(24, 32),
                          nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 10))
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(args.ema_decay), use_buffers=True)
    criterion = nn.CrossEntropyLoss(label_smoothing=args.smoothing)
    optimizer = torch.optim.SGD(param_groups(model, args.wd), lr=args.lr, momentum=0.9, nesterov=True)
    steps, warm = args.epochs * len(loader), args.warmup_epochs * len(loader)
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [
        torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=warm),
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps - warm)], milestones=[warm])
    for epoch in range(args.epochs):
        loss = train_one_epoch(model, ema, criterion, optimizer, scheduler, loader)
        print(f"Epoch [{epoch}] loss {loss:.4f}")
    print(f"Acc@1 model {evaluate(model, val_loader):.2f}  ema {evaluate(ema, val_loader):.2f}")


if __name__ == "__main__":
    main(get_args())
