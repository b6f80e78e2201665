# expect: nothing
"""Few labelled digits + random shift / noise augmentation; tested on shifted digits."""
import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class Args:
    seed = 1234
    epochs = 40
    batch_size = 25
    lr = 2e-3
    max_shift = 2
    noise = 0.1


def jitter(images, max_shift, noise):
    n, _, h, w = images.shape
    padded = F.pad(images, [max_shift] * 4)
    out = []
    for img in padded:
        top = random.randint(0, 2 * max_shift)
        left = random.randint(0, 2 * max_shift)
        out.append(img[:, top:top + h, left:left + w])
    out = torch.stack(out)
    return out + noise * torch.randn_like(out)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 24, 3, padding=1)
        self.conv2 = nn.Conv2d(24, 48, 3, padding=1)
        self.fc = nn.Linear(48 * 6 * 6, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def train_one_epoch(model, x, y, optimizer, args):
    model.train()
    running = 0.0
    order = torch.randperm(len(x))
    for idx in order.split(args.batch_size):
        xb = jitter(x[idx], args.max_shift, args.noise)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(xb), y[idx])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx)
    return running / len(x)


@torch.no_grad()
def evaluate(model, x, y):
    model.eval()
    return (model(x).argmax(dim=1) == y).float().mean().item()


def main():
    args = Args()
    seed_everything(args.seed)
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X / 16.0, dtype=torch.float32).reshape(-1, 1, 8, 8)
    X = F.pad(X, [2, 2, 2, 2])  # 12 x 12 canvas
    y = torch.tensor(y)
    tr, te = train_test_split(np.arange(len(y)), train_size=200, stratify=y,
                              random_state=args.seed)
    x_test = jitter(X[te], args.max_shift, args.noise)

    model = ConvNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        loss = train_one_epoch(model, X[tr], y[tr], optimizer, args)
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1:3d} train loss {loss:.4f}")
    print(f"test accuracy on shifted digits: {evaluate(model, x_test, y[te]):.4f}")


if __name__ == "__main__":
    main()
