# expect: batchnorm_batch_of_one @ 12
"""Digits by a small convolutional net; rows come from a generator of batches."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HYPER = {
    "width": 8,
    "lr": 2e-3,
    "epochs": 2,
    "rows_at_once": 1,
}


def batches(x, y, size):
    order = torch.randperm(len(x))
    for start in range(0, len(order) - size + 1, size):
        rows = order[start : start + size]
        yield x[rows], y[rows]


def build(width):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(width * 16, 10),
    )


torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
x = torch.tensor(x / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
xa, xb, ya, yb = train_test_split(x, torch.tensor(y), test_size=0.3, random_state=0, stratify=y)
net = build(HYPER["width"])
optimizer = torch.optim.Adam(net.parameters(), lr=HYPER["lr"])
for epoch in range(HYPER["epochs"]):
    net.train()
    for images, digits in batches(xa, ya, HYPER["rows_at_once"]):
        loss = nn.functional.cross_entropy(net(images), digits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print(f"accuracy {(net(xb).argmax(1) == yb).float().mean().item():.3f}")
