# expect: scheduler_misuse @ 38
# allowed: scheduler_misuse @ 39
"""A trainer with callbacks (learning-rate decay and a loss log) on the iris flowers."""
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Callback:
    def on_batch_end(self, trainer):
        pass

    def on_epoch_end(self, trainer):
        pass


class LossLog(Callback):
    def __init__(self, every):
        self.every, self.values = every, []

    def on_batch_end(self, trainer):
        self.values.append(trainer.last_loss)

    def on_epoch_end(self, trainer):
        if trainer.epoch % self.every == 0:
            print(f"epoch {trainer.epoch}: loss {sum(self.values) / len(self.values):.4f}")
        self.values = []


class Decay(Callback):
    """Takes a tenth off the learning rate with every pass over the data."""

    def __init__(self, optimizer, gamma=0.9):
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)

    def on_batch_end(self, trainer):
        self.scheduler.step()


class Trainer:
    def __init__(self, model, optimizer, loss_fn, callbacks):
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn
        self.callbacks = callbacks
        self.epoch, self.last_loss = 0, None

    def fit(self, loader, epochs):
        for _ in range(epochs):
            self.epoch += 1
            self.model.train()
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = self.loss_fn(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                self.last_loss = loss.item()
                for callback in self.callbacks:
                    callback.on_batch_end(self)
            for callback in self.callbacks:
                callback.on_epoch_end(self)

    @torch.no_grad()
    def accuracy(self, x, y):
        self.model.eval()
        return (self.model(x).argmax(dim=1) == y).float().mean().item()


torch.manual_seed(2)
X, y = load_iris(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=2)
low, high = X_tr.min(axis=0), X_tr.max(axis=0)
X_tr, X_te = (torch.tensor(2 * (a - low) / (high - low) - 1, dtype=torch.float32) for a in (X_tr, X_te))
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
trainer = Trainer(model, optimizer, nn.CrossEntropyLoss(), [Decay(optimizer), LossLog(every=6)])
trainer.fit(DataLoader(TensorDataset(X_tr, y_tr), batch_size=8, shuffle=True), epochs=24)
print(f"learning rate at the end {optimizer.param_groups[0]['lr']:.2e}")
print(f"test accuracy {trainer.accuracy(X_te, y_te):.3f}")
