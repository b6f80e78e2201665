# expect: scheduler_misuse @ 27
# allowed: scheduler_misuse @ 24
"""One-cycle training of a small net on the Wisconsin tumours, written as a trainer with hooks."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Hook:
    def on_batch_end(self, trainer): ...
    def on_epoch_end(self, trainer, loss): ...


class OneCycle(Hook):
    def __init__(self, max_lr):
        self.max_lr, self.schedule = max_lr, None

    def attach(self, trainer):
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            trainer.optimizer, self.max_lr,
            epochs=trainer.epochs, steps_per_epoch=len(trainer.loader),
        )

    def on_epoch_end(self, trainer, loss):
        self.schedule.step()


class Report(Hook):
    def on_epoch_end(self, trainer, loss):
        lr = trainer.optimizer.param_groups[0]["lr"]
        print(f"epoch {trainer.epoch + 1:2d}  loss {loss:.4f}  lr {lr:.6f}")


class Trainer:
    def __init__(self, model, loader, epochs, hooks):
        self.model, self.loader, self.epochs, self.hooks = model, loader, epochs, hooks
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        self.criterion = nn.BCEWithLogitsLoss()
        for hook in hooks:
            if hasattr(hook, "attach"):
                hook.attach(self)

    def fit(self):
        for self.epoch in range(self.epochs):
            self.model.train()
            total = 0.0
            for x, y in self.loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x).squeeze(1), y)
                loss.backward()
                self.optimizer.step()
                total += loss.item()
                for hook in self.hooks:
                    hook.on_batch_end(self)
            for hook in self.hooks:
                hook.on_epoch_end(self, total / len(self.loader))

    @torch.no_grad()
    def score(self, x, y):
        self.model.eval()
        return ((self.model(x).squeeze(1) > 0).float() == y).float().mean().item()


def data():
    x, y = load_breast_cancer(return_X_y=True)
    parts = train_test_split(x, y, test_size=0.25, stratify=y, random_state=7)
    scaler = StandardScaler().fit(parts[0])
    as_float = lambda a: torch.tensor(a, dtype=torch.float32)
    return as_float(scaler.transform(parts[0])), as_float(scaler.transform(parts[1])), as_float(parts[2]), as_float(parts[3])


if __name__ == "__main__":
    torch.manual_seed(7)
    x_train, x_test, y_train, y_test = data()
    net = nn.Sequential(nn.Linear(30, 32), nn.SiLU(), nn.Dropout(0.2), nn.Linear(32, 1))
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
    trainer = Trainer(net, loader, epochs=12, hooks=[OneCycle(max_lr=1e-2), Report()])
    trainer.fit()
    print(f"test accuracy {trainer.score(x_test, y_test):.3f}")
