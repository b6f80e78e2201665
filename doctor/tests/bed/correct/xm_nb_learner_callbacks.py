# expect: nothing
# %% [markdown]
# A Learner with callbacks, rebuilt from nothing. Task: wine cultivars from their chemistry.

# %%
from functools import partial
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)

# %%
x, y = load_wine(return_X_y=True)
x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
idx = torch.randperm(len(x))
trn, val = idx[:128], idx[128:]
mean, std = x[trn].mean(0), x[trn].std(0)
x = (x - mean) / std
dls = SimpleNamespace(
    train=DataLoader(TensorDataset(x[trn], y[trn]), batch_size=16, shuffle=True),
    valid=DataLoader(TensorDataset(x[val], y[val]), batch_size=64),
)


# %%
class Callback:
    order = 0


def run_cbs(cbs, method_nm, learn):
    for cb in sorted(cbs, key=lambda c: c.order):
        method = getattr(cb, method_nm, None)
        if method is not None:
            method(learn)


class MetricsCB(Callback):
    def before_epoch(self, learn):
        self.n, self.loss, self.correct = 0, 0.0, 0

    def after_batch(self, learn):
        xb, yb = learn.batch
        self.n += len(xb)
        self.loss += learn.loss.item() * len(xb)
        self.correct += (learn.preds.argmax(1) == yb).sum().item()

    def after_epoch(self, learn):
        name = "train" if learn.training else "valid"
        print(f"{learn.epoch}  {name}  loss {self.loss / self.n:.4f}  accuracy {self.correct / self.n:.3f}")


class OneCycleCB(Callback):
    order = 1

    def before_fit(self, learn):
        steps = learn.n_epochs * len(learn.dls.train)
        self.sched = optim.lr_scheduler.OneCycleLR(learn.opt, max_lr=learn.lr, total_steps=steps)

    def after_batch(self, learn):
        if learn.training:
            self.sched.step()


class Learner:
    def __init__(self, model, dls, loss_func, lr, cbs, opt_func=optim.AdamW):
        self.model, self.dls, self.loss_func, self.lr = model, dls, loss_func, lr
        self.cbs, self.opt_func = cbs, opt_func

    def one_batch(self):
        self.preds = self.model(self.batch[0])
        self.loss = self.loss_func(self.preds, self.batch[1])
        if self.training:
            self.loss.backward()
            self.opt.step()
            self.opt.zero_grad()

    def one_epoch(self, train):
        self.training = train
        self.model.train(train)
        run_cbs(self.cbs, "before_epoch", self)
        for self.batch in self.dls.train if train else self.dls.valid:
            self.one_batch()
            run_cbs(self.cbs, "after_batch", self)
        run_cbs(self.cbs, "after_epoch", self)

    def fit(self, n_epochs):
        self.n_epochs = n_epochs
        self.opt = self.opt_func(self.model.parameters(), self.lr)
        run_cbs(self.cbs, "before_fit", self)
        for self.epoch in range(n_epochs):
            self.one_epoch(True)
            with torch.no_grad():
                self.one_epoch(False)


# %%
def init_weights(m, a=0.0):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, a=a)


model = nn.Sequential(nn.Linear(13, 32), nn.LeakyReLU(0.1), nn.Dropout(0.1), nn.Linear(32, 3))
model.apply(partial(init_weights, a=0.1))
learn = Learner(model, dls, F.cross_entropy, lr=0.01, cbs=[MetricsCB(), OneCycleCB()])
learn.fit(8)
