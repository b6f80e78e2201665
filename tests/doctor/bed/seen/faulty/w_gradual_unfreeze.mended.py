# expect: nothing
"""Digits: an encoder pre-trained on the small digits (0-4) is reused for the large ones (5-9) with gradual unfreezing."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Encoder(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.block1 = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
        self.block2 = nn.Sequential(nn.Linear(96, width), nn.ReLU())

    def forward(self, x):
        return self.block2(self.block1(x))


class Callback:
    def on_epoch_start(self, trainer, epoch):
        pass

    def on_epoch_end(self, trainer, epoch, logs):
        pass


class Unfreeze(Callback):
    """Opens one block of the encoder after another."""

    def __init__(self, plan):
        self.plan = plan

    def on_epoch_start(self, trainer, epoch):
        block = self.plan.get(epoch)
        if block is None:
            return
        for p in block.parameters():
            p.requires_grad_(True)
        trainer.optimizer.add_param_group({"params": list(block.parameters()), "lr": 1e-3})


class Printer(Callback):
    def on_epoch_end(self, trainer, epoch, logs):
        if epoch % 2 == 1:
            print(f"epoch {epoch:2d}  loss {logs['loss']:.4f}")


class Trainer:
    def __init__(self, model, params, lr, callbacks=()):
        self.model = model
        self.optimizer = torch.optim.Adam(params, lr=lr)
        self.callbacks = callbacks
        self.criterion = nn.CrossEntropyLoss()

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            for cb in self.callbacks:
                cb.on_epoch_start(self, epoch)
            total, seen = 0.0, 0
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(y)
                seen += len(y)
            for cb in self.callbacks:
                cb.on_epoch_end(self, epoch, {"loss": total / seen})

    @torch.no_grad()
    def accuracy(self, x, y):
        self.model.eval()
        acc = (self.model(x).argmax(1) == y).float().mean().item()
        self.model.train()
        return acc


def task(lo, hi):
    x, y = load_digits(return_X_y=True)
    keep = (y >= lo) & (y <= hi)
    x, y = x[keep] / 16.0, y[keep] - lo
    parts = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
    xtr, xte, ytr, yte = parts
    as_x = lambda a: torch.tensor(a, dtype=torch.float32)
    as_y = lambda a: torch.tensor(a, dtype=torch.long)
    return as_x(xtr), as_x(xte), as_y(ytr), as_y(yte)


def main():
    torch.manual_seed(0)
    encoder = Encoder()

    xtr, xte, ytr, yte = task(0, 4)
    source = nn.Sequential(encoder, nn.Linear(48, 5))
    pre = Trainer(source, source.parameters(), lr=2e-3)
    pre.fit(DataLoader(TensorDataset(xtr, ytr), batch_size=40, shuffle=True), epochs=5)
    print(f"source accuracy {pre.accuracy(xte, yte):.3f}")

    for p in encoder.parameters():
        p.requires_grad_(False)
    xtr, xte, ytr, yte = task(5, 9)
    target = nn.Sequential(encoder, nn.Linear(48, 5))
    trainable = [p for p in target.parameters() if p.requires_grad]
    plan = {2: encoder.block2, 4: encoder.block1}
    fine = Trainer(target, trainable, lr=2e-3, callbacks=[Unfreeze(plan), Printer()])
    fine.fit(DataLoader(TensorDataset(xtr, ytr), batch_size=40, shuffle=True), epochs=11)
    print(f"target accuracy {fine.accuracy(xte, yte):.3f}")


if __name__ == "__main__":
    main()
