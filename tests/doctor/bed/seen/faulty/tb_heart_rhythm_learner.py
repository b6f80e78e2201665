# expect: batchnorm_batch_of_one @ 78
# allowed: batchnorm_batch_of_one @ 69
"""Heart rhythm strips (made-up, one lead) sorted into three kinds by a small 1-D conv net, with a fastai-like Learner."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_strips(n, rng):
    t = np.linspace(0, 1, 48)
    kind = rng.integers(0, 3, n)
    freq = np.array([3.0, 3.0, 5.0])[kind] + rng.normal(0, 0.2, n)
    amp = np.array([0.6, 1.4, 1.0])[kind] * rng.uniform(0.85, 1.15, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    x = amp[:, None] * np.sin(2 * np.pi * freq[:, None] * t + phase[:, None])
    x += rng.normal(0, 0.15, x.shape)
    return torch.tensor(x[:, None], dtype=torch.float32), torch.tensor(kind)


class Callback:
    def before_epoch(self, learn): pass
    def after_epoch(self, learn): pass


class Printer(Callback):
    def __init__(self, every):
        self.every = every

    def after_epoch(self, learn):
        if (learn.epoch + 1) % self.every == 0:
            print(f"epoch {learn.epoch + 1:2d}  train loss {learn.train_loss:.4f}")


class Learner:
    def __init__(self, model, loss_func, lr, cbs=()):
        self.model, self.loss_func, self.cbs = model, loss_func, list(cbs)
        self.opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-3)

    def _call(self, name):
        for cb in self.cbs:
            getattr(cb, name)(self)

    def fit(self, n_epochs, dl):
        for self.epoch in range(n_epochs):
            self._call("before_epoch")
            self.model.train()
            total, count = 0.0, 0
            for xb, yb in dl:
                loss = self.loss_func(self.model(xb), yb)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                total += loss.item() * len(xb)
                count += len(xb)
            self.train_loss = total / count
            self._call("after_epoch")

    @torch.no_grad()
    def accuracy(self, dl):
        self.model.eval()
        hits = [(self.model(xb).argmax(1) == yb).float() for xb, yb in dl]
        return torch.cat(hits).mean().item()


def conv_block(c_in, c_out):
    return nn.Sequential(
        nn.Conv1d(c_in, c_out, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm1d(c_out),
        nn.ReLU(),
    )


torch.manual_seed(5)
rng = np.random.default_rng(5)
train_ds = TensorDataset(*make_strips(200, rng))
test_ds = TensorDataset(*make_strips(300, rng))
train_dl = DataLoader(train_ds, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=100)

net = nn.Sequential(conv_block(1, 12), conv_block(12, 24), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(24, 3))
learn = Learner(net, nn.CrossEntropyLoss(), lr=5e-3, cbs=[Printer(every=5)])
learn.fit(10, train_dl)
print(f"test accuracy {learn.accuracy(test_dl):.3f}")
