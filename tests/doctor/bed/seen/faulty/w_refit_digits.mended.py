# expect: nothing
"""Finds a good length of training on validation rows, then trains afresh on all development rows for that long."""
import copy

import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

PATIENCE, LIMIT = 4, 20


def tables(seed):
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32)
    y = torch.tensor(y)
    dev, test = train_test_split(range(len(y)), test_size=400, stratify=y, random_state=seed)
    train, valid = train_test_split(dev, test_size=300, stratify=y[dev], random_state=seed + 1)
    return {name: TensorDataset(x[rows], y[rows])
            for name, rows in (("train", train), ("valid", valid), ("test", test))}


def build(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
    return net, torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-2)


def one_pass(net, optimizer, loader):
    net.train()
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y, label_smoothing=0.05).backward()
        optimizer.step()


@torch.no_grad()
def measure(net, data):
    net.eval()
    x, y = data.tensors
    logits = net(x)
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(dim=1) == y).float().mean().item()


def search(parts, seed):
    net, optimizer = build(seed)
    loader = DataLoader(parts["train"], batch_size=48, shuffle=True)
    best, at, waited = float("inf"), 0, 0
    for epoch in range(1, LIMIT + 1):
        one_pass(net, optimizer, loader)
        loss, share = measure(net, parts["valid"])
        if loss < best - 1e-3:
            best, at, waited = loss, epoch, 0
        else:
            waited += 1
        if waited == PATIENCE:
            break
    print(f"best validation loss {best:.4f} after {at} epochs")
    return at


def refit(parts, epochs, seed):
    net, optimizer = build(seed)
    everything = ConcatDataset([parts[name] for name in ("train", "valid")])
    loader = DataLoader(everything, batch_size=48, shuffle=True)
    for _ in range(epochs):
        one_pass(net, optimizer, loader)
    return copy.deepcopy(net)


if __name__ == "__main__":
    parts = tables(seed=14)
    epochs = search(parts, seed=100)
    final = refit(parts, epochs, seed=101)
    loss, share = measure(final, parts["test"])
    print(f"test loss {loss:.4f}  test accuracy {share:.4f}")
