# expect: nothing
# Lesson notebook: our own Learner, with callbacks and an LR finder
# %%
import math
from functools import partial
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn, optim, tensor
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(42)
x, y = load_digits(return_X_y=True)
x, y = tensor(x, dtype=torch.float32), tensor(y)
perm = torch.randperm(len(x))
trn_idx, val_idx = perm[400:], perm[:400]
xmean, xstd = x[trn_idx].mean(), x[trn_idx].std()
norm = lambda t: (t - xmean) / xstd


dls = SimpleNamespace(train=DataLoader(TensorDataset(norm(x[trn_idx]), y[trn_idx]), batch_size=64, shuffle=True),
                      valid=DataLoader(TensorDataset(norm(x[val_idx]), y[val_idx]), batch_size=128))


# %%
class CancelFitException(Exception): pass


class Callback:
    def before_fit(self, learn): pass
    def before_epoch(self, learn): pass
    def after_batch(self, learn): pass
    def after_epoch(self, learn): pass


class MetricsCB(Callback):
    def before_epoch(self, learn):
        if learn.training:
            self.tot = {}
        self.tot[learn.training] = [0.0, 0, 0]

    def after_batch(self, learn):
        t = self.tot[learn.training]
        t[0] += learn.loss.item() * len(learn.yb)
        t[1] += (learn.preds.argmax(1) == learn.yb).sum().item()
        t[2] += len(learn.yb)

    def after_epoch(self, learn):
        if not learn.training:
            (tl, ta, tn), (vl, va, vn) = self.tot[True], self.tot[False]
            print(f"{learn.epoch}  train {tl / tn:.3f}/{ta / tn:.3f}  valid {vl / vn:.3f}/{va / vn:.3f}")


class OneCycleCB(Callback):
    def before_fit(self, learn):
        self.sched = optim.lr_scheduler.OneCycleLR(learn.opt, learn.lr, total_steps=learn.n_epochs * len(learn.dls.train))

    def after_batch(self, learn):
        if learn.training:
            self.sched.step()


class LRFinderCB(Callback):
    def __init__(self, mult=1.25):
        self.mult, self.lrs, self.losses, self.best = mult, [], [], math.inf

    def after_batch(self, learn):
        loss = learn.loss.item()
        self.lrs.append(learn.opt.param_groups[0]["lr"])
        self.losses.append(loss)
        self.best = min(self.best, loss)
        if loss > 3 * self.best:
            raise CancelFitException()
        for g in learn.opt.param_groups:
            g["lr"] *= self.mult

    def suggest(self):
        return self.lrs[self.losses.index(self.best)] / 10


# %%
class Learner:
    def __init__(self, model, dls, loss_func, lr, cbs=(), opt_func=optim.Adam):
        self.model, self.dls, self.loss_func, self.lr, self.cbs, self.opt_func = model, dls, loss_func, lr, list(cbs), opt_func

    def callback(self, name):
        for cb in self.cbs:
            getattr(cb, name)(self)

    def one_batch(self):
        self.preds = self.model(self.xb)
        self.loss = self.loss_func(self.preds, self.yb)
        if self.training:
            self.loss.backward()
            self.opt.step()
            self.opt.zero_grad()

    def one_epoch(self, train):
        self.training = train
        self.model.train(train)
        self.callback("before_epoch")
        with torch.set_grad_enabled(train):
            for self.xb, self.yb in (self.dls.train if train else self.dls.valid):
                self.one_batch()
                self.callback("after_batch")
        self.callback("after_epoch")

    def fit(self, n_epochs, valid=True):
        self.n_epochs = n_epochs
        self.opt = self.opt_func(self.model.parameters(), self.lr)
        self.callback("before_fit")
        try:
            for self.epoch in range(n_epochs):
                self.one_epoch(True)
                if valid:
                    self.one_epoch(False)
        except CancelFitException:
            pass


# %%
get_model = lambda: nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Dropout(0.1), nn.Linear(100, 10))
finder = LRFinderCB()
Learner(get_model(), dls, F.cross_entropy, 1e-5, [finder]).fit(5, valid=False)
lr = finder.suggest()
print(f"suggested lr {lr:.4f}")

# %%
opt_func = partial(optim.AdamW, weight_decay=0.01)
Learner(get_model(), dls, F.cross_entropy, lr, [MetricsCB(), OneCycleCB()], opt_func).fit(8)
