# expect: nothing
"""Tumour cells with a little Trainer and callbacks, the way the team's in-house library does it."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Callback:
    def on_epoch_end(self, trainer, epoch, logs):
        pass


class PrintLogs(Callback):
    def __init__(self, every):
        self.every = every

    def on_epoch_end(self, trainer, epoch, logs):
        if (epoch + 1) % self.every == 0:
            print(f"epoch {epoch + 1:2d} " + " ".join(f"{k}={v:.4f}" for k, v in logs.items()))


class Trainer:
    def __init__(self, net, optimizer, criterion, callbacks=()):
        self.net, self.optimizer, self.criterion = net, optimizer, criterion
        self.callbacks = list(callbacks)

    def fit(self, loader, valid, epochs):
        for epoch in range(epochs):
            self.net.train()
            seen, total = 0, 0.0
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.net(x), y)
                loss.backward()
                self.optimizer.step()
                total, seen = total + loss.item() * len(x), seen + len(x)
            logs = {"loss": total / seen, **self.evaluate(valid, "valid")}
            for callback in self.callbacks:
                callback.on_epoch_end(self, epoch, logs)

    @torch.no_grad()
    def evaluate(self, loader, prefix):
        self.net.eval()
        right = seen = 0
        total = 0.0
        for x, y in loader:
            output = self.net(x)
            total += self.criterion(output, y).item() * len(x)
            right += (output.argmax(1) == y).sum().item()
            seen += len(x)
        return {f"{prefix}_loss": total / seen, f"{prefix}_accuracy": right / seen}


def loaders(batch_size=32):
    x, y = load_breast_cancer(return_X_y=True)
    x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=1)
    x_train, x_valid, y_train, y_valid = train_test_split(x_rest, y_rest, test_size=0.2, stratify=y_rest, random_state=1)
    scaler = StandardScaler().fit(x_train)
    wrap = lambda a, b: TensorDataset(torch.tensor(scaler.transform(a), dtype=torch.float32), torch.tensor(b))
    return (
        DataLoader(wrap(x_train, y_train), batch_size=batch_size, shuffle=True, drop_last=True),
        DataLoader(wrap(x_valid, y_valid), batch_size=64),
        DataLoader(wrap(x_test, y_test), batch_size=64),
    )


def main():
    torch.manual_seed(4)
    train, valid, test = loaders()
    net = nn.Sequential(
        nn.Linear(30, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.4),
        nn.Linear(48, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.4),
        nn.Linear(24, 2),
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    trainer = Trainer(net, optimizer, nn.CrossEntropyLoss(), [PrintLogs(every=5)])
    trainer.fit(train, valid, epochs=20)
    print(trainer.evaluate(test, "test"))


if __name__ == "__main__":
    main()
