# expect: clip_too_small @ 74
# allowed: clip_too_small @ 24
#!/usr/bin/env python3
"""Multi-class table training with a timm-like NativeScaler (scale, unscale, clip, step) and SGD with momentum."""
import argparse

import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class NativeScaler:
    def __init__(self):
        self._scaler = torch.amp.GradScaler("cpu", init_scale=256.0)

    def __call__(self, loss, optimizer, clip_grad=None, parameters=None, need_update=True):
        self._scaler.scale(loss).backward()
        if need_update:
            if clip_grad is not None:
                self._scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(parameters, clip_grad)
            self._scaler.step(optimizer)
            self._scaler.update()
            optimizer.zero_grad()


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--accum-iter", type=int, default=2)
    p.add_argument("--lr", type=float, default=0.05)
    p.add_argument("--momentum", type=float, default=0.9)
    p.add_argument("--weight-decay", type=float, default=5e-4)
    p.add_argument("--clip-grad", type=float, default=2.0)
    p.add_argument("--seed", type=int, default=17)
    return p.parse_args()


def build_loaders(args):
    X, y = make_classification(1600, 20, n_informative=10, n_redundant=2, n_classes=5, n_clusters_per_class=1,
                               class_sep=1.4, flip_y=0.02, random_state=args.seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=args.seed)
    scaler = StandardScaler().fit(X_train)

    def dataset(features, labels):
        return TensorDataset(torch.tensor(scaler.transform(features)).float(), torch.tensor(labels).long())

    train = DataLoader(dataset(X_train, y_train), batch_size=args.batch_size, shuffle=True, drop_last=True)
    return train, DataLoader(dataset(X_test, y_test), batch_size=200)


def build_model(n_in=20, width=64, n_out=5):
    return nn.Sequential(nn.Linear(n_in, width), nn.LayerNorm(width), nn.GELU(),
                         nn.Linear(width, width), nn.LayerNorm(width), nn.GELU(), nn.Linear(width, n_out))


def train_one_epoch(model, loader, criterion, optimizer, loss_scaler, args):
    model.train()
    optimizer.zero_grad()
    last = len(loader) // args.accum_iter * args.accum_iter
    meter = []
    for step, (samples, targets) in enumerate(loader):
        if step >= last:
            break
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = model(samples)
        loss = criterion(outputs.float(), targets)
        meter.append(loss.item())
        loss_scaler(loss / args.accum_iter, optimizer, parameters=model.parameters(),
                    clip_grad=args.weight_decay, need_update=(step + 1) % args.accum_iter == 0)
    return sum(meter) / len(meter)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    correct = sum((model(x).argmax(-1) == y).sum().item() for x, y in loader)
    return correct / len(loader.dataset)


def main(args):
    torch.manual_seed(args.seed)
    train_loader, test_loader = build_loaders(args)
    model = build_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum, weight_decay=args.weight_decay)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    criterion, loss_scaler = nn.CrossEntropyLoss(), NativeScaler()
    for epoch in range(args.epochs):
        loss = train_one_epoch(model, train_loader, criterion, optimizer, loss_scaler, args)
        scheduler.step()
        print(f"Epoch {epoch:02d} loss {loss:.4f}")
    print(f"Acc@1 on the test rows {100 * evaluate(model, test_loader):.2f}")


if __name__ == "__main__":
    main(get_args())
