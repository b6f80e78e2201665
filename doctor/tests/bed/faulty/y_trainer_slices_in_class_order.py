# expect: unshuffled_sorted @ 29
# mend: 28 +             order = torch.randperm(len(X))
# mend: 30 →                 rows = order[start : start + self.batch_size]
# mend: 30 +                 xb, yb = X[rows], y[rows]
"""A small trainer over numpy arrays; the arrays are gathered digit by digit."""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype(np.float32)
by_class = [np.flatnonzero(y == c) for c in range(10)]
train_ids = np.concatenate([ids[:140] for ids in by_class])
test_ids = np.concatenate([ids[140:] for ids in by_class])


class Trainer:
    def __init__(self, net, lr, batch_size):
        self.net, self.batch_size = net, batch_size
        self.optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)

    def fit(self, X, y, epochs):
        X, y = torch.from_numpy(X), torch.from_numpy(y)
        for epoch in range(epochs):
            self.net.train()
            total = 0.0
            for start in range(0, len(X), self.batch_size):
                xb, yb = X[start : start + self.batch_size], y[start : start + self.batch_size]
                self.optimizer.zero_grad()
                loss = F.cross_entropy(self.net(xb), yb)
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(xb)
            print(f"[{epoch}] loss {total / len(X):.3f}")
        return self

    @torch.no_grad()
    def score(self, X, y):
        self.net.eval()
        return float((self.net(torch.from_numpy(X)).argmax(1).numpy() == y).mean())


torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.ReLU(), torch.nn.Linear(48, 10))
trainer = Trainer(net, lr=0.05, batch_size=32).fit(X[train_ids], y[train_ids], epochs=6)
print("train", trainer.score(X[train_ids], y[train_ids]), "test", trainer.score(X[test_ids], y[test_ids]))
