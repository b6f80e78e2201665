# expect: nothing
# mends: random_crops_in_evaluate.py
"""Signals are cropped and flipped at random in training, and in evaluate() by the same call."""

import torch
from torch import nn

torch.manual_seed(0)
t = torch.linspace(0, 12, 80)
freq = torch.randint(1, 4, (450,))
signals = torch.sin(freq[:, None] * t + 6.28 * torch.rand(450, 1)) + 0.3 * torch.randn(450, 80)
labels = freq - 1
x_train, y_train, x_test, y_test = signals[:330], labels[:330], signals[330:], labels[330:]


def augment(x):
    start = torch.randint(0, 16, (1,)).item()
    x = x[:, start : start + 64]
    sign = torch.randint(0, 2, (len(x), 1)) * 2 - 1
    return x * sign


net = nn.Sequential(
    nn.Conv1d(1, 12, 7),
    nn.ReLU(),
    nn.MaxPool1d(4),
    nn.Conv1d(12, 12, 5),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(120, 3),
)
opt = torch.optim.Adam(net.parameters(), lr=3e-3)


def evaluate():
    net.eval()
    with torch.no_grad():
        out = net(x_test[:, None, 8:72])
    return (out.argmax(1) == y_test).float().mean().item()


for epoch in range(5):
    net.train()
    for idx in torch.randperm(330).split(33):
        loss = nn.functional.cross_entropy(net(augment(x_train[idx])[:, None]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.3f} test accuracy {evaluate():.3f}")
