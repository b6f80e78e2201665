# expect: nothing
"""A trainer with events: one-cycle rate per batch, exponential moving average of the weights, random shifts in the training set only."""
import copy

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    def __init__(self, x, y, shift=0):
        self.x = (torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8) - 4.9) / 6.0
        self.y, self.shift = torch.tensor(y), shift

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        image = self.x[i]
        if self.shift and torch.rand(()) < 0.3:
            step = int(torch.randint(-self.shift, self.shift + 1, ()))
            image = torch.roll(image, step, dims=2)
        return image, self.y[i]


class Trainer:
    EVENTS = ("epoch_start", "batch_end", "epoch_end")

    def __init__(self, model, optimizer, loss):
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.handlers = {event: [] for event in self.EVENTS}

    def on(self, event):
        return lambda handler: self.handlers[event].append(handler) or handler

    def fire(self, event):
        for handler in self.handlers[event]:
            handler(self)

    def run(self, loader, epochs):
        for self.epoch in range(epochs):
            self.fire("epoch_start")
            self.total = 0.0
            for x, y in loader:
                loss = self.loss(self.model(x), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.total += loss.item() * len(y) / len(loader.dataset)
                self.fire("batch_end")
            self.fire("epoch_end")


def accuracy(model, loader):
    with torch.no_grad():
        return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


def main():
    torch.manual_seed(6)
    x, x_test, y, y_test = train_test_split(*load_digits(return_X_y=True), test_size=0.2, random_state=6)
    train = DataLoader(Images(x, y, shift=1), batch_size=48, shuffle=True, drop_last=True)
    test = DataLoader(Images(x_test, y_test), batch_size=120)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.1), nn.Linear(192, 64), nn.ReLU(), nn.Linear(64, 10),
    )
    average = copy.deepcopy(model).eval().requires_grad_(False)
    epochs = 6
    trainer = Trainer(model, torch.optim.AdamW(model.parameters(), lr=1e-3), nn.CrossEntropyLoss(label_smoothing=0.05))
    schedule = torch.optim.lr_scheduler.OneCycleLR(trainer.optimizer, 1e-2, total_steps=epochs * len(train))

    @trainer.on("epoch_start")
    def to_training(t):
        t.model.train()

    @trainer.on("batch_end")
    def advance(t):
        schedule.step()
        for slow, fast in zip(average.parameters(), t.model.parameters()):
            slow.lerp_(fast.detach(), 0.05)
        for slow, fast in zip(average.buffers(), t.model.buffers()):
            slow.copy_(fast)

    @trainer.on("epoch_end")
    def show(t):
        print(f"epoch {t.epoch + 1}: loss {t.total:.4f}")

    trainer.run(train, epochs)
    model.eval()
    print(f"test accuracy: last weights {accuracy(model, test):.4f}, averaged weights {accuracy(average, test):.4f}")


if __name__ == "__main__":
    main()
