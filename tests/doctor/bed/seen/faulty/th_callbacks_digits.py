# expect: scheduler_misuse @ 34
# allowed: scheduler_misuse @ 35
"""A little Keras-like trainer with callbacks, shown on the digits data."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class Callback:
    def on_epoch_begin(self, trainer, epoch): ...
    def on_batch_end(self, trainer, loss): ...
    def on_epoch_end(self, trainer, epoch): ...


class Averager(Callback):
    def on_epoch_begin(self, trainer, epoch):
        self.total, self.n = 0.0, 0

    def on_batch_end(self, trainer, loss):
        self.total += loss
        self.n += 1

    def on_epoch_end(self, trainer, epoch):
        if (epoch + 1) % 3 == 0:
            print(f"epoch {epoch + 1}: loss {self.total / self.n:.4f}")


class StepDecay(Callback):
    """Lowers the rate to a third every four epochs."""

    def __init__(self, optimizer):
        self.schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.33)

    def on_batch_end(self, trainer, loss):
        self.schedule.step()


class Trainer:
    def __init__(self, model, optimizer, loss_fn, callbacks):
        self.model, self.optimizer, self.loss_fn, self.callbacks = model, optimizer, loss_fn, callbacks

    def emit(self, event, *args):
        for cb in self.callbacks:
            getattr(cb, event)(self, *args)

    def fit(self, x, y, epochs, batch_size):
        for epoch in range(epochs):
            self.model.train()
            self.emit("on_epoch_begin", epoch)
            for idx in torch.randperm(len(x)).split(batch_size):
                self.optimizer.zero_grad()
                loss = self.loss_fn(self.model(x[idx]), y[idx])
                loss.backward()
                self.optimizer.step()
                self.emit("on_batch_end", loss.item())
            self.emit("on_epoch_end", epoch)

    @torch.no_grad()
    def score(self, x, y):
        self.model.eval()
        return (self.model(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(31)
    data = load_digits()
    x = torch.tensor(data.images, dtype=torch.float32).unsqueeze(1) / 16
    y = torch.tensor(data.target)
    perm = torch.randperm(len(x))
    train, test = perm[:1300], perm[1300:]
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Dropout(0.2), nn.Linear(8 * 16, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    trainer = Trainer(model, optimizer, nn.CrossEntropyLoss(), [Averager(), StepDecay(optimizer)])
    trainer.fit(x[train], y[train], epochs=12, batch_size=64)
    print(f"train accuracy {trainer.score(x[train], y[train]):.4f}")
    print(f"test accuracy {trainer.score(x[test], y[test]):.4f}")


if __name__ == "__main__":
    main()
