# expect: nothing
# mends: batchnorm_tested_in_train_mode.py
"""A conv net with batch norm; the test function forgets eval()."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.fc = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x):
        return self.fc(self.layer1(x).flatten(1))


def train(model, x, y, opt):
    model.train()
    for idx in torch.randperm(len(x)).split(67):
        opt.zero_grad()
        loss = F.cross_entropy(model(x[idx]), y[idx])
        loss.backward()
        opt.step()
    return loss.item()


@torch.no_grad()
def test(model, x, y):
    model.eval()
    hits = 0
    for xb, yb in zip(x.split(10), y.split(10), strict=True):
        hits += (model(xb).argmax(1) == yb).sum().item()
    return hits / len(x)


torch.manual_seed(0)
digits = load_digits()
a, b, ta, tb = train_test_split(digits.images / 16, digits.target, test_size=0.25, random_state=1)
a, b = (torch.tensor(v, dtype=torch.float32).unsqueeze(1) for v in (a, b))
ta, tb = torch.tensor(ta), torch.tensor(tb)
model = ConvNet()
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(3):
    loss = train(model, a, ta, opt)
    print(f"epoch {epoch}: loss {loss:.3f}, test accuracy {test(model, b, tb):.3f}")
