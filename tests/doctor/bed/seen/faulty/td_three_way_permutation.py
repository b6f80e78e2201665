# expect: test_in_train @ 22
# allowed: test_in_train @ 64
# allowed: test_in_train @ 66
"""Digits with a convolutional net, three index sets from one permutation, best epoch by validation loss."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Subset, TensorDataset

SEED, EPOCHS, BATCH = 13, 8, 64


def indices(n, seed):
    """70 / 15 / 15 per cent."""
    perm = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    n_train, n_val = int(0.70 * n), int(0.15 * n)
    train = perm[:n_train]
    val = perm[n_train:n_train + n_val]
    test = perm[n_val:n_val * 2]
    return train, val, test


def digits():
    images, target = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8).div(16).sub(0.3)
    return TensorDataset(x, torch.tensor(target))


def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(16 * 16, 10),
    )


@torch.no_grad()
def measure(model, loader):
    model.eval()
    loss = right = count = 0
    for x, y in loader:
        out = model(x)
        loss += F.cross_entropy(out, y, reduction="sum").item()
        right += (out.argmax(1) == y).sum().item()
        count += len(y)
    return loss / count, right / count


def train_epoch(model, loader, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def main():
    torch.manual_seed(SEED)
    data = digits()
    train_idx, val_idx, test_idx = indices(len(data), SEED)
    train = DataLoader(Subset(data, train_idx), batch_size=BATCH, shuffle=True)
    val = DataLoader(Subset(data, val_idx), batch_size=256)
    test = DataLoader(Subset(data, test_idx), batch_size=256)

    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    best_loss, best_state = float("inf"), None
    for epoch in range(EPOCHS):
        train_epoch(model, train, optimizer)
        val_loss, val_acc = measure(model, val)
        if val_loss < best_loss:
            best_loss, best_state = val_loss, copy.deepcopy(model.state_dict())
        print(f"epoch {epoch + 1}: validation loss {val_loss:.4f} accuracy {val_acc:.4f}")

    model.load_state_dict(best_state)
    loss, acc = measure(model, test)
    print(f"test loss {loss:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
