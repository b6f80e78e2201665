# expect: nothing
"""Time-series regressor with a tiny callback system (smoothed loss, lr schedule, history)."""
import math

import torch
from torch import nn


class Callback:
    def on_batch_end(self, trainer, loss):
        pass

    def on_epoch_end(self, trainer, epoch):
        pass


class SmoothedLoss(Callback):
    def __init__(self, beta=0.97):
        self.beta, self.value, self.count = beta, 0.0, 0

    def on_batch_end(self, trainer, loss):
        self.count += 1
        self.value = self.beta * self.value + (1 - self.beta) * loss.detach()

    @property
    def corrected(self):
        return self.value / (1 - self.beta ** self.count)


class CosineRate(Callback):
    def __init__(self, base, total):
        self.base, self.total = base, total

    def on_epoch_end(self, trainer, epoch):
        for g in trainer.opt.param_groups:
            g["lr"] = self.base * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (epoch + 1) / self.total)))


class Report(Callback):
    def __init__(self, meter, heldout, every=2):
        self.meter, self.heldout, self.every = meter, heldout, every

    def on_epoch_end(self, trainer, epoch):
        if (epoch + 1) % self.every == 0:
            print(f"epoch {epoch + 1:2d}  smoothed {float(self.meter.corrected):.4f}  held-out {trainer.score(*self.heldout):.4f}")


class Trainer:
    def __init__(self, model, lr, callbacks):
        self.model = model
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.callbacks = callbacks

    def emit(self, event, *args):
        for cb in self.callbacks:
            getattr(cb, event)(self, *args)

    def fit(self, x, y, epochs, batch=32):
        for epoch in range(epochs):
            self.model.train()
            for idx in torch.randperm(len(x)).split(batch):
                loss = nn.functional.mse_loss(self.model(x[idx]), y[idx])
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                self.emit("on_batch_end", loss)
            self.emit("on_epoch_end", epoch)

    @torch.no_grad()
    def score(self, x, y):
        self.model.eval()
        return nn.functional.mse_loss(self.model(x), y).item()


class Forecaster(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.gru(x.unsqueeze(-1))
        return self.head(out[:, -1]).squeeze(1)


def windows(series, length=12):
    w = series.unfold(0, length + 1, 1)
    return w[:, :-1], w[:, -1]


def main():
    torch.manual_seed(12)
    t = torch.arange(1000, dtype=torch.float32)
    series = torch.sin(t / 7) + 0.5 * torch.sin(t / 3.1) + 0.1 * torch.randn(len(t))
    past, future = series[:750], series[750:]
    mean, std = past.mean(), past.std()
    xa, ya = windows((past - mean) / std)
    xb, yb = windows((future - mean) / std)
    meter = SmoothedLoss()
    trainer = Trainer(Forecaster(), 4e-3, [meter, CosineRate(4e-3, 10), Report(meter, (xb, yb))])
    trainer.fit(xa, ya, epochs=10)
    print(f"naive (last value) {nn.functional.mse_loss(xb[:, -1], yb).item():.4f}")


main()
