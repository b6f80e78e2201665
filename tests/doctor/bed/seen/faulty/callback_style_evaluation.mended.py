# expect: nothing
# mends: callback_style_evaluation.py
"""An evaluator object is called every few iterations and leaves the net in eval mode."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class Evaluator:
    def __init__(self, x, y, every):
        self.x, self.y, self.every = x, y, every
        self.best = 0.0

    def __call__(self, model, iteration):
        if iteration % self.every:
            return
        model.eval()
        with torch.no_grad():
            accuracy = (model(self.x).argmax(-1) == self.y).float().mean().item()
        model.train()
        self.best = max(self.best, accuracy)
        print(f"iteration {iteration}: validation accuracy {accuracy:.3f} (best {self.best:.3f})")


def batches(x, y, size):
    while True:
        for idx in torch.randperm(len(x)).split(size):
            if len(idx) == size:
                yield x[idx], y[idx]


torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
xa, xb, ya, yb = train_test_split(X / 16, y, test_size=0.2, random_state=2, stratify=y)
xa, xb = torch.tensor(xa, dtype=torch.float32), torch.tensor(xb, dtype=torch.float32)
ya, yb = torch.tensor(ya), torch.tensor(yb)

model = nn.Sequential(nn.Linear(64, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
evaluate = Evaluator(xb, yb, every=25)
for iteration, (x, t) in zip(range(1, 101), batches(xa, ya, 64), strict=False):
    loss = F.cross_entropy(model(x), t)
    opt.zero_grad()
    loss.backward()
    opt.step()
    evaluate(model, iteration)
