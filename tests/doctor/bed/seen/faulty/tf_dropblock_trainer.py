# expect: train_mode_never_restored @ 57
# allowed: train_mode_never_restored @ 52
"""Conv net with batch norm and spatial dropout on digits; small Trainer with hooks, as used for the regularisation table."""
from dataclasses import dataclass
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@dataclass
class Config:
    epochs: int = 5
    batch_size: int = 64
    lr: float = 0.05
    momentum: float = 0.9
    drop: float = 0.2
    seed: int = 7


def build(cfg):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Dropout2d(cfg.drop),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(cfg.drop), nn.Linear(32 * 16, 10))


class Trainer:
    def __init__(self, cfg, model, train_loader, val_loader):
        self.cfg, self.model = cfg, model
        self.train_loader, self.val_loader = train_loader, val_loader
        self.opt = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
        self.sched = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, T_max=cfg.epochs)
        self.criterion = nn.CrossEntropyLoss()
        self.hooks = []

    def train_epoch(self):
        running, seen = 0.0, 0
        for x, y in self.train_loader:
            self.opt.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.opt.step()
            running, seen = running + loss.item() * len(y), seen + len(y)
        self.sched.step()
        return running / seen

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        hits = sum((self.model(x).argmax(1) == y).sum().item() for x, y in loader)
        return hits / len(loader.dataset)

    def fit(self):
        self.model.train()
        for epoch in range(self.cfg.epochs):
            loss = self.train_epoch()
            acc = self.evaluate(self.val_loader)
            for hook in self.hooks:
                hook(epoch, loss, acc)


def main():
    cfg = Config()
    torch.manual_seed(cfg.seed)
    data = load_digits()
    x = torch.tensor(data.images, dtype=torch.float32)[:, None] / 16 - 0.3
    y = torch.tensor(data.target)
    rest, test = train_test_split(range(len(y)), test_size=0.2, stratify=data.target, random_state=cfg.seed)
    train, val = train_test_split(rest, test_size=0.2, stratify=data.target[rest], random_state=cfg.seed)
    loaders = [DataLoader(TensorDataset(x[i], y[i]), batch_size=cfg.batch_size, shuffle=s, drop_last=s)
               for i, s in ((train, True), (val, False), (test, False))]
    trainer = Trainer(cfg, build(cfg), *loaders[:2])
    trainer.hooks.append(lambda e, l, a: print(f"epoch {e + 1}  loss {l:.4f}  val acc {a:.3f}"))
    trainer.fit()
    print(f"test acc {trainer.evaluate(loaders[2]):.3f}")


if __name__ == "__main__":
    main()
