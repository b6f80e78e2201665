# expect: graph_kept_alive @ 26
# mend: 26 →         self.avg = self.beta * self.avg + (1 - self.beta) * learn.loss.item()
"""Wine cultivars with a callback-driven learner whose recorder keeps a smoothed, debiased loss."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class CancelFit(Exception):
    pass


class Recorder:
    order = 0

    def __init__(self, beta=0.95):
        self.beta = beta

    def before_fit(self, learn):
        self.avg, self.n, self.trace = 0.0, 0, []

    def after_batch(self, learn):
        self.n += 1
        self.avg = self.beta * self.avg + (1 - self.beta) * learn.loss
        learn.smooth_loss = self.avg / (1 - self.beta ** self.n)

    def after_epoch(self, learn):
        self.trace.append(float(learn.smooth_loss))


class StopOnPlateau:
    order = 1

    def __init__(self, recorder, patience=6, min_delta=1e-3):
        self.recorder, self.patience, self.min_delta = recorder, patience, min_delta

    def before_fit(self, learn):
        self.best, self.bad = float("inf"), 0

    def after_batch(self, learn):
        pass

    def after_epoch(self, learn):
        now = self.recorder.trace[-1]
        if now < self.best - self.min_delta:
            self.best, self.bad = now, 0
        else:
            self.bad += 1
            if self.bad >= self.patience:
                raise CancelFit


class Learner:
    def __init__(self, dls, model, loss_func, opt, cbs):
        self.train_dl, self.test_dl = dls
        self.model, self.loss_func, self.opt = model, loss_func, opt
        self.cbs = sorted(cbs, key=lambda cb: cb.order)

    def __call__(self, event):
        for cb in self.cbs:
            getattr(cb, event)(self)

    def fit(self, epochs):
        self("before_fit")
        try:
            for self.epoch in range(epochs):
                self.model.train()
                for xb, yb in self.train_dl:
                    self.loss = self.loss_func(self.model(xb), yb)
                    self.opt.zero_grad()
                    self.loss.backward()
                    self.opt.step()
                    self("after_batch")
                self("after_epoch")
        except CancelFit:
            print(f"stopped after epoch {self.epoch}")

    def validate(self):
        self.model.eval()
        with torch.no_grad():
            return sum((self.model(x).argmax(1) == y).sum().item() for x, y in self.test_dl) / len(self.test_dl.dataset)


torch.manual_seed(8)
x, y = load_wine(return_X_y=True)
x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, stratify=y, random_state=8)
mu, sd = x_tr.mean(0), x_tr.std(0)
as_set = lambda a, b: TensorDataset(torch.tensor((a - mu) / sd, dtype=torch.float32), torch.tensor(b))
dls = DataLoader(as_set(x_tr, y_tr), batch_size=16, shuffle=True), DataLoader(as_set(x_te, y_te), batch_size=64)
model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3))
recorder = Recorder()
learn = Learner(dls, model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=5e-3),
                [StopOnPlateau(recorder), recorder])
learn.fit(25)
print("smoothed loss by epoch:", [round(v, 3) for v in recorder.trace[::5]])
print(f"test accuracy {learn.validate():.3f}")
