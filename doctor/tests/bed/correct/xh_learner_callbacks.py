# expect: nothing
# A tiny Learner with callbacks, notebook style
import math
from functools import partial

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)

# --- data -------------------------------------------------------------
imgs, ys = (torch.tensor(a) for a in load_digits(return_X_y=True))
idx = torch.randperm(len(ys))
train_idx, valid_idx = idx[:1437], idx[1437:]
imgs = imgs.float() / 16
mu, sd = imgs[train_idx].mean(), imgs[train_idx].std()
imgs = (imgs - mu) / sd
train_ds = TensorDataset(imgs[train_idx], ys[train_idx])
valid_ds = TensorDataset(imgs[valid_idx], ys[valid_idx])


class DataLoaders:
    def __init__(self, train_ds, valid_ds, bs=64):
        self.train = DataLoader(train_ds, bs, shuffle=True)
        self.valid = DataLoader(valid_ds, bs * 2)


# --- callbacks --------------------------------------------------------
class Callback:
    order = 0

    def __getattr__(self, name):
        if name.startswith(("before_", "after_")):
            return lambda learn: None
        raise AttributeError(name)


class MetricsCB(Callback):
    def before_epoch(self, learn):
        self.loss, self.hits, self.n = 0.0, 0, 0

    def after_batch(self, learn):
        bs = len(learn.yb)
        self.loss += learn.loss.item() * bs
        self.hits += (learn.preds.argmax(1) == learn.yb).sum().item()
        self.n += bs

    def after_epoch(self, learn):
        kind = "train" if learn.training else "valid"
        print(f"{learn.epoch}  {kind}  loss {self.loss / self.n:.3f}  accuracy {self.hits / self.n:.3f}")


class OneCycleCB(Callback):
    order = 1

    def before_fit(self, learn):
        total = learn.n_epochs * len(learn.dls.train)
        self.sched = optim.lr_scheduler.OneCycleLR(learn.opt, max_lr=learn.lr, total_steps=total)

    def after_batch(self, learn):
        if learn.training:
            self.sched.step()


# --- learner ----------------------------------------------------------
class Learner:
    def __init__(self, model, dls, loss_func, lr, cbs, opt_func=optim.SGD):
        self.model, self.dls, self.loss_func, self.lr = model, dls, loss_func, lr
        self.cbs, self.opt_func = sorted(cbs, key=lambda cb: cb.order), opt_func

    def __call__(self, event):
        for cb in self.cbs:
            getattr(cb, event)(self)

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
        self("before_epoch")
        with torch.set_grad_enabled(train):
            for self.xb, self.yb in self.dls.train if train else self.dls.valid:
                self.one_batch()
                self("after_batch")
        self("after_epoch")

    def fit(self, n_epochs):
        self.n_epochs = n_epochs
        self.opt = self.opt_func(self.model.parameters(), lr=self.lr)
        self("before_fit")
        for self.epoch in range(n_epochs):
            self.one_epoch(True)
            self.one_epoch(False)


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, a=math.sqrt(0.01))


model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10))
model.apply(init_weights)
learn = Learner(model, DataLoaders(train_ds, valid_ds), F.cross_entropy, lr=1e-2,
                cbs=[MetricsCB(), OneCycleCB()], opt_func=partial(optim.AdamW, weight_decay=0.01))
learn.fit(6)
