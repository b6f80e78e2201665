# expect: nothing
# %% [markdown]
# # A Learner with callbacks
# A miniature training framework: `DataLoaders`, `Learner`, callbacks and the 1cycle policy.

# %%
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)
rng = np.random.default_rng(42)

# %% data
x, y = load_wine(return_X_y=True)
idx = rng.permutation(len(y))
n_valid = 44
valid_idx, train_idx = idx[:n_valid], idx[n_valid:]
x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
mean, std = x[train_idx].mean(0), x[train_idx].std(0)


def normalize(t): return (t - mean) / std


class DataLoaders:
    def __init__(self, train, valid): self.train, self.valid = train, valid

    @classmethod
    def from_tensors(cls, trn, val, bs):
        return cls(DataLoader(TensorDataset(*trn), batch_size=bs, shuffle=True),
                   DataLoader(TensorDataset(*val), batch_size=bs * 2))


dls = DataLoaders.from_tensors((normalize(x[train_idx]), y[train_idx]),
                               (normalize(x[valid_idx]), y[valid_idx]), bs=16)


# %% callbacks
class Callback:
    order = 0


class TrainEvalCB(Callback):
    def before_epoch(self, learn): learn.model.train(learn.training)


class MetricsCB(Callback):
    order = 1

    def before_epoch(self, learn): self.losses, self.hits, self.n = 0.0, 0, 0

    def after_batch(self, learn):
        bs = len(learn.yb)
        self.losses += learn.loss.item() * bs
        self.hits += (learn.preds.argmax(dim=1) == learn.yb).sum().item()
        self.n += bs

    def after_epoch(self, learn):
        kind = "train" if learn.training else "valid"
        print(f"{learn.epoch} {kind} loss {self.losses / self.n:.4f} accuracy {self.hits / self.n:.4f}")


class OneCycleCB(Callback):
    def __init__(self, max_lr): self.max_lr = max_lr

    def before_fit(self, learn):
        steps = learn.n_epochs * len(learn.dls.train)
        self.sched = optim.lr_scheduler.OneCycleLR(learn.opt, max_lr=self.max_lr, total_steps=steps)

    def after_batch(self, learn):
        if learn.training: self.sched.step()


class GradClipCB(Callback):
    def after_backward(self, learn): nn.utils.clip_grad_norm_(learn.model.parameters(), 5.0)


# %% learner
class Learner:
    def __init__(self, model, dls, loss_func, lr, cbs, opt_func=optim.AdamW):
        self.model, self.dls, self.loss_func = model, dls, loss_func
        self.cbs = sorted(cbs, key=lambda cb: cb.order)
        self.opt = opt_func(model.parameters(), lr=lr)

    def __call__(self, name):
        for cb in self.cbs:
            method = getattr(cb, name, None)
            if method is not None: method(self)

    def one_batch(self):
        self.preds = self.model(self.xb)
        self.loss = self.loss_func(self.preds, self.yb)
        if self.training:
            self.opt.zero_grad()
            self.loss.backward()
            self("after_backward")
            self.opt.step()

    def one_epoch(self, training):
        self.training = training
        self("before_epoch")
        for self.xb, self.yb in (self.dls.train if training else self.dls.valid):
            self.one_batch()
            self("after_batch")
        self("after_epoch")

    def fit(self, n_epochs):
        self.n_epochs = n_epochs
        self("before_fit")
        for self.epoch in range(n_epochs):
            self.one_epoch(True)
            with torch.no_grad(): self.one_epoch(False)


# %%
model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Dropout(0.1), nn.Linear(32, 3))
learn = Learner(model, dls, F.cross_entropy, lr=1e-2,
                cbs=[TrainEvalCB(), MetricsCB(), OneCycleCB(max_lr=2e-2), GradClipCB()])
learn.fit(8)
