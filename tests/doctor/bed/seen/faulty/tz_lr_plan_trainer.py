# expect: scheduler_misuse @ 32
# allowed: lr_too_low @ 32
# allowed: scheduler_misuse @ 100
# allowed: lr_too_low @ 100
# allowed: scheduler_misuse @ 102
# allowed: lr_too_low @ 102
# allowed: scheduler_misuse @ 103
# allowed: lr_too_low @ 103
# Wine cultivars with a Trainer + callbacks. Schedule: linear warm-up, then cosine decay.
import math

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.optim.lr_scheduler import LambdaLR


class LRPlan:
    """Shape of the learning rate over all optimizer steps."""

    def __init__(self, peak, warmup, total):
        self.peak, self.warmup, self.total = peak, warmup, total

    def __call__(self, step):
        if step < self.warmup:
            shape = (step + 1) / self.warmup
        else:
            done = (step - self.warmup) / max(1, self.total - self.warmup)
            shape = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        return self.peak * shape


class Callback:
    def on_step_end(self, trainer): ...
    def on_epoch_end(self, trainer, logs): ...


class StepLR(Callback):
    def __init__(self, scheduler):
        self.scheduler = scheduler

    def on_step_end(self, trainer):
        self.scheduler.step()


class Printer(Callback):
    def __init__(self, every):
        self.every = every

    def on_epoch_end(self, trainer, logs):
        if logs["epoch"] % self.every == 0:
            lr = trainer.optimizer.param_groups[0]["lr"]
            print(f"[{logs['epoch']:3d}] loss={logs['loss']:.4f} val_acc={logs['val_acc']:.3f} lr={lr:.2e}")


class Trainer:
    def __init__(self, model, optimizer, callbacks):
        self.model, self.optimizer, self.callbacks = model, optimizer, callbacks
        self.criterion = nn.CrossEntropyLoss()

    def emit(self, event, *args):
        for cb in self.callbacks:
            getattr(cb, event)(self, *args)

    def fit(self, train, val, epochs, batch_size):
        x, y = train
        for epoch in range(1, epochs + 1):
            self.model.train()
            total = 0.0
            for idx in torch.randperm(len(x)).split(batch_size):
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x[idx]), y[idx])
                loss.backward()
                self.optimizer.step()
                self.emit("on_step_end")
                total += loss.item() * len(idx)
            self.emit("on_epoch_end", dict(epoch=epoch, loss=total / len(x), val_acc=self.accuracy(*val)))

    @torch.no_grad()
    def accuracy(self, x, y):
        self.model.eval()
        return (self.model(x).argmax(1) == y).float().mean().item()


def prepare(seed):
    X, y = load_wine(return_X_y=True)
    X_tr, X_rest, y_tr, y_rest = train_test_split(X, y, test_size=0.4, stratify=y, random_state=seed)
    X_va, X_te, y_va, y_te = train_test_split(X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=seed)
    sc = StandardScaler().fit(X_tr)
    pack = lambda a, b: (torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b))
    return pack(X_tr, y_tr), pack(X_va, y_va), pack(X_te, y_te)


def main(epochs=30, batch_size=16, peak_lr=5e-3, seed=1):
    torch.manual_seed(seed)
    train, val, test = prepare(seed)
    model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak_lr, weight_decay=1e-3)
    steps = epochs * math.ceil(len(train[0]) / batch_size)
    plan = LRPlan(peak_lr, warmup=steps // 10, total=steps)
    scheduler = LambdaLR(optimizer, lr_lambda=plan)
    trainer = Trainer(model, optimizer, [StepLR(scheduler), Printer(every=6)])
    trainer.fit(train, val, epochs, batch_size)
    print(f"test accuracy: {trainer.accuracy(*test):.3f}")


if __name__ == "__main__":
    main()
