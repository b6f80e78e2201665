# expect: grad_cleared_before_step @ 31
# allowed: grad_cleared_before_step @ 32
"""A small trainer with callbacks (in the manner of the well-known libraries), shown on the digits."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class Callback:
    def after_backward(self, trainer):
        pass

    def after_step(self, trainer):
        pass

    def after_epoch(self, trainer):
        pass


class GradClip(Callback):
    def __init__(self, max_norm):
        self.max_norm = max_norm

    def after_backward(self, trainer):
        nn.utils.clip_grad_norm_(trainer.model.parameters(), self.max_norm)


class ClearGradients(Callback):
    def after_backward(self, trainer):
        trainer.optimizer.zero_grad(set_to_none=False)


class Progress(Callback):
    def __init__(self, every):
        self.every = every

    def after_epoch(self, trainer):
        if (trainer.epoch + 1) % self.every == 0:
            print(f"epoch {trainer.epoch + 1:2d}  train loss {trainer.mean_loss:.4f}")


class Trainer:
    def __init__(self, model, optimizer, criterion, callbacks):
        self.model, self.optimizer, self.criterion = model, optimizer, criterion
        self.callbacks = callbacks
        self.epoch = 0
        self.mean_loss = float("nan")

    def fire(self, event):
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def fit(self, loader, epochs):
        for self.epoch in range(epochs):
            self.model.train()
            total, seen = 0.0, 0
            for images, labels in loader:
                loss = self.criterion(self.model(images), labels)
                loss.backward()
                self.fire("after_backward")
                self.optimizer.step()
                self.fire("after_step")
                total += loss.item() * len(labels)
                seen += len(labels)
            self.mean_loss = total / seen
            self.fire("after_epoch")

    @torch.no_grad()
    def accuracy(self, loader):
        self.model.eval()
        hits = sum((self.model(images).argmax(1) == labels).sum().item() for images, labels in loader)
        return hits / len(loader.dataset)


def build_model():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * 2 * 2, 10),
    )


if __name__ == "__main__":
    torch.manual_seed(11)
    pixels, digit = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 16.0, dtype=torch.float32).view(-1, 1, 8, 8)
    labels = torch.tensor(digit)
    fit, held = train_test_split(range(len(labels)), test_size=0.25, stratify=digit, random_state=11)
    train_loader = DataLoader(TensorDataset(images[fit], labels[fit]), batch_size=32, shuffle=True)
    test_loader = DataLoader(TensorDataset(images[held], labels[held]), batch_size=256)

    model = build_model()
    trainer = Trainer(
        model,
        torch.optim.Adam(model.parameters(), lr=2e-3),
        nn.CrossEntropyLoss(),
        [GradClip(5.0), ClearGradients(), Progress(every=2)],
    )
    trainer.fit(train_loader, epochs=8)
    print(f"test accuracy {trainer.accuracy(test_loader):.3f}")
