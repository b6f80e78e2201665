# expect: missing_eval @ 28
# allowed: missing_eval @ 29
"""Two-moons classifier with strong dropout and batch norm; callbacks report each few epochs."""
import torch
from torch import nn
from sklearn.datasets import make_moons

torch.manual_seed(21)


def make_data(n, seed):
    x, y = make_moons(n, noise=0.18, random_state=seed)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


class Callback:
    def on_epoch_end(self, learner, epoch):
        pass


class Validate(Callback):
    def __init__(self, x, y, every=10):
        self.x, self.y, self.every = x, y, every

    def on_epoch_end(self, learner, epoch):
        if (epoch + 1) % self.every:
            return
        with torch.no_grad():
            logit = learner.net(self.x).squeeze(1)
            loss = learner.loss_fn(logit, self.y).item()
            acc = ((logit > 0) == (self.y > 0.5)).float().mean().item()
        print(f"[{epoch + 1:3d}] train {learner.last_loss:.4f}  valid {loss:.4f}  acc {acc:.4f}")


class Learner:
    def __init__(self, net, opt, loss_fn, callbacks=()):
        self.net, self.opt, self.loss_fn = net, opt, loss_fn
        self.callbacks = list(callbacks)
        self.last_loss = float("nan")

    def fit(self, x, y, epochs, bs=50):
        for epoch in range(epochs):
            self.net.train()
            total = 0.0
            for idx in torch.randperm(len(x)).split(bs):
                self.opt.zero_grad()
                loss = self.loss_fn(self.net(x[idx]).squeeze(1), y[idx])
                loss.backward()
                self.opt.step()
                total += loss.item() * len(idx)
            self.last_loss = total / len(x)
            for cb in self.callbacks:
                cb.on_epoch_end(self, epoch)


x_tr, y_tr = make_data(600, 1)
x_va, y_va = make_data(400, 2)
mu, sd = x_tr.mean(dim=0), x_tr.std(dim=0)
x_tr, x_va = (x_tr - mu) / sd, (x_va - mu) / sd

net = nn.Sequential(
    nn.Linear(2, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 1),
)
learner = Learner(net, torch.optim.Adam(net.parameters(), lr=5e-3), nn.BCEWithLogitsLoss(),
                  [Validate(x_va, y_va)])
learner.fit(x_tr, y_tr, epochs=40)
