# expect: train_mode_never_restored @ 15
"""An evaluation decorator that keeps the mode too late."""
import functools

import torch
from torch import nn


def in_eval(score):
    """Runs a score in evaluation mode and puts the mode back."""

    @functools.wraps(score)
    def wrapped(model, *args):
        # quiet
        model.eval()
        was = model.training
        try:
            with torch.no_grad():
                return score(model, *args)
        finally:
            model.train(mode=was)

    return wrapped


@in_eval
def accuracy(model, x, y):
    return (model(x).argmax(-1) == y).float().mean().item()


torch.manual_seed(0)
y = torch.arange(300) % 3
x = 2 * torch.randn(3, 8)[y] + torch.randn(300, 8)
model = nn.Sequential(nn.Linear(8, 40), nn.ReLU(), nn.Dropout(0.3), nn.Linear(40, 3))
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(6):
    for idx in torch.randperm(240).split(24):
        opt.zero_grad()
        nn.functional.cross_entropy(model(x[idx]), y[idx]).backward()
        opt.step()
    print(epoch, accuracy(model, x[240:], y[240:]))
