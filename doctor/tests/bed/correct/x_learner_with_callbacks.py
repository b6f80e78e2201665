# expect: nothing
# looks suspicious: backward, step and zero_grad hide in methods called by name, a callback ends the training
# by an exception, the learning-rate finder runs to a very high rate and then puts old weights back.
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn, optim


class CancelFitException(Exception):  # noqa: N818
    pass


class LRFinderCB:
    def before_fit(self, learn):
        self.lrs, self.losses, self.min = [], [], float("inf")

    def after_batch(self, learn):
        if not learn.model.training:
            return
        self.lrs.append(learn.opt.param_groups[0]["lr"])
        self.losses.append(learn.loss.item())
        self.min = min(self.min, self.losses[-1])
        if self.losses[-1] > 3 * self.min:
            raise CancelFitException()
        for g in learn.opt.param_groups:
            g["lr"] *= 1.3


class PrintCB:
    def before_epoch(self, learn):
        self.losses = []

    def after_batch(self, learn):
        self.losses.append(learn.loss.item())

    def after_epoch(self, learn):
        kind = "train" if learn.model.training else "eval"
        print(f"epoch {learn.epoch} {kind}: {sum(self.losses) / len(self.losses):.4f}")


class Learner:
    def __init__(self, model, dls, loss_func, lr, cbs=()):
        self.model, self.dls, self.loss_func, self.lr, self.cbs = model, dls, loss_func, lr, cbs

    def callback(self, name):
        for cb in self.cbs:
            if hasattr(cb, name):
                getattr(cb, name)(self)

    def predict(self):
        self.preds = self.model(self.batch[0])

    def get_loss(self):
        self.loss = self.loss_func(self.preds, self.batch[1])

    def backward(self):
        self.loss.backward()

    def step(self):
        self.opt.step()

    def zero_grad(self):
        self.opt.zero_grad()

    def one_epoch(self, train):
        self.model.train(train)
        x, y = self.dls[0 if train else 1]
        self.callback("before_epoch")
        rows = torch.randperm(len(x)) if train else torch.arange(len(x))
        for part in rows.split(64):
            self.batch = x[part], y[part]
            for name in ("predict", "get_loss", *(("backward", "step", "zero_grad") if train else ())):
                getattr(self, name)()
            self.callback("after_batch")
        self.callback("after_epoch")

    def fit(self, n_epochs, lr=None, validate=True):
        self.opt = optim.SGD(self.model.parameters(), lr or self.lr, momentum=0.9)
        try:
            self.callback("before_fit")
            for self.epoch in range(n_epochs):
                self.one_epoch(True)
                if validate:
                    with torch.no_grad():
                        self.one_epoch(False)
        except CancelFitException:
            pass


torch.manual_seed(0)
digits = load_digits()
x, y = torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)
model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 10))
dls = (x[:1400], y[:1400]), (x[1400:], y[1400:])
start = copy.deepcopy(model.state_dict())
finder = LRFinderCB()
Learner(model, dls, F.cross_entropy, 1e-4, [finder]).fit(3, validate=False)
print(f"rates tried: {finder.lrs[0]:.1e} to {finder.lrs[-1]:.1e}")
model.load_state_dict(start)
Learner(model, dls, F.cross_entropy, 0.1, [PrintCB()]).fit(3)
