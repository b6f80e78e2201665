# expect: nothing
"""fastai-like Learner: callbacks drive OneCycle per batch; early-stopping figures come from a validation part."""
import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class Callback:
    def begin_fit(self, learn): pass
    def after_step(self, learn): pass
    def after_epoch(self, learn): pass


class OneCycle(Callback):
    def __init__(self, max_lr):
        self.max_lr = max_lr

    def begin_fit(self, learn):
        total = learn.epochs * len(learn.train_dl)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(learn.opt, max_lr=self.max_lr, total_steps=total)

    def after_step(self, learn):
        self.sched.step()


class KeepBest(Callback):
    def begin_fit(self, learn):
        self.best, self.state = float("inf"), None

    def after_epoch(self, learn):
        if learn.valid_loss < self.best:
            self.best, self.state = learn.valid_loss, copy.deepcopy(learn.model.state_dict())


class Learner:
    def __init__(self, model, train_dl, valid_dl, cbs):
        self.model, self.train_dl, self.valid_dl, self.cbs = model, train_dl, valid_dl, cbs
        self.loss_fn = nn.BCEWithLogitsLoss()

    def __call__(self, name):
        for cb in self.cbs:
            getattr(cb, name)(self)

    def fit(self, epochs):
        self.epochs = epochs
        self.opt = torch.optim.AdamW(self.model.parameters(), lr=1e-3, weight_decay=1e-2)
        self("begin_fit")
        for epoch in range(epochs):
            self.model.train()
            for xb, yb in self.train_dl:
                self.loss_fn(self.model(xb).squeeze(1), yb).backward()
                self.opt.step()
                self.opt.zero_grad()
                self("after_step")
            self.valid_loss, acc = self.validate(self.valid_dl)
            self("after_epoch")
            print(f"{epoch} valid loss {self.valid_loss:.4f} acc {acc:.3f}")

    @torch.no_grad()
    def validate(self, dl):
        self.model.eval()
        out = torch.cat([self.model(xb).squeeze(1) for xb, _ in dl])
        y = torch.cat([yb for _, yb in dl])
        return self.loss_fn(out, y).item(), ((out > 0) == (y > 0.5)).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(0)
    x, y = load_breast_cancer(return_X_y=True)
    xa, xte, ya, yte = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
    xtr, xva, ytr, yva = train_test_split(xa, ya, test_size=0.2, stratify=ya, random_state=0)
    sc = StandardScaler().fit(xtr)
    ds = lambda a, b: TensorDataset(torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b, dtype=torch.float32))
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))
    keep = KeepBest()
    learn = Learner(model, DataLoader(ds(xtr, ytr), 32, shuffle=True), DataLoader(ds(xva, yva), 128), [OneCycle(1e-2), keep])
    learn.fit(8)
    model.load_state_dict(keep.state)
    print(f"test accuracy {learn.validate(DataLoader(ds(xte, yte), 128))[1]:.3f}")
