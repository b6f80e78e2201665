# expect: dead_relu @ 36
# mend: 36 →                 nn.init.constant_(m.bias, prior_bias if m is self.head else 0.0)
"""Multi-label image tagger: which of six small glyphs lie on a noisy canvas; prior-aware bias as in RetinaNet."""
import math

import numpy as np
import torch
from torch import nn

GLYPHS = [np.eye(4), np.fliplr(np.eye(4)), np.pad(np.ones((2, 2)), 1), np.tile([[1.0], [0.0]], (2, 4)),
          np.tile([[1.0, 0.0]], (4, 2)), np.indices((4, 4)).sum(0) % 2]


def canvases(n, rng, rate=0.3):
    """A 2 x 3 board of cells; glyph k, where present, lies in cell k."""
    tags = rng.random((n, 6)) < rate
    img = rng.normal(0, 0.35, (n, 8, 12))
    for k, glyph in enumerate(GLYPHS):
        r, c = 4 * (k // 3), 4 * (k % 3)
        img[:, r:r + 4, c:c + 4] += tags[:, k, None, None] * glyph
    return torch.tensor(img, dtype=torch.float32).flatten(1), torch.tensor(tags, dtype=torch.float32)


class Tagger(nn.Module):
    def __init__(self, n_in, n_tags, hidden=64, prior=0.01):
        super().__init__()
        self.fc1 = nn.Linear(n_in, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.head = nn.Linear(hidden, n_tags)
        self.reset(-math.log((1 - prior) / prior))

    def reset(self, prior_bias):
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
                nn.init.constant_(m.bias, prior_bias)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.head(x)


def micro_f1(model, x, y):
    model.eval()
    with torch.no_grad():
        pred = (model(x) > 0).float()
    hit = (pred * y).sum()
    return (2 * hit / (pred.sum() + y.sum())).item()


def epochs(model, opt, loss_fn, x, y, n, size=50):
    for _ in range(n):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(size):
            loss = loss_fn(model(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        yield total / len(x)


rng = np.random.default_rng(23)
torch.manual_seed(23)
x_train, y_train = canvases(1200, rng)
x_test, y_test = canvases(500, rng)
mean, std = x_train.mean(), x_train.std()
x_train, x_test = (x_train - mean) / std, (x_test - mean) / std

model = Tagger(x_train.shape[1], 6)
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for i, loss in enumerate(epochs(model, opt, nn.BCEWithLogitsLoss(), x_train, y_train, 12), 1):
    if i % 3 == 0:
        print(f"epoch {i:2d} loss {loss:.4f}")
print(f"micro F1 on unseen canvases {micro_f1(model, x_test, y_test):.3f}")
