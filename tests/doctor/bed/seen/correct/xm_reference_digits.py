# expect: nothing
"""Reference-style classification training: warm-up + multi-step schedule, checkpoints, resume."""
import argparse
import os
import tempfile
import time

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train_one_epoch(model, criterion, optimizer, data_loader, args):
    model.train()
    total_loss, seen = 0.0, 0
    for image, target in data_loader:
        output = model(image)
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.clip_grad_norm)
        optimizer.step()
        total_loss += loss.item() * len(target)
        seen += len(target)
    return total_loss / seen


def accuracy(output, target, topk=(1,)):
    with torch.inference_mode():
        _, pred = output.topk(max(topk), dim=1)
        correct = pred.t() == target[None]
        return [correct[:k].flatten().sum().item() for k in topk]


def evaluate(model, criterion, data_loader):
    model.eval()
    loss, top1, top3, n = 0.0, 0, 0, 0
    with torch.inference_mode():
        for image, target in data_loader:
            output = model(image)
            loss += criterion(output, target).item() * len(target)
            a, b = accuracy(output, target, topk=(1, 3))
            top1, top3, n = top1 + a, top3 + b, n + len(target)
    return loss / n, 100 * top1 / n, 100 * top3 / n


def conv_block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


def build_model(num_classes):
    return nn.Sequential(
        conv_block(1, 16), conv_block(16, 32), nn.MaxPool2d(2), conv_block(32, 48),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(48 * 4, num_classes),
    )


def load_data(seed):
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0
    y = torch.tensor(digits.target)
    rest, test = train_test_split(range(len(y)), test_size=300, stratify=y, random_state=seed)
    train, val = train_test_split(rest, test_size=250, stratify=y[rest], random_state=seed)
    mean, std = x[train].mean(), x[train].std()
    return [TensorDataset((x[i] - mean) / std, y[i]) for i in (train, val, test)]


def main(args):
    torch.manual_seed(args.seed)
    train, val, test = load_data(args.seed)
    loader = DataLoader(train, batch_size=args.batch_size, shuffle=True, drop_last=True)
    loader_val, loader_test = DataLoader(val, batch_size=250), DataLoader(test, batch_size=300)

    model = build_model(10)
    criterion = nn.CrossEntropyLoss(label_smoothing=args.label_smoothing)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4, nesterov=True)
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=args.lr_warmup_epochs)
    main_lr = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[4, 6], gamma=0.1)
    lr_scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer, schedulers=[warmup, main_lr], milestones=[args.lr_warmup_epochs])

    os.makedirs(args.output_dir, exist_ok=True)
    path = os.path.join(args.output_dir, "checkpoint.pth")
    start = time.time()
    for epoch in range(args.epochs):
        lr = optimizer.param_groups[0]["lr"]
        loss = train_one_epoch(model, criterion, optimizer, loader, args)
        lr_scheduler.step()
        val_loss, acc1, _ = evaluate(model, criterion, loader_val)
        print(f"Epoch [{epoch}] lr {lr:.4f} loss {loss:.4f} val loss {val_loss:.4f} Acc@1 {acc1:.2f}")
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                    "lr_scheduler": lr_scheduler.state_dict(), "epoch": epoch}, path)

    model.load_state_dict(torch.load(path, map_location="cpu")["model"])
    _, acc1, acc3 = evaluate(model, criterion, loader_test)
    print(f"Test: Acc@1 {acc1:.2f} Acc@3 {acc3:.2f}  ({(time.time() - start) / args.epochs:.2f} s per epoch)")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", default=8, type=int)
    p.add_argument("-b", "--batch-size", default=64, type=int)
    p.add_argument("--lr", default=0.05, type=float)
    p.add_argument("--lr-warmup-epochs", default=2, type=int)
    p.add_argument("--label-smoothing", default=0.1, type=float)
    p.add_argument("--clip-grad-norm", default=5.0, type=float)
    p.add_argument("--seed", default=7, type=int)
    p.add_argument("--output-dir", default=os.path.join(tempfile.gettempdir(), "ref_digits"))
    main(p.parse_args())
