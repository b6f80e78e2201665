# expect: nothing
# %% [markdown]
# # A Learner from the foundations, with callbacks and the one-cycle policy
# %%
from functools import partial
from operator import attrgetter

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim
from torch.utils.data import DataLoader

torch.manual_seed(42)


# %%
class Dataset:
    def __init__(self, x, y): self.x, self.y = x, y
    def __len__(self): return len(self.x)
    def __getitem__(self, i): return self.x[i], self.y[i]


class DataLoaders:
    def __init__(self, train, valid): self.train, self.valid = train, valid

    @classmethod
    def from_dsets(cls, train_ds, valid_ds, bs):
        return cls(DataLoader(train_ds, bs, shuffle=True), DataLoader(valid_ds, bs * 2))


x, y = load_digits(return_X_y=True)
x_train, x_valid, y_train, y_valid = train_test_split(
    torch.tensor(x, dtype=torch.float32), torch.tensor(y), test_size=0.2, random_state=42, stratify=y)
m, s = x_train.mean(), x_train.std()
dls = DataLoaders.from_dsets(Dataset((x_train - m) / s, y_train), Dataset((x_valid - m) / s, y_valid), bs=64)


# %%
class CancelFitException(Exception): pass


class Callback: order = 0


class MetricsCB(Callback):
    def before_epoch(self, learn): self.tot_loss, self.correct, self.n = 0.0, 0, 0

    def after_batch(self, learn):
        xb, yb = learn.batch
        self.tot_loss += learn.loss.item() * len(xb)
        self.correct += (learn.preds.detach().argmax(1) == yb).sum().item()
        self.n += len(xb)

    def after_epoch(self, learn):
        tag = "train" if learn.training else "valid"
        print(f"{learn.epoch:2d} {tag}  loss {self.tot_loss / self.n:.4f}  acc {self.correct / self.n:.4f}")


class BatchSchedCB(Callback):
    def __init__(self, sched): self.sched = sched
    def before_fit(self, learn): self.schedo = self.sched(learn.opt)

    def after_batch(self, learn):
        if learn.training: self.schedo.step()


class NanGuardCB(Callback):
    order = -1

    def after_loss(self, learn):
        if not torch.isfinite(learn.loss): raise CancelFitException()


# %%
class Learner:
    def __init__(self, model, dls, loss_func, lr, cbs, opt_func=optim.SGD):
        self.model, self.dls, self.loss_func, self.lr, self.cbs, self.opt_func = model, dls, loss_func, lr, cbs, opt_func

    def callback(self, name):
        for cb in sorted(self.cbs, key=attrgetter("order")):
            method = getattr(cb, name, None)
            if method is not None: method(self)

    def one_batch(self):
        xb, yb = self.batch
        self.preds = self.model(xb)
        self.loss = self.loss_func(self.preds, yb)
        self.callback("after_loss")
        if self.training:
            self.loss.backward()
            self.opt.step()
            self.opt.zero_grad()

    def one_epoch(self, training):
        self.training = training
        self.model.train(training)
        self.callback("before_epoch")
        for self.batch in self.dls.train if training else self.dls.valid:
            self.one_batch()
            self.callback("after_batch")
        self.callback("after_epoch")

    def fit(self, n_epochs):
        self.opt = self.opt_func(self.model.parameters(), self.lr)
        try:
            self.callback("before_fit")
            for self.epoch in range(n_epochs):
                self.one_epoch(True)
                with torch.no_grad(): self.one_epoch(False)
        except CancelFitException:
            print("stopped: loss is not finite")


# %%
model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
epochs, lr = 6, 1e-2
sched = partial(optim.lr_scheduler.OneCycleLR, max_lr=lr, total_steps=epochs * len(dls.train))
learn = Learner(model, dls, F.cross_entropy, lr, cbs=[MetricsCB(), BatchSchedCB(sched), NanGuardCB()], opt_func=optim.AdamW)
learn.fit(epochs)
