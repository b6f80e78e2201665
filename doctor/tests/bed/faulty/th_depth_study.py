# expect: vanishing_gradient @ 20
# allowed: vanishing_gradient @ 32
# mend: 20 →     p.add_argument("--act", choices=sorted(ACTIVATIONS), default="relu")
"""Depth study: how plain feed-forward nets of several depths do on the breast cancer table."""
import argparse

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "gelu": nn.GELU}


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--depth", type=int, default=8)
    p.add_argument("--width", type=int, default=32)
    p.add_argument("--act", choices=sorted(ACTIVATIONS), default="sigmoid")
    p.add_argument("--lr", type=float, default=0.02)
    p.add_argument("--epochs", type=int, default=14)
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--seed", type=int, default=2)
    return p.parse_args([])


def build(args, n_in):
    act = ACTIVATIONS[args.act]
    layers, width = [], n_in
    for _ in range(args.depth):
        layers += [nn.Linear(width, args.width), act()]
        width = args.width
    net = nn.Sequential(*layers, nn.Linear(width, 2))
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.kaiming_normal_(m.weight)
            nn.init.zeros_(m.bias)
    return net


def load(seed):
    X, y = load_breast_cancer(return_X_y=True)
    parts = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(parts[0])
    x_tr, x_te = (torch.tensor(scaler.transform(p), dtype=torch.float32) for p in parts[:2])
    return x_tr, x_te, torch.tensor(parts[2]), torch.tensor(parts[3])


def fit(net, x, y, args):
    opt = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        net.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(args.batch_size):
            opt.zero_grad()
            loss = loss_fn(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        if (epoch + 1) % 5 == 0:
            print(f"depth {args.depth} epoch {epoch + 1:2d} loss {total / len(x):.4f}")


@torch.no_grad()
def balanced_accuracy(net, x, y):
    net.eval()
    pred = net(x).argmax(1)
    return torch.stack([(pred[y == c] == c).float().mean() for c in (0, 1)]).mean().item()


if __name__ == "__main__":
    args = parse()
    torch.manual_seed(args.seed)
    x_tr, x_te, y_tr, y_te = load(args.seed)
    net = build(args, x_tr.shape[1])
    fit(net, x_tr, y_tr, args)
    print(f"balanced test accuracy {balanced_accuracy(net, x_te, y_te):.4f}")
