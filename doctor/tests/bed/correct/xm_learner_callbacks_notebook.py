# expect: nothing
# %% [markdown]
# ## A minimal Learner with callbacks (in the spirit of the fast.ai course notebooks)

# %%
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, tensor
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)

# %%
digits = load_digits()
x_trn, x_val, y_trn, y_val = train_test_split(
    digits.images, digits.target, test_size=0.2, random_state=42, stratify=digits.target)
xmean, xstd = x_trn.mean(), x_trn.std()


def to_ds(x, y): return TensorDataset(tensor((x - xmean) / xstd).float()[:, None], tensor(y))


class DataLoaders:
    def __init__(self, train, valid): self.train, self.valid = train, valid


dls = DataLoaders(DataLoader(to_ds(x_trn, y_trn), batch_size=32, shuffle=True),
                  DataLoader(to_ds(x_val, y_val), batch_size=64))


# %%
class Callback:
    def before_fit(self, learn): pass
    def after_batch(self, learn): pass
    def after_epoch(self, learn): pass


class MetricsCB(Callback):
    def reset(self): self.loss, self.hits, self.n = 0., 0, 0
    def before_fit(self, learn): self.reset()

    def after_batch(self, learn):
        b = len(learn.yb)
        self.loss += learn.loss.item() * b
        self.hits += (learn.preds.argmax(1) == learn.yb).sum().item()
        self.n += b

    def after_epoch(self, learn):
        name = 'train' if learn.training else 'valid'
        print(f'{learn.epoch:>2} {name}  loss {self.loss / self.n:.4f}  acc {self.hits / self.n:.4f}')
        self.reset()


class OneCycleCB(Callback):
    def before_fit(self, learn):
        self.sched = torch.optim.lr_scheduler.OneCycleLR(
            learn.opt, max_lr=learn.lr, total_steps=learn.n_epochs * len(learn.dls.train))

    def after_batch(self, learn):
        if learn.training: self.sched.step()


# %%
class Learner:
    def __init__(self, model, dls, loss_func, lr, cbs):
        self.model, self.dls, self.loss_func, self.lr, self.cbs = model, dls, loss_func, lr, cbs

    def callback(self, name):
        for cb in self.cbs: getattr(cb, name)(self)

    def one_batch(self):
        self.preds = self.model(self.xb)
        self.loss = self.loss_func(self.preds, self.yb)
        if self.training:
            self.loss.backward()
            self.opt.step()
            self.opt.zero_grad()

    def one_epoch(self, training):
        self.training = training
        self.model.train(training)
        for self.xb, self.yb in (self.dls.train if training else self.dls.valid):
            self.one_batch()
            self.callback('after_batch')
        self.callback('after_epoch')

    def fit(self, n_epochs):
        self.n_epochs = n_epochs
        self.opt = torch.optim.AdamW(self.model.parameters(), lr=self.lr)
        self.callback('before_fit')
        for self.epoch in range(n_epochs):
            self.one_epoch(True)
            with torch.no_grad(): self.one_epoch(False)


# %%
def conv(ni, nf):
    return nn.Sequential(nn.Conv2d(ni, nf, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(nf), nn.ReLU())


model = nn.Sequential(conv(1, 16), conv(16, 32), conv(32, 64), nn.Flatten(), nn.Linear(64, 10))
for m in model.modules():
    if isinstance(m, nn.Conv2d): nn.init.kaiming_normal_(m.weight)

learn = Learner(model, dls, F.cross_entropy, lr=1e-2, cbs=[MetricsCB(), OneCycleCB()])
learn.fit(6)
