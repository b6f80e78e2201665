# expect: nothing
# %% [markdown]
# Lesson 5: a Learner with callbacks, `fit_one_cycle`, on activity windows from a phone.

# %%
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, tensor
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)
np.random.seed(42)

# %%
labels = ["walk", "stairs", "cycle", "sit"]

def make_windows(n, seq=50):
    t = np.arange(seq) / 25
    y = np.random.randint(0, len(labels), n)
    speed = np.array([1.8, 1.4, 1.2, 0.0])[y] * np.random.uniform(0.85, 1.15, n)
    amp = np.array([1.0, 0.9, 0.6, 0.0])[y]
    phase = np.random.uniform(0, 2 * math.pi, n)
    base = np.sin(2 * math.pi * speed[:, None] * t + phase[:, None]) * amp[:, None]
    drift = np.where(y == 1, 0.4, 0.0)[:, None]
    x = np.stack([base, 0.5 * base + drift, np.roll(base, 5, axis=1)], 1) + np.random.normal(0, 0.5, (n, 3, seq))
    return tensor(x).float(), tensor(y)


train, valid = make_windows(1600), make_windows(400)
mean = train[0].mean(dim=(0, 2), keepdim=True)
std = train[0].std(dim=(0, 2), keepdim=True)
dls = {
    "train": DataLoader(TensorDataset((train[0] - mean) / std, train[1]), 64, shuffle=True),
    "valid": DataLoader(TensorDataset((valid[0] - mean) / std, valid[1]), 128),
}


# %%
class Callback:
    def before_fit(self, learn): pass
    def after_batch(self, learn): pass
    def after_epoch(self, learn): pass


class Recorder(Callback):
    def before_fit(self, learn):
        self.lrs = []

    def after_batch(self, learn):
        if learn.training:
            self.lrs.append(learn.opt.param_groups[0]["lr"])


class OneCycle(Callback):
    def __init__(self, max_lr):
        self.max_lr = max_lr

    def before_fit(self, learn):
        steps = learn.epochs * len(learn.dls["train"])
        self.sched = torch.optim.lr_scheduler.OneCycleLR(learn.opt, self.max_lr, total_steps=steps)

    def after_batch(self, learn):
        if learn.training:
            self.sched.step()


class Metrics(Callback):
    def before_fit(self, learn):
        self.reset()

    def reset(self):
        self.sums = {True: [0.0, 0, 0], False: [0.0, 0, 0]}

    def after_batch(self, learn):
        s = self.sums[learn.training]
        s[0] += learn.loss.item() * len(learn.yb)
        s[1] += (learn.preds.argmax(dim=1) == learn.yb).sum().item()
        s[2] += len(learn.yb)

    def after_epoch(self, learn):
        (tl, _, tn), (vl, vc, vn) = self.sums[True], self.sums[False]
        print(f"{learn.epoch:>2}  train_loss {tl / tn:.4f}  valid_loss {vl / vn:.4f}  accuracy {vc / vn:.4f}")
        self.reset()


class Learner:
    def __init__(self, dls, model, loss_func, cbs):
        self.dls, self.model, self.loss_func, self.cbs = dls, model, loss_func, cbs

    def __call__(self, name):
        for cb in self.cbs:
            getattr(cb, name)(self)

    def one_epoch(self, training):
        self.training = training
        self.model.train(training)
        with torch.set_grad_enabled(training):
            for self.xb, self.yb in self.dls["train" if training else "valid"]:
                self.preds = self.model(self.xb)
                self.loss = self.loss_func(self.preds, self.yb)
                if training:
                    self.loss.backward()
                    self.opt.step()
                    self.opt.zero_grad()
                self("after_batch")

    def fit(self, epochs, lr):
        self.epochs = epochs
        self.opt = torch.optim.AdamW(self.model.parameters(), lr=lr, betas=(0.95, 0.99))
        self("before_fit")
        for self.epoch in range(epochs):
            self.one_epoch(True)
            self.one_epoch(False)
            self("after_epoch")


# %%
def conv(ni, nf, ks=5):
    return nn.Sequential(nn.Conv1d(ni, nf, ks, stride=2, padding=ks // 2, bias=False), nn.BatchNorm1d(nf), nn.ReLU())


model = nn.Sequential(conv(3, 16), conv(16, 32), conv(32, 64), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, 4))
rec = Recorder()
learn = Learner(dls, model, F.cross_entropy, [Metrics(), rec, OneCycle(0.01)])
learn.fit(6, 0.01)

print(f"lr: start {rec.lrs[0]:.5f}, top {max(rec.lrs):.5f}, end {rec.lrs[-1]:.7f}")
